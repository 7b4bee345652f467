"""A file of records in Home Assistant's storage: written whole, and each write checked."""

from collections.abc import Mapping
import os
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, UnsupportedStorageVersionError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.json import json_loads

from .core.entry import Record
from .core.errors import StorageError
from .core.journal import sync_folder

STORAGE_VERSION = 1

_HEAD_BYTES = 1024
"""Where the revision stands: behind version and key, before the records."""
_REVISION = re.compile(rb'"data":\s*{\s*"revision":\s*(\d+),')
_TOO_HIGH = 2**53
"""No queue lives to see such a revision; one more, and JSON could not hold it for certain."""


class NewerVersionError(StorageError):
    """A newer version of the integration has written the file."""


class CorruptError(StorageError):
    """The file is none of ours, or damaged."""


class RecordFile:
    """One file: private to its owner, synced, and replaced as a whole.

    `Store.async_save` logs a write error and returns as if it had worked. So each write carries a
    number that is read back. `Store.async_load` renames a damaged file and tells the user to mend
    it, although the integration works on; so a file is read here. A Store that has none, as in
    tests, is asked itself.
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
        """How big the file is, once that is known."""

    async def load(self) -> tuple[dict[str, Record], int] | None:
        """Return the records and their revision, or None where there are none.

        Raises CorruptError, NewerVersionError, or StorageError where the file cannot be read.
        """
        try:
            content = await self._hass.async_add_executor_job(self._read)
            data = await self._store.async_load() if content is None else _data_of(content)
        except UnsupportedStorageVersionError as err:
            raise NewerVersionError("a newer version wrote the stored queue") from err
        except (HomeAssistantError, OSError) as err:
            raise StorageError("the stored queue cannot be read") from err
        return None if data is None else _records_of(data)

    async def save(self, records: Mapping[str, Record], revision: int) -> None:
        """Write the records and read back that they are there; raises StorageError."""
        on_disk = self.size is not None
        try:
            await self._store.async_save({"revision": revision, "magnets": records})
            written = await self._hass.async_add_executor_job(self._read_revision)
            if written is None and not on_disk:
                written = (await self._store.async_load() or {}).get("revision")
        except (HomeAssistantError, OSError) as err:
            raise StorageError("the queue cannot be written or read back") from err
        if written != revision:
            raise StorageError("the queue could not be written")

    async def set_aside(self) -> Path | None:
        """Keep the file under another name; return that, or None where there is no file."""
        return await self._hass.async_add_executor_job(self._rename)

    async def remove(self) -> None:
        """Delete the file; raises OSError."""
        await self._store.async_remove()
        self.size = None

    def _read(self) -> Any:
        """Return the file's content, or None where there is no file."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        self.size = len(raw)
        try:
            return json_loads(raw)
        except ValueError as err:
            raise CorruptError("the stored queue is damaged") from err

    def _read_revision(self) -> int | None:
        """Return which revision the file has, without reading all of it.

        The folder is synced here, as a Store goes on where that has failed.
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
        found = _REVISION.search(head) if is_whole else None
        return int(found[1]) if found else -1

    def _rename(self) -> Path | None:
        kept = kept_name(self.path)
        try:
            self.path.rename(kept)
        except FileNotFoundError:
            return None
        self.size = None
        return kept


def kept_name(path: Path) -> Path:
    """Return a name that is free, for a file that is to be kept."""
    name = f"{path}.corrupt.{dt_util.utcnow().isoformat()}"
    while os.path.lexists(name):
        name += "_"
    return Path(name)


def _data_of(content: Any) -> Any:
    """Return the data in a file's content."""
    try:
        version, data = content["version"], content["data"]
        if not isinstance(version, int) or version < 1:
            raise CorruptError("the stored queue has no version")
    except (LookupError, TypeError) as err:
        raise CorruptError("the stored queue is no store") from err
    if version > STORAGE_VERSION:
        raise NewerVersionError("a newer version wrote the stored queue")
    return {} if data is None else data


def _records_of(data: Any) -> tuple[dict[str, Record], int]:
    try:
        records, revision = dict(data["magnets"]), data["revision"]
    except (LookupError, TypeError, ValueError) as err:
        raise CorruptError("the stored queue is not in order") from err
    if type(revision) is not int or not 0 <= revision < _TOO_HIGH:
        raise CorruptError("the stored queue has no revision")
    return records, revision
