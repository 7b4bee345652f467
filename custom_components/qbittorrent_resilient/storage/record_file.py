"""A file of records in Home Assistant's storage: written whole, and each write checked."""

from collections.abc import Mapping
from dataclasses import replace
import os
from pathlib import Path
import re
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import Store

from ..core.errors import StorageError
from ..core.outbox.files import clear_way, quarantine, quarantine_copy, sync_folder
from ..core.outbox.record import Record
from ..core.outbox.salvage import decode
from ..core.outbox.snapshot import STORAGE_VERSION, Snapshot, seal
from ..core.outbox.store import SnapshotFile

_HEAD_BYTES = 1024
"""Where the revision stands: behind version and key, before the records."""
_REVISION = re.compile(rb'"data":\s*{\s*"revision":\s*(\d+),')


class RecordFile(SnapshotFile):
    """One file: private to its owner, synced, and replaced as a whole.

    `Store.async_save` logs a write error and returns as if it had worked. So each write carries a
    revision that is read back. `Store.async_load` renames a damaged file and raises a repair that
    asks the user to restore a backup, although the integration works on. So the file is read here.
    A Store that keeps no file, as Home Assistant's own test fixtures make them, is asked itself.
    """

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        """Use the file of this name in the storage folder."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass,
            STORAGE_VERSION,
            key,
            private=True,
            atomic_writes=True,
            serialize_in_event_loop=False,  # records are never changed, only replaced
        )
        self.path = Path(self._store.path)
        self.size: int | None = None

    @override
    async def load(self) -> Snapshot:
        """Return what the file holds; a damaged file, or a copy of it, is quarantined.

        Raises NewerVersionError, or StorageError where the file cannot be read or set aside.
        """
        try:
            snapshot = await self._hass.async_add_executor_job(self._read)
            if snapshot is None:
                data = await self._store.async_load()
                content = json_bytes({"version": STORAGE_VERSION, "data": data})
                snapshot = Snapshot({}) if data is None else decode(content)
        except (HomeAssistantError, OSError) as err:
            raise StorageError("the stored queue cannot be read") from err
        if not snapshot.is_damaged or snapshot.quarantined is not None:
            return snapshot
        # What can still be read is on disk nowhere else, until all is written anew.
        set_aside = quarantine_copy if snapshot.records else quarantine
        try:
            quarantined = await self._hass.async_add_executor_job(set_aside, self.path)
        except OSError as err:
            raise StorageError("the damaged queue cannot be set aside") from err
        if not snapshot.records:
            self.size = None
        return replace(snapshot, quarantined=quarantined)

    @override
    async def save(self, records: Mapping[str, Record], revision: int, after: str = "") -> str:
        """Write the records and read back that they are there; return the checksum of it all.

        Raises StorageError.
        """
        was_on_disk = self.size is not None
        try:
            data = await self._hass.async_add_executor_job(seal, records, revision, after)
            await self._store.async_save(data)
            written = await self._hass.async_add_executor_job(self._read_revision)
            if written is None and not was_on_disk:
                written = (await self._store.async_load() or {}).get("revision")
        except TypeError as err:
            raise StorageError("the queue holds what cannot be written") from err
        except (HomeAssistantError, OSError) as err:
            raise StorageError("the queue cannot be written or read back") from err
        if written != revision:
            raise StorageError("the queue could not be written")
        checksum: str = data["checksum"]
        return checksum

    @override
    async def remove(self) -> None:
        """Delete the file; raises OSError."""
        await self._store.async_remove()
        self.size = None

    def _read(self) -> Snapshot | None:
        """Return what the file holds, or None where there is no file.

        What is no file in its place is quarantined.
        """
        if (in_the_way := clear_way(self.path)) is not None:
            self.size = None
            return Snapshot({}, None, is_damaged=True, quarantined=in_the_way)
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        self.size = len(raw)
        return decode(raw)

    def _read_revision(self) -> int | None:
        """Return the revision of the file without reading all of it; None where there is no file.

        A file that is not whole, or holds no revision, counts as revision -1.

        A Store ignores that the folder cannot be synced, so it is synced here.
        """
        try:
            with self.path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                head = file.read(_HEAD_BYTES)
                file.seek(max(0, self.size - 2))
                is_whole = file.read().rstrip().endswith(b"}")
        except FileNotFoundError:
            self.size = None
            return None
        sync_folder(self.path.parent)
        match = _REVISION.search(head) if is_whole else None
        return int(match[1]) if match else -1
