"""What all files have in common: names in a folder, one put aside, work that blocks."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
import errno
import filecmp
import glob
import os
from pathlib import Path
import shutil
import stat
from typing import Protocol

_MARK = ".corrupt."
_SEEN_MARK = ".confirmed."


class RunBlocking(Protocol):
    """Runs work that blocks in another thread, as `HomeAssistant.async_add_executor_job` does."""

    def __call__[*Args, T](self, job: Callable[[*Args], T], /, *args: *Args) -> Awaitable[T]:
        """Return what the job returns."""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as err:
        if err.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network shares cannot sync it
            raise
    finally:
        os.close(descriptor)


def quarantine(path: Path) -> Path | None:
    """Rename a file that cannot be understood, so that nothing overwrites it; raises OSError.

    Return the new name, or None where there is no file.
    """
    name = quarantine_name(path)
    try:
        path.rename(name)
    except FileNotFoundError:
        return None
    return name


def clear_way(path: Path, *, for_folder: bool = False) -> Path | None:
    """Rename what is no file in the place of one (a folder, a socket, a link to nowhere).

    Nothing could be read or written there, at no start. Return the new name, or None where there is
    a file, or nothing. Raises OSError.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = 0
        if not path.is_symlink():
            return None
    except OSError as err:
        if err.errno != errno.ELOOP:
            raise
        mode = 0
    is_right = stat.S_ISDIR(mode) if for_folder else stat.S_ISREG(mode)
    return None if is_right else quarantine(path)


def quarantine_copy(path: Path) -> Path | None:
    """Keep what a damaged file holds, while the file stays until it is replaced; raises OSError.

    Return the name of the copy, or None where there is no file. There is one copy, however often
    the file is read until then.
    """
    if not path.exists():
        return None
    for earlier in path.parent.glob(f"{glob.escape(path.name)}{_MARK}*"):
        if filecmp.cmp(path, earlier, shallow=False):
            return earlier
    name = quarantine_name(path)
    try:
        name.hardlink_to(path)
    except OSError:  # some file systems have no links
        _copy(path, name)
    sync_folder(path.parent)
    return name


def _copy(path: Path, name: Path) -> None:
    """Copy a file, for its owner only; of a copy that breaks off, nothing is left."""
    with path.open("rb") as source:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
        except OSError:
            name.unlink(missing_ok=True)
            raise


def unconfirmed(path: Path) -> list[Path]:
    """Return what was set aside of this file and not confirmed yet, in the order of the names.

    What is told may be forgotten: Home Assistant writes its repairs some seconds later, and may be
    killed before. So a file is told at each start until the user has confirmed it.
    """
    found = path.parent.glob(f"{glob.escape(path.name)}{_MARK}*")
    return sorted(one for one in found if one.lstat().st_mode & stat.S_IWUSR)


def confirm(path: Path) -> None:
    """Note at a file that was set aside that the user knows of it; raises OSError."""
    if _MARK not in path.name:
        return
    if path.is_symlink():  # which has no mode of its own
        path.rename(path.with_name(path.name.replace(_MARK, _SEEN_MARK)))
    else:
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))


def quarantine_name(path: Path) -> Path:
    """Return a name that no file has yet: `….corrupt.<time>`."""
    name = f"{path}{_MARK}{datetime.now(UTC).isoformat()}"
    while os.path.lexists(name):
        name += "_"
    return Path(name)
