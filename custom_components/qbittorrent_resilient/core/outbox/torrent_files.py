"""The torrent files of jobs: on disk before a job refers to one, until the last one that does.

A file goes by its SHA-256. Where it is damaged or missing, the job's magnet is delivered instead.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
import hashlib
import logging
from typing import Protocol

from ..errors import StorageError
from .files import RunBlocking
from .record import is_file_name

_LOGGER = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024 * 1024
"""Of all files together; thousands of torrents, of which most have less than 100 kB."""


class Folder(Protocol):
    """Files by their names; every method blocks, and raises OSError."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file, or replace it, so that it survives a loss of power."""

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, or None where there is none."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, as far as they are there."""

    def sizes(self) -> Mapping[str, int]:
        """Return the size of each file, in bytes."""


class TorrentFiles:
    """Keeps torrent files as long as somebody needs them."""

    def __init__(self, folder: Folder, run_blocking: RunBlocking) -> None:
        """Keep them in `folder`."""
        self._folder = folder
        self._run_blocking = run_blocking
        self._working = asyncio.Lock()
        self._held: Counter[str] = Counter()
        """How often a file was put that no job refers to so far."""
        self._missed: set[str] = set()

    async def put(self, data: bytes) -> str:
        """Store a file, durably, for a job that will refer to it; return its name.

        It stays at least until it is released. Raises StorageError.
        """
        name = hashlib.sha256(data).hexdigest()
        self._held[name] += 1
        try:
            async with self._working:
                await self._run_blocking(self._write, name, data)
        except BaseException as err:
            self._held[name] -= 1
            if isinstance(err, OSError):
                raise StorageError(f"a torrent file cannot be kept: {err.strerror}") from err
            raise
        return name

    def hold(self, names: Collection[str]) -> None:
        """Keep files that are there until they are released once more."""
        self._held.update(names)

    async def release(self, names: Collection[str], *, needed: Collection[str]) -> None:
        """Take note that whoever put these has no need of them but for the jobs that refer to them.

        `needed` are all that jobs refer to.
        """
        self._held.subtract(names)
        await self.discard(set(names).difference(needed))

    async def read(self, name: str) -> bytes | None:
        """Return a file as it was put; None, which is logged once, if it is missing or damaged."""
        try:
            if (
                is_file_name(name)
                and (data := await self._run_blocking(self._read, name)) is not None
            ):
                return data
        except OSError as err:
            _LOGGER.debug("A torrent file cannot be read: %s", err.strerror)
        if name not in self._missed:
            self._missed.add(name)
            _LOGGER.warning("A stored torrent file is lost; its magnet link is used in its place")
        return None

    async def discard(self, names: Collection[str]) -> None:
        """Remove files that no job refers to any more; one that cannot be removed stays."""
        if not names:
            return
        async with self._working:
            free = [name for name in names if is_file_name(name) and self._held[name] <= 0]
            await self._remove(free)

    async def keep_only(self, names: Collection[str]) -> None:
        """Remove all files but these: a process that was killed has left them."""
        async with self._working:
            try:
                left = (await self._run_blocking(self._folder.sizes)).keys() - {*names}
            except OSError as err:
                _LOGGER.debug("The torrent files cannot be listed: %s", err.strerror)
                return
            await self._remove([name for name in left if self._held[name] <= 0])

    async def _remove(self, names: Collection[str]) -> None:
        for name in names:
            del self._held[name]
        try:
            if names:
                await self._run_blocking(self._folder.remove, names)
        except OSError as err:
            _LOGGER.debug("Torrent files stay until the next start: %s", err.strerror)

    def _write(self, name: str, data: bytes) -> None:
        others = sum(size for one, size in self._folder.sizes().items() if one != name)
        if others + len(data) > MOST_BYTES:
            raise StorageError("no room for more torrent files; those that wait take 512 MiB")
        self._folder.write(name, data)
        if self._read(name) is None:
            raise StorageError("a torrent file is not read as it was written")

    def _read(self, name: str) -> bytes | None:
        data = self._folder.read(name)
        is_whole = data is not None and hashlib.sha256(data).hexdigest() == name
        return data if is_whole else None
