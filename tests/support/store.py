"""The store of an outbox in memory, with switches for what a disk can do to it."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
import json
from typing import override

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.outbox.record import Record, files_of
from custom_components.qbittorrent_resilient.core.outbox.torrent_files import Folder, TorrentFiles


class MemoryFolder(Folder):
    """Torrent files in memory; writing fails while `error` is set."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.error: OSError | None = None

    @override
    def write(self, name: str, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        self.files[name] = data

    @override
    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    @override
    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self.files.pop(name, None)

    @override
    def sizes(self) -> Mapping[str, int]:
        return {name: len(data) for name, data in self.files.items()}


async def run_at_once[*Args, T](job: Callable[[*Args], T], /, *args: *Args) -> T:
    """Do work that blocks, but give way before, as it does in a thread."""
    await asyncio.sleep(0)
    return job(*args)


class MemoryStore:
    """Keeps what can be kept as JSON; a write fails while `error` is set, and can be halted."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.folder = MemoryFolder()
        self.torrent_files = TorrentFiles(self.folder, run_at_once)
        self.error: BaseException | None = None
        self.commits = 0
        """Writes that were begun."""
        self.refused = 0
        """Writes that failed."""
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    def fill_up(self) -> None:
        """Fail each write from now on, as a full disk does."""
        self.error = StorageError("disk full")

    def mend(self) -> None:
        """Fail no write any more."""
        self.error = None

    def halt(self) -> None:
        """Have writes wait, once they are begun."""
        self._may_go_on.clear()

    def go_on(self) -> None:
        """Let the writes that wait go on."""
        self._may_go_on.set()

    async def load(self) -> Mapping[str, Record]:
        await self.torrent_files.keep_only(files_of(self.records).values())
        return _as_json(self.records)

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        self.commits += 1
        await asyncio.sleep(0)
        await self._may_go_on.wait()
        if self.error is not None:
            self.refused += 1
            raise self.error
        self.write(_as_json(put), drop)

    def write(self, put: Mapping[str, Record], drop: Collection[str] = ()) -> None:
        """Change what is stored, at once and whatever the switches say."""
        self.records |= put
        for key in drop:
            self.records.pop(key, None)


def _as_json(records: Mapping[str, Record]) -> dict[str, Record]:
    copied: dict[str, Record] = json.loads(json.dumps(dict(records)))
    return copied
