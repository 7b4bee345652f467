"""ICMP echoes: icmplib opens the sockets and sends; replies are received and judged here.

icmplib's own waiting is not used. It measures with the wall clock, so that a step of the clock
loses answers and makes round trips of hours. And it accepts the reply of any host with the right
number, although a raw socket sees the replies to every process of this host.
"""

import asyncio
from ipaddress import ip_address
import secrets
from typing import Any

import icmplib

from ..errors import PingNotPermittedError
from .look_up import NameLookUps
from .probe import ECHO_SECONDS, ROUND_SECONDS, Echoes, NoAnswer, all_of

ECHOES = 3
"""Echoes to each target in a round."""
ECHO_GAP_SECONDS = 0.1
_PROBE = "127.0.0.1"
_PAYLOAD_BYTES = 56
"""As many as ping(8) sends; random, so that only a host that got the echo can answer it."""
_PACKET_BYTES = 2048
_HEADER_BYTES = 8
_REPLY = {4: b"\0\0", 6: b"\x81\0"}
"""Type and code of an answer, by IP version (RFC 792, RFC 4443)."""


class IcmpPing:
    """Echoes through a privileged socket where allowed, else through an unprivileged one."""

    def __init__(self, look_ups: NameLookUps | None = None) -> None:
        """Find out at the first echo which kind of socket is allowed."""
        self._privileged: bool | None = None
        self._look_ups = look_ups or NameLookUps()

    async def __call__(self, target: str) -> Echoes:
        """Send ECHOES, ECHO_GAP_SECONDS apart, each waiting ECHO_SECONDS for its answer."""
        end = asyncio.get_running_loop().time() + ROUND_SECONDS
        await self.kind()
        if (address := await self._look_ups.address(target)) is None:
            return Echoes(0, (), NoAnswer.NOT_RESOLVED)
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
            _echo(address, privileged=privileged, delay=number * ECHO_GAP_SECONDS, end=end)
            for number in range(ECHOES)
        )
        answers = await all_of(waits)
        nowhere = all(answer is NoAnswer.UNREACHABLE for answer in answers)
        return Echoes(
            ECHOES,
            tuple(answer for answer in answers if not isinstance(answer, NoAnswer)),
            NoAnswer.UNREACHABLE if nowhere else None,
        )


async def _allowed_kind() -> bool:
    for privileged in (True, False):
        try:
            await icmplib.async_ping(_PROBE, count=0, timeout=0, privileged=privileged)
        except icmplib.ICMPLibError:  # not permitted, or a kernel without this kind of socket
            continue
        return privileged
    raise PingNotPermittedError("no ICMP socket is permitted on this host")


async def _echo(address: str, *, privileged: bool, delay: float, end: float) -> float | NoAnswer:
    """Send one echo and return its round-trip time in ms, or why there is no answer."""
    await asyncio.sleep(delay)
    socket_type = icmplib.ICMPv6Socket if ip_address(address).version == 6 else icmplib.ICMPv4Socket
    try:
        with socket_type(privileged=privileged) as opened:
            return await _round_trip(opened, address, end)
    except icmplib.SocketPermissionError as err:
        raise PingNotPermittedError("no ICMP socket is permitted on this host") from err
    except icmplib.ICMPLibError, OSError:
        return NoAnswer.SILENT


async def _round_trip(opened: Any, address: str, end: float) -> float | NoAnswer:
    """Send one echo through an icmplib socket and wait for its answer, by the steady clock."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[float] = loop.create_future()
    payload = secrets.token_bytes(_PAYLOAD_BYTES)
    number = secrets.randbits(16)

    def receive() -> None:
        try:
            packet, source = opened.sock.recvfrom(_PACKET_BYTES)
        except OSError:  # errors of other sockets; our reply arrives as a packet
            return
        if not answer.done() and _answers(packet, source[0], address, payload):
            answer.set_result(1000 * (loop.time() - sent_at))

    opened.blocking = False
    descriptor = opened.sock.fileno()
    sent_at = loop.time()
    try:
        opened.send(icmplib.ICMPRequest(address, number, number, payload))
    except icmplib.ICMPLibError:  # no route, or the interface is gone
        return NoAnswer.UNREACHABLE
    loop.add_reader(descriptor, receive)
    try:
        # Not asyncio.timeout, which throws an answer away after the loop was held up.
        await asyncio.wait((answer,), timeout=max(0, min(ECHO_SECONDS, end - sent_at)))
    finally:
        loop.remove_reader(descriptor)
    return answer.result() if answer.done() else NoAnswer.SILENT


def _answers(packet: bytes, source: str, address: str, payload: bytes) -> bool:
    """Tell whether a packet is the answer of `address` to the echo with this payload."""
    target = ip_address(address.partition("%")[0])  # without the interface of a link-local address
    if packet[:1] and packet[0] >> 4 == 4:  # an IP header, which only raw sockets of IPv4 show
        packet = packet[4 * (packet[0] & 0xF) :]
    return (
        ip_address(source) == target
        and packet[:2] == _REPLY[target.version]
        and packet[_HEADER_BYTES:] == payload
    )
