"""ICMP echoes: one small typed wrapper around icmplib, which is untyped."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Protocol

import icmplib

from .errors import PingNotPermittedError

ECHOES = 3
"""Echoes to each target in a round (INTERFACE section 3)."""
ECHO_GAP_SECONDS = 0.1
ECHO_SECONDS = 1.2
"""Wait for one answer; far longer than a tunnel takes, and short enough for ROUND_SECONDS."""
_PROBE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Echoes:
    """What came back of the echoes to one target: round-trip times in ms, of `sent` echoes."""

    sent: int
    round_trips: tuple[float, ...]

    @property
    def answered(self) -> bool:
        """Judge by answers, never by loss: without a route icmplib reports none sent, none lost."""
        return bool(self.round_trips)


class Ping(Protocol):
    """Send the echoes of one round to one target; raises PingNotPermittedError."""

    async def __call__(self, target: str) -> Echoes:
        """Return what came back; an unknown name is no answer."""


class IcmpPing:
    """Echoes through a privileged socket where allowed, else through an unprivileged one."""

    def __init__(self) -> None:
        """Find out at the first echo which kind of socket is allowed."""
        self._privileged: bool | None = None

    async def __call__(self, target: str) -> Echoes:
        """Send ECHOES, ECHO_GAP_SECONDS apart, each waiting ECHO_SECONDS for its answer."""
        privileged = await self.kind()
        try:
            address = (await icmplib.async_resolve(target))[0]
        except icmplib.ICMPLibError, OSError, UnicodeError:
            return Echoes(0, ())
        waits = (
            _one(address, privileged=privileged, delay=number * ECHO_GAP_SECONDS)
            for number in range(ECHOES)
        )
        found = [trip for trip in await all_of(waits) if trip is not None]
        return Echoes(ECHOES, tuple(found))

    async def kind(self) -> bool:
        """Tell whether sockets are privileged; raises PingNotPermittedError if none is allowed."""
        if self._privileged is None:
            self._privileged = await _allowed_kind()
        return self._privileged


async def all_of[T](waits: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for all at once; only when none is left behind, raise the first error."""
    results = await asyncio.gather(*waits, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


async def _allowed_kind() -> bool:
    for privileged in (True, False):
        try:
            await icmplib.async_ping(_PROBE, count=0, timeout=0, privileged=privileged)
        except icmplib.ICMPLibError:  # not permitted, or a kernel without this kind of socket
            continue
        return privileged
    raise PingNotPermittedError("no ICMP socket is permitted on this host")


async def _one(address: str, *, privileged: bool, delay: float) -> float | None:
    """Send one echo and return its round-trip time in ms, or None without an answer."""
    await asyncio.sleep(delay)
    try:
        host = await icmplib.async_ping(
            address, count=1, timeout=ECHO_SECONDS, privileged=privileged
        )
    except icmplib.SocketPermissionError as err:
        raise PingNotPermittedError("no ICMP socket is permitted on this host") from err
    except icmplib.ICMPLibError, OSError:
        return None
    return float(host.avg_rtt) if host.packets_received else None
