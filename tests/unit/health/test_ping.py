"""Echoes: which sockets are used, and that only answers count."""

import _socket
import asyncio
import errno
import socket
from typing import Any

import icmplib.sockets
import pytest

from custom_components.qbittorrent_resilient.core.errors import PingNotPermittedError
from custom_components.qbittorrent_resilient.core.health import ping as module
from custom_components.qbittorrent_resilient.core.health.ping import IcmpPing
from custom_components.qbittorrent_resilient.core.health.probe import Echoes, NoAnswer

RAW, DGRAM = socket.SOCK_RAW, socket.SOCK_DGRAM


class Kernel:
    """The `socket` module as icmplib sees it: refuses kinds of sockets, and answers echoes."""

    def __init__(self) -> None:
        self.refused: dict[int, int] = {}
        self.opened: list[int] = []
        self.send_error: int | None = None
        self.silent = False
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def socket(self, family: int, type: int, proto: int) -> Any:  # noqa: A002
        assert (family, proto) == (socket.AF_INET, socket.IPPROTO_ICMP)
        if type in self.refused:
            raise OSError(self.refused[type], "refused")
        self.opened.append(type)
        return _Socket(self, type)


class _Socket(socket.socket):
    """A UDP socket that gets an echo reply for each echo that is sent with it."""

    def __init__(self, kernel: Kernel, kind: int) -> None:
        super().__init__(socket.AF_INET, DGRAM)
        self.bind(("127.0.0.1", 0))
        self.kernel, self.kind = kernel, kind

    def sendto(self, packet: Any, address: Any) -> int:  # type: ignore[override]
        if self.kernel.send_error is not None:
            raise OSError(self.kernel.send_error, "not sent")
        self.kernel.sent += 1
        if self.kernel.silent:
            return len(packet)
        own = self.getsockname()
        if self.kind == RAW:
            reply = b"\x45" + bytes(19) + b"\0" + packet[1:]
        else:  # the kernel sets the identifier
            reply = b"\0" + packet[1:4] + own[1].to_bytes(2) + packet[6:]
        return super().sendto(reply, own)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(icmplib.sockets, "socket", kernel)
    monkeypatch.setattr(module, "ECHO_GAP_SECONDS", 0.001)
    monkeypatch.setattr(module, "ECHO_SECONDS", 0.05)
    return kernel


@pytest.mark.parametrize(
    ("refused", "kind"), [({}, RAW), ({RAW: errno.EPERM}, DGRAM), ({RAW: errno.EACCES}, DGRAM)]
)
async def test_privileged_first(kernel: Kernel, refused: dict[int, int], kind: int) -> None:
    """What is allowed is found out once."""
    kernel.refused = refused
    ping = IcmpPing()
    assert await ping.kind() is (kind == RAW)
    assert await ping.kind() is (kind == RAW)
    assert kernel.opened == [kind]
    for _ in range(2):
        kernel.sent = 0
        echoes = await ping("127.0.0.1")
        assert (echoes.sent, len(echoes.round_trips), echoes.answered) == (3, 3, True)
        assert all(trip >= 0 for trip in echoes.round_trips)
        assert kernel.sent == 3
    assert kernel.opened == [kind] * 7


@pytest.mark.parametrize("dgram", [errno.EPERM, errno.EACCES, errno.EPROTONOSUPPORT, errno.EMFILE])
async def test_not_permitted(kernel: Kernel, dgram: int) -> None:
    """No socket at all is no verdict; it is tried again, as permission may come."""
    kernel.refused = {RAW: errno.EPERM, DGRAM: dgram}
    ping = IcmpPing()
    for _ in range(2):
        with pytest.raises(PingNotPermittedError):
            await ping("127.0.0.1")
    kernel.refused = {RAW: errno.EPERM}
    assert (await ping("127.0.0.1")).answered


async def test_permission_is_lost(kernel: Kernel) -> None:
    """The other kind of socket is tried at once; comes back when one is permitted again."""
    ping = IcmpPing()
    await ping.kind()
    kernel.refused = {RAW: errno.EPERM}
    assert (await ping("127.0.0.1")).answered
    kernel.refused = {RAW: errno.EPERM, DGRAM: errno.EACCES}
    for _ in range(2):
        with pytest.raises(PingNotPermittedError):
            await ping("127.0.0.1")
    kernel.refused = {DGRAM: errno.EACCES}
    assert (await ping("127.0.0.1")).answered
    assert asyncio.all_tasks() == {asyncio.current_task()}  # no echo is left behind


@pytest.mark.parametrize("error", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM])
async def test_no_route(kernel: Kernel, error: int) -> None:
    """icmplib then reports none sent and no loss."""
    kernel.send_error = error
    host = await icmplib.async_ping("127.0.0.1", count=1)
    assert (host.packets_sent, host.packet_loss) == (0, 0.0)
    echoes = await IcmpPing()("127.0.0.1")
    assert echoes.round_trips == ()
    assert not echoes.answered
    assert echoes.no_answer is NoAnswer.UNREACHABLE


async def test_silence(kernel: Kernel) -> None:
    kernel.silent = True
    assert await IcmpPing()("127.0.0.1") == Echoes(3, ())
    assert kernel.sent == 3


async def test_no_socket_left(kernel: Kernel) -> None:
    """That is no answer."""
    ping = IcmpPing()
    await ping.kind()
    kernel.refused = {RAW: errno.EMFILE}
    assert await ping("127.0.0.1") == Echoes(3, ())


@pytest.mark.parametrize("name", ["missing.example", f"{'a' * 64}.example", "a..b"])
async def test_unknown_name(kernel: Kernel, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, *given: Any, **named: Any) -> Any:
        if host == "missing.example":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return _socket.getaddrinfo(host, *given, **named)  # refuses before it asks anyone

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert await IcmpPing()(name) == Echoes(0, (), NoAnswer.NOT_RESOLVED)
    assert kernel.sent == 0


async def test_real_echo() -> None:
    ping = IcmpPing()
    try:
        await ping.kind()
    except PingNotPermittedError as err:
        pytest.skip(str(err))
    echoes = await ping("127.0.0.1")
    assert echoes.answered
    assert echoes.sent == 3
    assert all(trip > 0 for trip in echoes.round_trips)
