"""The queue's place in Home Assistant's storage."""

from collections.abc import Collection, Mapping
import logging
import os
from typing import Any, override

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .core.entry import Record
from .core.errors import StorageError
from .core.queue import QueueStore

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1


def queue_file(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return the file of one entry's queue: private to its owner, synced, replaced as a whole."""
    return Store(
        hass,
        STORAGE_VERSION,
        f"{DOMAIN}.{entry_id}",
        private=True,
        atomic_writes=True,
        serialize_in_event_loop=False,  # records are never changed, only replaced
    )


class QueueStorage(QueueStore):
    """The records of the queue, in a Store whose writes are checked.

    `Store.async_save` logs a write error and returns as if it had worked, and while Home Assistant
    stops it only takes a note for later. So each write carries a number, and is read back.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Use the file of this entry."""
        self._hass = hass
        self._file = queue_file(hass, entry_id)
        self._records: dict[str, Record] = {}
        self._revision = 0

    @override
    async def load(self) -> Mapping[str, Record]:
        """Read the file; one that cannot be understood is kept under another name."""
        try:
            data = await self._file.async_load()
        except (HomeAssistantError, OSError) as err:
            raise StorageError("the stored queue cannot be read") from err
        if data is None:
            return {}
        try:
            records, revision = dict(data["magnets"]), int(data["revision"])
        except LookupError, TypeError, ValueError:
            await self._set_aside()
        else:
            self._records, self._revision = records, revision
        return self._records

    @override
    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Write the changed records and read back that they are there."""
        if self._hass.state in (CoreState.stopping, CoreState.final_write, CoreState.stopped):
            raise StorageError("Home Assistant is stopping")
        records = {**self._records, **put}
        for key in drop:
            records.pop(key, None)
        revision = self._revision + 1
        try:
            await self._file.async_save({"revision": revision, "magnets": records})
            written = await self._file.async_load()
        except (HomeAssistantError, OSError) as err:
            raise StorageError("the queue cannot be written or read back") from err
        if written is None or written.get("revision") != revision:
            raise StorageError("the queue could not be written")
        self._records, self._revision = records, revision

    async def _set_aside(self) -> None:
        path = self._file.path
        kept = f"{path}.corrupt.{dt_util.utcnow().isoformat()}"
        await self._hass.async_add_executor_job(os.rename, path, kept)
        _LOGGER.error("The stored queue is unreadable and starts empty; the file is kept: %s", kept)
