"""Run a program that finds more names in /etc/hosts than others do: no name server is needed.

Used as a script: private_hosts.py FILE COMMAND [ARGUMENT ...]
"""

import ctypes
import os
from pathlib import Path
import sys

MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
HOSTS = Path("/etc/hosts")


def mount(source: Path, target: Path, flags: int) -> None:
    """Mount a file or folder, or raise OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(str(source).encode(), str(target).encode(), None, flags, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main(file: Path, command: list[str]) -> None:
    """Become the program, with the file in the place of /etc/hosts."""
    os.unshare(os.CLONE_NEWNS)
    mount(Path("none"), Path("/"), MS_REC | MS_PRIVATE)
    mount(file, HOSTS, MS_BIND)
    os.execvp(command[0], command)


def wrapper(file: Path) -> list[str]:
    """Return the command that runs the one at its end so."""
    return [sys.executable, "-I", "-S", str(Path(__file__)), str(file)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
