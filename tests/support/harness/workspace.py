"""Temporary folders that are removed even if their owner was killed."""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil
import tempfile

PREFIX = "qbittorrent-resilient-"
LOCK = ".lock"


def _remove_if_stale(folder: Path) -> None:
    """Remove a folder whose owner is gone: a live owner holds its lock."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def remove_stale() -> None:
    """Remove what earlier owners left behind when they were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
            _remove_if_stale(folder)


@contextmanager
def workspace(purpose: str) -> Iterator[Path]:
    """Give a private folder that goes away at the end."""
    remove_stale()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
