"""Orphans: magnets that outlived their entry. They wait for the integration to be set up again."""

from collections.abc import Mapping
import logging
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant

from ..const import DOMAIN
from ..core.errors import StorageError
from ..core.log_words import counted
from ..core.outbox.job import Stage
from ..core.outbox.record import Record
from .record_file import RecordFile

_LOGGER = logging.getLogger(__name__)

LINKS = ".links"
"""At the end of the names of files that hold web links."""
_ABOUT_ENTRY = ("sent_to", "sent_at", "suspects", "launched", "log_began", "unsaved", "ordinal")
"""Fields of a record that mean nothing once the entry and its servers are gone.

`instances` still does: those that are set up with the same names may get the magnet, and no others.
"""
_DONE = (Stage.SETTLING, Stage.DUPLICATE_CHECK, Stage.TOMBSTONE)
"""Stages, as they are stored, in which nothing is owed any more: the caller was told that it is
added, or failed."""


class OrphanedMagnets:
    """The file of the orphans; there is one, whatever the entry."""

    def __init__(self, hass: HomeAssistant, *, of_links: bool = False) -> None:
        """Use the file in the storage folder; web links have one of their own."""
        self._file = RecordFile(hass, f"{DOMAIN}.kept{LINKS if of_links else ''}")
        self.path = self._file.path
        self._revision = 0
        self._quarantined: list[Path] = []

    async def load(self) -> dict[str, Record]:
        """Return their records by info-hash; raises StorageError."""
        snapshot = await self._file.load()
        if snapshot.quarantined is not None:
            self._quarantined.append(snapshot.quarantined)
        self._revision = snapshot.revision or 0
        return snapshot.records

    async def add(
        self, records: Mapping[str, Record], servers: Mapping[str, str] | None = None
    ) -> int | None:
        """Add those of the records that are still owed; raises StorageError.

        `servers` are the names of the entry's servers, by their keys, which nobody will have again.
        Return how many orphans there are now, or None where nothing was added.
        """
        owed = {
            key: _stripped(record, servers or {})
            for key, record in records.items()
            if _is_owed(record)
        }
        if not owed:
            return None
        orphans = await self.load() | owed
        await self._file.save(orphans, self._revision + 1)
        count = counted(len(orphans), "magnet")
        _LOGGER.warning("%s still waiting: kept until the integration is set up again", count)
        return len(orphans)

    async def discard(self) -> None:
        """Delete the file; raises StorageError."""
        try:
            await self._file.remove()
        except OSError as err:
            raise StorageError("the kept magnets cannot be deleted") from err

    def take_quarantined(self) -> tuple[Path, ...]:
        """Return the new names of files that were quarantined since the last call."""
        paths, self._quarantined = tuple(self._quarantined), []
        return paths


def _is_owed(record: Any) -> bool:
    """Tell whether a record outlives its entry; a record that cannot be read does."""
    return not isinstance(record, dict) or record.get("stage") not in _DONE


def _stripped(record: Any, servers: Mapping[str, str]) -> Any:
    if not isinstance(record, dict):
        return record
    stripped = {name: value for name, value in record.items() if name not in _ABOUT_ENTRY}
    if isinstance(named := stripped.get("instances"), list):
        stripped["instances"] = [
            servers.get(one, one) if isinstance(one, str) else one for one in named
        ]
    return stripped
