"""A disk that fails, or a process that dies, at any step of what is done to the files of a folder.

A step is a call of the operating system that changes something or makes it last. Python's own
writing into a buffered file is none; what it wrote counts only once the file is synced and renamed.
"""

from collections.abc import Callable, Iterator
import contextlib
import errno
import functools
from importlib import import_module
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError

from custom_components.qbittorrent_resilient.core.outbox import journal

STEPS = ("open", "pwrite", "fsync", "ftruncate", "rename", "unlink")
KINDS = ("before", "after", "half", "error", "late error")
"""Killed before or after the step, or half-way; or an error, without or with its effect."""


ATOMIC_WRITES = import_module("atomicwrites")
"""What a Store writes with; it keeps `os.fsync` under a name of its own."""


@contextlib.contextmanager
def disk_full() -> Iterator[None]:
    """Leave no room for the queue: neither for its file nor in its journal."""
    no_space = OSError(errno.ENOSPC, "No space left on device")
    with (
        patch.object(Store, "_async_write_data", side_effect=WriteError("disk full")),
        patch.object(journal, "_write_checked", side_effect=no_space),
    ):
        yield


class KilledError(BaseException):
    """What the dead get who still try to change something."""


class Disk:
    """Counts the steps; the one with the number `at` goes wrong."""

    def __init__(self, folder: Path, *, at: int | None = None, kind: str = "before") -> None:
        self.folder = str(folder)
        self.at = at
        self.kind = kind
        self.steps: list[str] = []
        self.dead = False

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for name in STEPS:
                real = getattr(os, name)
                step = functools.partial(self._step, name, real)
                stack.enter_context(patch.object(os, name, step))
                if name == "fsync":
                    stack.enter_context(patch.object(ATOMIC_WRITES, "_proper_fsync", step))
            yield

    def _step(self, name: str, real: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if not self._is_meant(args[0]):
            return real(*args, **options)
        if name == "open" and not args[1] & os.O_CREAT:
            return real(*args, **options)
        if self.dead:
            raise KilledError
        self.steps.append(name)
        if len(self.steps) - 1 != self.at:
            return real(*args, **options)
        if self.kind == "half" and name == "pwrite":
            real(args[0], bytes(args[1])[: len(args[1]) // 2], args[2])
        if self.kind in ("after", "late error"):
            real(*args, **options)
        if "error" in self.kind:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.dead = True
        raise KilledError

    def _is_meant(self, file: Any) -> bool:
        path = Path(f"/proc/self/fd/{file}").readlink() if isinstance(file, int) else file
        return os.fspath(path).startswith(self.folder)
