"""Looks up the names of VPN targets, so that a silent resolver holds up nothing."""

import asyncio
from ipaddress import ip_address
import socket

LOOK_UP_SECONDS = 1.0
"""Time limit of a name's look-up; the rest of the round is enough for echoes (0.4 s each)."""


class NameLookUps:
    """One look-up at a time for each name.

    A look-up cannot be cancelled: it holds a thread until the resolver has answered. An answer that
    is late serves the next round.
    """

    def __init__(self) -> None:
        """Begin without a look-up."""
        self._under_way: dict[str, asyncio.Future[str | None]] = {}

    async def address(self, host: str) -> str | None:
        """Return the address of a host, IPv4 if it has that; None if it is not known in time."""
        if is_address(host):
            return host
        if (look_up := self._under_way.get(host)) is None:
            loop = asyncio.get_running_loop()
            look_up = loop.run_in_executor(None, _look_up, host)
            self._under_way[host] = look_up
        await asyncio.wait((look_up,), timeout=LOOK_UP_SECONDS)
        if not look_up.done():
            return None
        self._under_way.pop(host, None)
        return look_up.result()


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address, which needs no look-up."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(name: str) -> str | None:
    """Return the first address of a name, IPv4 if it has that; blocks until it is looked up."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            addresses = socket.getaddrinfo(name, None, family, socket.SOCK_DGRAM)
        except OSError, UnicodeError:
            continue
        return str(addresses[0][4][0])
    return None
