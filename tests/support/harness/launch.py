"""Run a program that dies with its parent, in a network namespace if one is given.

Used as a script: launch.py PARENT_PID NAMESPACE COMMAND [ARGUMENT ...]
PARENT_PID 0 lets the program outlive its parent; NAMESPACE "" keeps the present one.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent is gone, also if that was just now."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def enter(namespace: str) -> None:
    """Move this process into the network namespace at a path."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    os.setns(descriptor, os.CLONE_NEWNET)
    os.close(descriptor)


def main(parent: int, namespace: str, command: list[str]) -> None:
    """Become the program."""
    if parent:
        die_with(parent)
    if namespace:
        enter(namespace)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
