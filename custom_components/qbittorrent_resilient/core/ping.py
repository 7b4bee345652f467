"""ICMP echoes: icmplib opens the sockets and sends, what comes back is judged here.

icmplib's own waiting is not used. It measures with the wall clock, so that a step of it loses
answers and makes round trips of hours, and it takes the reply of any host with the right number
for an answer: a raw socket sees what every process of this host gets.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
import secrets
import socket
from typing import Any, Protocol

import icmplib

from .errors import PingNotPermittedError

ECHOES = 3
"""Echoes to each target in a round."""
ECHO_GAP_SECONDS = 0.1
ECHO_SECONDS = 1.2
"""Wait for one answer; far longer than a tunnel takes, and short enough for ROUND_SECONDS."""
ROUND_SECONDS = 1.6
"""A round's bound: the echoes (1.4 s) and the look-up of a name.

Three silent rounds and the two pauses between them are 9 s; an outage must show within 10 s after
the check that meets it first.
"""
LOOK_UP_SECONDS = 1.0
"""For the address of a name; what is left of the round is enough for echoes (0.4 s each)."""
_PROBE = "127.0.0.1"
_PAYLOAD_BYTES = 56
"""As ping(8) sends; random, so that nobody who did not get the echo can answer it."""
_PACKET_BYTES = 2048
_HEADER_BYTES = 8
_REPLY = {4: b"\0\0", 6: b"\x81\0"}
"""Type and code of an answer, by IP version (RFC 792, RFC 4443)."""


@dataclass(frozen=True, slots=True)
class Echoes:
    """What came back of the echoes to one target: round-trip times in ms, of `sent` echoes."""

    sent: int
    round_trips: tuple[float, ...]

    @property
    def answered(self) -> bool:
        """Judge by answers, never by loss: of none sent none is lost."""
        return bool(self.round_trips)


class Ping(Protocol):
    """Send the echoes of one round to one target; raises PingNotPermittedError."""

    async def __call__(self, target: str) -> Echoes:
        """Return what came back within ROUND_SECONDS; an unknown name is no answer."""


class IcmpPing:
    """Echoes through a privileged socket where allowed, else through an unprivileged one."""

    def __init__(self) -> None:
        """Find out at the first echo which kind of socket is allowed."""
        self._privileged: bool | None = None
        self._look_ups: dict[str, asyncio.Future[str | None]] = {}

    async def __call__(self, target: str) -> Echoes:
        """Send ECHOES, ECHO_GAP_SECONDS apart, each waiting ECHO_SECONDS for its answer."""
        end = asyncio.get_running_loop().time() + ROUND_SECONDS
        await self.kind()
        if (address := await self._address(target)) is None:
            return Echoes(0, ())
        try:
            return await self._echoes(address, end)
        except PingNotPermittedError:
            self._privileged = None
        return await self._echoes(address, end)  # the other kind may still be allowed

    async def kind(self) -> bool:
        """Tell whether sockets are privileged; raises PingNotPermittedError if none is allowed."""
        if self._privileged is None:
            self._privileged = await _allowed_kind()
        return self._privileged

    async def _echoes(self, address: str, end: float) -> Echoes:
        privileged = await self.kind()
        waits = (
            _one(address, privileged=privileged, delay=number * ECHO_GAP_SECONDS, end=end)
            for number in range(ECHOES)
        )
        found = [trip for trip in await all_of(waits) if trip is not None]
        return Echoes(ECHOES, tuple(found))

    async def _address(self, target: str) -> str | None:
        """Return the address of a target, or None where none is known in time.

        A look-up cannot be given up: it holds a thread until the resolver has answered. So there is
        one for a name at a time, and an answer that came too late serves the next round.
        """
        if _is_address(target):
            return target
        if (look_up := self._look_ups.get(target)) is None:
            loop = asyncio.get_running_loop()
            look_up = loop.run_in_executor(None, _look_up, target)
            self._look_ups[target] = look_up
        await asyncio.wait((look_up,), timeout=LOOK_UP_SECONDS)
        if not look_up.done():
            return None
        self._look_ups.pop(target, None)
        return look_up.result()


async def all_of[T](waits: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for all at once; only when none is left behind, raise the first error."""
    results = await asyncio.gather(*waits, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _is_address(target: str) -> bool:
    try:
        ip_address(target)
    except ValueError:
        return False
    return True


def _look_up(name: str) -> str | None:
    """Return the first address of a name, IPv4 where it has one; blocks as long as it takes."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            found = socket.getaddrinfo(name, None, family, socket.SOCK_DGRAM)
        except OSError, UnicodeError:
            continue
        return str(found[0][4][0])
    return None


async def _allowed_kind() -> bool:
    for privileged in (True, False):
        try:
            await icmplib.async_ping(_PROBE, count=0, timeout=0, privileged=privileged)
        except icmplib.ICMPLibError:  # not permitted, or a kernel without this kind of socket
            continue
        return privileged
    raise PingNotPermittedError("no ICMP socket is permitted on this host")


async def _one(address: str, *, privileged: bool, delay: float, end: float) -> float | None:
    """Send one echo and return its round-trip time in ms, or None without an answer."""
    await asyncio.sleep(delay)
    kind = icmplib.ICMPv6Socket if ip_address(address).version == 6 else icmplib.ICMPv4Socket
    try:
        with kind(privileged=privileged) as opened:
            return await _round_trip(opened, address, end)
    except icmplib.SocketPermissionError as err:
        raise PingNotPermittedError("no ICMP socket is permitted on this host") from err
    except icmplib.ICMPLibError, OSError:
        return None


async def _round_trip(opened: Any, address: str, end: float) -> float | None:
    """Send one echo through an icmplib socket and wait for its answer, by the steady clock."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[float] = loop.create_future()
    payload = secrets.token_bytes(_PAYLOAD_BYTES)
    number = secrets.randbits(16)

    def receive() -> None:
        try:
            packet, source = opened.sock.recvfrom(_PACKET_BYTES)
        except OSError:  # the noise of others; what comes of ours, comes as a packet
            return
        if not answer.done() and _answers(packet, source[0], address, payload):
            answer.set_result(1000 * (loop.time() - sent_at))

    opened.blocking = False
    descriptor = opened.sock.fileno()
    sent_at = loop.time()
    opened.send(icmplib.ICMPRequest(address, number, number, payload))
    loop.add_reader(descriptor, receive)
    try:
        # Not asyncio.timeout: after the loop was held up, that one throws an answer away.
        await asyncio.wait((answer,), timeout=max(0, min(ECHO_SECONDS, end - sent_at)))
    finally:
        loop.remove_reader(descriptor)
    return answer.result() if answer.done() else None


def _answers(packet: bytes, source: str, address: str, payload: bytes) -> bool:
    """Tell whether a packet is what `address` answers to the echo with this payload."""
    target = ip_address(address.partition("%")[0])  # without the interface of a link-local one
    if packet[:1] and packet[0] >> 4 == 4:  # an IP header, which only raw sockets of IPv4 show
        packet = packet[4 * (packet[0] & 0xF) :]
    return (
        ip_address(source) == target
        and packet[:2] == _REPLY[target.version]
        and packet[_HEADER_BYTES:] == payload
    )
