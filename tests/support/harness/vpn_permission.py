"""Takes the permission to open raw sockets away, and gives it back: the kernel's own refusal."""

from collections.abc import Iterator
import contextlib
import ctypes
import os
import socket

from .process import UnavailableError

CAP_NET_RAW = 13
VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Set(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def no_raw_sockets() -> Iterator[None]:
    """Let this thread open no ICMP socket meanwhile, or raise UnavailableError."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(VERSION_3, 0), (_Set * 2)()
    _check(libc.capget(ctypes.byref(header), sets))
    before = sets[0].effective
    sets[0].effective = before & ~(1 << CAP_NET_RAW)
    _check(libc.capset(ctypes.byref(header), sets))
    try:
        if not before & (1 << CAP_NET_RAW) or _datagrams_permitted():
            msg = "raw sockets are not permitted, or ICMP is permitted without them"
            raise UnavailableError(msg)
        yield
    finally:
        sets[0].effective = before
        _check(libc.capset(ctypes.byref(header), sets))


def _datagrams_permitted() -> bool:
    """Tell whether /proc/sys/net/ipv4/ping_group_range lets this process send echoes."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True
