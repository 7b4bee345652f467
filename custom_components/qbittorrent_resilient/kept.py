"""Magnets that outlived their entry: they wait for the integration to be set up again."""

from collections.abc import Mapping
import logging
from typing import Any

from homeassistant.core import HomeAssistant

from . import issues
from .const import DOMAIN
from .core.entry import Record, Stage
from .core.errors import StorageError
from .record_file import CorruptError, RecordFile

_LOGGER = logging.getLogger(__name__)

_OF_THE_ENTRY = ("sent_to", "sent_at", "suspects", "launched", "unsaved")
"""What a record says of servers: they are gone with their entry."""
_DONE = (Stage.SETTLING, Stage.WATCHED, Stage.DISCLAIMED)
"""Stages in which nothing is owed any more: the caller was told that it is added, or failed."""


class KeptMagnets:
    """The file of these magnets, and what the user is told of them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Use the one file that there is."""
        self._hass = hass
        self._file = RecordFile(hass, f"{DOMAIN}.kept")
        self._revision = 0

    async def load(self) -> dict[str, Record]:
        """Return them by info-hash; raises StorageError."""
        try:
            records, self._revision = await self._file.load() or ({}, 0)
        except CorruptError:
            await issues.async_set_aside(self._hass, self._file)
            return {}
        return records

    async def add(self, records: Mapping[str, Record]) -> None:
        """Add what is still owed of these, and tell the user; raises StorageError."""
        owed = {key: _stripped(one) for key, one in records.items() if _is_owed(one)}
        if not owed:
            return
        kept = await self.load() | owed
        await self._file.save(kept, self._revision + 1)
        _LOGGER.warning("%d magnets were still waiting; they are kept", len(kept))
        issues.async_tell_kept(self._hass, len(kept))

    async def discard(self) -> None:
        """Delete them; raises StorageError."""
        try:
            await self._file.remove()
        except OSError as err:
            raise StorageError("the kept magnets cannot be deleted") from err
        issues.async_take_back(self._hass, issues.KEPT)


def _is_owed(record: Any) -> bool:
    """Tell whether a record outlives its entry; one that cannot be read does."""
    return not isinstance(record, dict) or record.get("stage") not in _DONE


def _stripped(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    return {name: value for name, value in record.items() if name not in _OF_THE_ENTRY}
