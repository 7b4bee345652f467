"""Which probe asks a target, and how a connection counts."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack
import errno
from pathlib import Path
import socket
import time

import pytest

from custom_components.qbittorrent_resilient.core.errors import PingNotPermittedError
from custom_components.qbittorrent_resilient.core.health import look_up, tcp as module
from custom_components.qbittorrent_resilient.core.health.probe import Echoes, NoAnswer, TargetProbe
from custom_components.qbittorrent_resilient.core.health.tcp import TcpConnect


class Listener:
    """A TCP port that completes connections and notes what it is sent."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.received = b""
        self.closed = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.received += await reader.read()
        self.closed += 1
        writer.close()


@pytest.fixture
async def listener() -> AsyncGenerator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener, "127.0.0.1")
    listener.port = server.sockets[0].getsockname()[1]
    yield listener
    server.close()


async def eventually_closed(listener: Listener) -> None:
    async with asyncio.timeout(30):
        while listener.closed < listener.connections or not listener.connections:
            await asyncio.sleep(0.01)


async def test_completed(listener: Listener) -> None:
    """One connection a round; nothing is sent, and it is closed at once."""
    echoes = await TcpConnect()("127.0.0.1", listener.port)
    assert echoes.answered
    assert echoes.no_answer is None
    assert echoes.sent == len(echoes.round_trips) == 1
    assert 0 < echoes.round_trips[0] < 1200
    await eventually_closed(listener)
    assert (listener.connections, listener.received) == (1, b"")


async def test_by_name(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def known(name: str) -> str:
        asked.append(name)
        return "127.0.0.1"

    monkeypatch.setattr(look_up, "_look_up", known)
    assert (await TcpConnect()("far.example", listener.port)).answered
    assert asked == ["far.example"]


async def test_refused(listener: Listener) -> None:
    """A firewall on this side may refuse as well, so that is no answer."""
    with socket.socket() as bound:  # bound, and not listening
        bound.bind(("127.0.0.1", 0))
        echoes = await TcpConnect()("127.0.0.1", bound.getsockname()[1])
    assert echoes == Echoes(1, (), NoAnswer.REFUSED)
    assert not echoes.answered


async def test_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_up, "_look_up", lambda name: None)
    echoes = await TcpConnect()("missing.example", 53)
    assert echoes == Echoes(0, (), NoAnswer.NOT_RESOLVED)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (errno.ENETUNREACH, NoAnswer.UNREACHABLE),
        (errno.EHOSTUNREACH, NoAnswer.UNREACHABLE),
        (errno.EADDRNOTAVAIL, NoAnswer.UNREACHABLE),
        (errno.ECONNRESET, NoAnswer.REFUSED),
    ],
)
async def test_no_way(code: int, fault: NoAnswer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: code)
    assert await TcpConnect()("127.0.0.1", 53) == Echoes(1, (), fault)


@pytest.fixture
def full() -> Generator[int]:
    """Return a port whose queue of connections is full, so that the kernel drops what comes."""
    with ExitStack() as stack:
        bound = stack.enter_context(socket.socket())
        bound.bind(("127.0.0.1", 0))
        bound.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(bound.getsockname())
        yield bound.getsockname()[1]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_silent(full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is not completed in time is given up, and its socket closed."""
    monkeypatch.setattr(module, "ECHO_SECONDS", 0.05)
    before = descriptors()
    echoes = await TcpConnect()("127.0.0.1", full)
    assert (echoes, echoes.no_answer) == (Echoes(1, ()), NoAnswer.SILENT)
    assert descriptors() == before


async def test_cancelled(full: int) -> None:
    before = descriptors()
    connecting = asyncio.create_task(TcpConnect()("127.0.0.1", full))
    while descriptors() == before:
        await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert descriptors() == before


async def test_held_up_loop_loses_no_answer(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection was made in time, though the loop notices late."""
    monkeypatch.setattr(module, "ECHO_SECONDS", 0.2)
    connecting = asyncio.create_task(TcpConnect()("127.0.0.1", listener.port))
    for _ in range(3):
        await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251
    assert (await connecting).answered


async def test_ipv6_place() -> None:
    assert module._place("fd00::1", 53) == ("fd00::1", 53)
    assert module._place("fe80::1%7", 53) == ("fe80::1", 53, 0, 7)
    assert await TcpConnect()("fe80::1%missing9", 53) == Echoes(1, (), NoAnswer.UNREACHABLE)


async def test_dispatch() -> None:
    """A port makes it TCP; ICMP is not even looked at, as it may not be permitted."""
    asked: list[tuple[str, int | None]] = []

    async def icmp(target: str) -> Echoes:
        asked.append((target, None))
        raise PingNotPermittedError("no")

    async def tcp(host: str, port: int) -> Echoes:
        asked.append((host, port))
        return Echoes(1, (1.0,))

    probe = TargetProbe(icmp, tcp)
    assert (await probe("Far.example:53")).answered
    assert (await probe("[FD00::1]:53")).answered
    with pytest.raises(PingNotPermittedError):
        await probe("fd00::1")
    assert asked == [("far.example", 53), ("fd00::1", 53), ("fd00::1", None)]
    assert await probe("not a target") == Echoes(0, (), NoAnswer.NOT_RESOLVED)
    assert len(asked) == 3
