"""Targets given by name: whatever the resolver does, the loop goes on and no other target waits."""

import asyncio
from collections.abc import Generator
import socket
import threading
import time
from typing import Any

import icmplib
import pytest

from custom_components.qbittorrent_resilient.core.errors import PingNotPermittedError
from custom_components.qbittorrent_resilient.core.health import look_up, ping as module
from custom_components.qbittorrent_resilient.core.health.ping import IcmpPing
from custom_components.qbittorrent_resilient.core.health.probe import (
    ROUND_SECONDS,
    Echoes,
    NoAnswer,
)
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from tests.support.common import eventually

NAME = "far.example"


class Resolver:
    """The system's resolver, which blocks its thread; `silent` lets it answer only later."""

    def __init__(self) -> None:
        self.addresses: dict[socket.AddressFamily, str] = {}
        self.speaks = threading.Event()
        self.speaks.set()
        self.asked = self.blocked = 0

    def __call__(self, host: str, port: Any, family: Any = 0, *more: Any, **named: Any) -> Any:
        if host != NAME:
            return _look_up(host, port, family, *more, **named)
        self.asked += 1
        self.blocked += 1
        self.speaks.wait(20)
        self.blocked -= 1
        if family not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(family, socket.SOCK_DGRAM, 0, "", (self.addresses[family], 0))]


_look_up = socket.getaddrinfo


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Generator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    yield resolver
    resolver.speaks.set()


@pytest.fixture
async def ping(resolver: Resolver) -> IcmpPing:
    ping = IcmpPing()
    try:
        await ping.kind()
    except PingNotPermittedError as err:
        pytest.skip(str(err))
    return ping


async def test_name_is_lost_and_found(ping: IcmpPing, resolver: Resolver) -> None:
    """An unknown name counts as silence, round by round."""
    monitor = VpnMonitor([NAME], ping)
    resolver.addresses[socket.AF_INET] = "127.0.0.1"
    assert (await monitor.round()).state is VpnState.ON
    resolver.addresses.clear()
    verdicts = [(await monitor.round()).state for _ in range(3)]
    assert verdicts == [VpnState.ON, VpnState.ON, VpnState.OFF]
    assert (monitor.reading.latency, monitor.reading.loss) == (None, None)
    resolver.addresses[socket.AF_INET] = "127.0.0.1"
    verdicts = [(await monitor.round()).state for _ in range(2)]
    assert verdicts == [VpnState.OFF, VpnState.ON]


async def test_silent_resolver(
    ping: IcmpPing, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds up no other target, counts as silence, and holds one thread for as long."""
    monkeypatch.setattr(look_up, "LOOK_UP_SECONDS", 0.1)
    resolver.addresses[socket.AF_INET] = "127.0.0.1"
    resolver.speaks.clear()
    assert (await VpnMonitor([NAME, "127.0.0.1"], ping).round()).state is VpnState.ON
    monitor = VpnMonitor([NAME], ping)
    ticks = await ticks_during(monitor, 3)
    assert ticks > 10  # the loop went on
    assert monitor.state is VpnState.OFF
    assert resolver.asked == resolver.blocked == 1
    resolver.speaks.set()  # the answer that was late serves the next round
    assert [(await monitor.round()).state for _ in range(2)] == [VpnState.OFF, VpnState.ON]
    assert resolver.blocked == 0


async def ticks_during(monitor: VpnMonitor, rounds: int) -> int:
    """Do some rounds, and count how often the loop came round meanwhile."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    for _ in range(rounds):
        await monitor.round()
    ticking.cancel()
    return ticks


async def test_slow_resolver_takes_no_answer_away(
    ping: IcmpPing, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An echo that is lost is waited for only as long as the round lasts; the others count."""
    resolver.addresses[socket.AF_INET] = "127.0.0.1"
    resolver.speaks.clear()
    waited: list[float] = []
    real = module._round_trip

    async def second_is_lost(opened: Any, address: str, end: float) -> float | NoAnswer:
        waited.append(end)
        lost = len(waited) == 2
        return await real(opened, "192.0.2.1" if lost else address, end)

    monkeypatch.setattr(module, "_round_trip", second_is_lost)
    monkeypatch.setattr(icmplib.ICMPv4Socket, "send", _send_to_loopback)
    monkeypatch.setattr(look_up, "LOOK_UP_SECONDS", 60)
    begun = time.monotonic()
    asking = asyncio.create_task(ping(NAME))
    await eventually(lambda: resolver.blocked)
    looked_up = time.monotonic()
    resolver.speaks.set()
    echoes = await asking
    assert len(echoes.round_trips) == 2
    (end,) = set(waited)
    assert begun <= end - ROUND_SECONDS <= looked_up


_send = icmplib.ICMPv4Socket.send


def _send_to_loopback(opened: Any, request: Any) -> None:
    if request.destination == "127.0.0.1":
        _send(opened, request)


async def test_ipv6_only(ping: IcmpPing, resolver: Resolver) -> None:
    resolver.addresses[socket.AF_INET6] = "::1"
    echoes = await ping(NAME)
    if not _has_ipv6():
        assert echoes == Echoes(3, ())
        pytest.skip("no IPv6 on this machine")
    assert len(echoes.round_trips) == 3


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_address_changes(ping: IcmpPing, resolver: Resolver) -> None:
    """The name is looked up for each round: a new address counts at once."""
    resolver.addresses[socket.AF_INET] = "127.255.255.255"  # nobody answers there
    assert not (await ping(NAME)).answered
    resolver.addresses[socket.AF_INET] = "127.0.0.2"
    assert (await ping(NAME)).answered
    resolver.addresses[socket.AF_INET] = "127.255.255.255"
    assert not (await ping(NAME)).answered


async def test_addresses_need_no_resolver(ping: IcmpPing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one of its threads, which others may hold."""

    def refused(name: str) -> str:
        raise AssertionError(name)

    monkeypatch.setattr(look_up, "_look_up", refused)
    assert (await ping("127.0.0.1")).answered
