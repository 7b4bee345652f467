"""TCP connections to the VPN's targets: only one that is completed counts as an answer.

A refusal may come from a gateway or a firewall on this side of the tunnel.
"""

import asyncio
import errno
from ipaddress import ip_address
import socket

from .look_up import NameLookUps
from .probe import ECHO_SECONDS, ROUND_SECONDS, Echoes, NoAnswer

_REFUSALS = (errno.ECONNREFUSED, errno.ECONNRESET)


class TcpConnect:
    """Makes one connection a round, sends nothing, and closes it."""

    def __init__(self, look_ups: NameLookUps | None = None) -> None:
        """Look up names through `look_ups`."""
        self._look_ups = look_ups or NameLookUps()

    async def __call__(self, host: str, port: int) -> Echoes:
        """Connect within ECHO_SECONDS; the round trip is how long that took, in ms."""
        end = asyncio.get_running_loop().time() + ROUND_SECONDS
        if (address := await self._look_ups.address(host)) is None:
            return Echoes(0, (), NoAnswer.NOT_RESOLVED)
        try:
            trip = await _connect(address, port, end)
        except OSError as err:
            refused = err.errno in _REFUSALS
            return Echoes(1, (), NoAnswer.REFUSED if refused else NoAnswer.UNREACHABLE)
        return Echoes(1, ()) if trip is None else Echoes(1, (trip,))


async def _connect(address: str, port: int, end: float) -> float | None:
    """Return how long a connection took in ms, or None if it was not made; raises OSError."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[float] = loop.create_future()

    def ready() -> None:
        if not made.done():
            made.set_result(1000 * (loop.time() - began))

    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as opened:
        opened.setblocking(False)
        began = loop.time()
        _raise_unless(opened.connect_ex(_place(address, port)), 0, errno.EINPROGRESS)
        # Not loop.sock_connect with asyncio.timeout, which would throw away what was made in time
        # where the loop was held up.
        loop.add_writer(opened, ready)
        try:
            await asyncio.wait((made,), timeout=max(0, min(ECHO_SECONDS, end - began)))
        finally:
            loop.remove_writer(opened)
        if made.done():
            _raise_unless(opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
    return made.result() if made.done() else None


def _raise_unless(code: int, *expected: int) -> None:
    if code not in expected:
        raise OSError(code, "no connection")


def _place(address: str, port: int) -> tuple[str | int, ...]:
    """Return a socket address; the interface of a link-local one goes by its number."""
    host, _, interface = address.partition("%")
    if not interface:
        return (host, port)
    number = int(interface) if interface.isdigit() else socket.if_nametoindex(interface)
    return (host, port, 0, number)
