"""The folder of torrent files on disk: its owner's alone, and there only while it holds any."""

from collections.abc import Iterable, Mapping
import contextlib
import errno
import os
from pathlib import Path
import stat
from typing import override

from ..torrent_file import MAX_TORRENT_BYTES
from .files import clear_way, sync_folder
from .torrent_files import Folder

_ENDING = ".torrent"
_UNFINISHED = ".new"


class TorrentFolder(Folder):
    """Torrent files in one folder, each written whole or not at all."""

    def __init__(self, path: str | Path) -> None:
        """Use this folder, which need not be there."""
        self.path = Path(path)

    @override
    def write(self, name: str, data: bytes) -> None:
        """Write a file, or replace it, so that it survives a loss of power; raises OSError."""
        if not self.path.is_dir():
            clear_way(self.path, for_folder=True)
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._file(name)
        unfinished = file.with_name(f"{file.name}{_UNFINISHED}")
        if os.path.lexists(unfinished):  # a kill has left it; it may have other rights, or names
            unfinished.unlink()
        try:
            _write_new(unfinished, data)
            unfinished.rename(file)
        except OSError:
            unfinished.unlink(missing_ok=True)  # a full disk needs the room
            raise
        sync_folder(self.path)
        sync_folder(self.path.parent)

    @override
    def read(self, name: str) -> bytes | None:
        """Return what a file holds, or None where there is none; raises OSError."""
        try:
            descriptor = os.open(self._file(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a pipe would be waited for
                raise OSError(errno.EINVAL, "no file is in its place")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(MAX_TORRENT_BYTES + 1)
        finally:
            os.close(descriptor)

    @override
    def remove(self, names: Iterable[str]) -> None:
        """Remove files, as far as they are there, and then an empty folder; raises OSError."""
        for name in names:
            self._file(name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not empty, or there is none
            self.path.rmdir()

    @override
    def sizes(self) -> Mapping[str, int]:
        """Return the size of each file, in bytes; raises OSError."""
        found: dict[str, int] = {}
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for one in self.path.iterdir():
                what = one.lstat()
                if stat.S_ISREG(what.st_mode):
                    found[one.name.removesuffix(_ENDING)] = what.st_size
        return found

    def _file(self, name: str) -> Path:
        """Return where a file is; one that was not finished goes by its whole name."""
        return self.path / (name if name.endswith(_UNFINISHED) else f"{name}{_ENDING}")


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, for its owner only, and sync it; raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        written = 0
        while written < len(data):
            written += os.pwrite(descriptor, memoryview(data)[written:], written)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
