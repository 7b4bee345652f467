"""Looks at each address before it is connected to, which a look-up of the name cannot replace.

A name may lead elsewhere a moment later. So the addresses are judged that the sockets are made for.
"""

import errno
import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from ..qbittorrent.interim import end_floods
from .addresses import Reach, reach_of

type AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]


class Guard:
    """Judges the addresses on the way of one link: what led outside does not lead inside again."""

    def __init__(self) -> None:
        """Begin before the first host."""
        self.refused = False
        """Whether an address was refused at the present host."""
        self._came_from_outside = False
        self._is_outside = False

    def next_host(self) -> None:
        """Go on to the host that a redirect leads to."""
        self._came_from_outside |= self._is_outside
        self.refused = self._is_outside = False

    def admits(self, host: str, *, by_proxy: bool = False) -> bool:
        """Tell whether a host may be asked; a name is judged by its addresses, later.

        A proxy looks names up itself, so that one counts as outside then.
        """
        reach = reach_of(host)
        if reach is None:
            self._is_outside |= by_proxy
            return True
        self._is_outside |= reach is Reach.OUTSIDE
        if reach is Reach.NEVER or (reach is Reach.INSIDE and self._came_from_outside):
            self.refused = True
        return not self.refused

    def make_socket(self, info: AddressInfo) -> socket.socket:
        """Return a socket to connect to this address; raises OSError if it may not be asked."""
        family, kind, protocol, _, address = info
        if not self.admits(address[0]):
            raise OSError(errno.EACCES, "this address is not asked")
        return socket.socket(family, kind, protocol)


def guarded_connector(
    guard: Guard, resolver: AbstractResolver, *, by_proxy: bool
) -> aiohttp.TCPConnector:
    """Return a connector for one link; the address of a proxy of the user's is not judged."""
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        force_close=True,
        socket_factory=None if by_proxy else guard.make_socket,
    )
    end_floods(connector)
    return connector
