"""What a raw socket hears besides its own answers: real packets, made up by another thread."""

import asyncio
from collections.abc import Iterator
import contextlib
import secrets
import socket
import threading

import pytest

from custom_components.qbittorrent_resilient.core.health import ping as module
from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from tests.live.vpn_stage import allowed_ping, makes_tunnels, tunnel
from tests.support.harness.vpn import Vpn
from tests.support.harness.vpn_responder import icmp

pytestmark = makes_tunnels

STRANGER = "192.0.2.99"
PAYLOAD = bytes(range(module._PAYLOAD_BYTES))
NUMBER = 4711
NUMBERS = NUMBER.to_bytes(2) * 2
"""Identifier and sequence of each of our echoes, as far as these tests are concerned."""
UNREACHABLE, REQUEST, REPLY = 3, 8, 0


def packet(source: str, target: str, message: bytes) -> bytes:
    """Return an IP packet; the kernel fills in its length and checksum."""
    head = bytes((0x45, 0, 0, 0, 0, 0, 0, 0, 64, socket.IPPROTO_ICMP, 0, 0))
    return head + socket.inet_aton(source) + socket.inet_aton(target) + message


def forged(kind: str, near: str, far: str) -> bytes:
    """Return what arrives at `near` while nobody at `far` answers."""
    echo = icmp(REQUEST, 0, NUMBERS + PAYLOAD)
    match kind:
        case "answer":
            return packet(far, near, icmp(REPLY, 0, NUMBERS + PAYLOAD))
        case "of a stranger":
            return packet(STRANGER, near, icmp(REPLY, 0, NUMBERS + PAYLOAD))
        case "of another echo":
            return packet(far, near, icmp(REPLY, 0, NUMBERS + PAYLOAD[::-1]))
        case "cut short":
            return packet(far, near, icmp(REPLY, 0, NUMBERS + PAYLOAD[:-1]))
        case "an echo itself":
            return packet(far, near, icmp(REQUEST, 0, NUMBERS + PAYLOAD))
        case "unreachable":
            return packet(far, near, icmp(UNREACHABLE, 1, bytes(4) + packet(near, far, echo)))
        case "unreachable, says a stranger":
            return packet(STRANGER, near, icmp(UNREACHABLE, 1, bytes(4) + packet(near, far, echo)))
    raise AssertionError(kind)


@contextlib.contextmanager
def sending(data: bytes, near: str) -> Iterator[None]:
    """Send a packet again and again."""
    over = threading.Event()

    def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            while not over.wait(0.005):
                raw.sendto(data, (near, 0))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def vpn_tunnel() -> Iterator[Vpn]:
    """Give a VPN."""
    with tunnel() as vpn:
        yield vpn


@pytest.fixture
def known_echoes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the others know what we send, which they cannot in real life."""
    monkeypatch.setattr(secrets, "token_bytes", lambda size: PAYLOAD)
    monkeypatch.setattr(secrets, "randbits", lambda bits: NUMBER)


@pytest.mark.usefixtures("known_echoes")
@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        ("answer", True),  # so the others would arrive, too
        ("of a stranger", False),
        ("of another echo", False),
        ("cut short", False),
        ("an echo itself", False),
        ("unreachable", False),
        ("unreachable, says a stranger", False),
    ],
)
@pytest.mark.parametrize("answers", [False, True], ids=["silent", "answers"])
async def test_only_answers_count(vpn_tunnel: Vpn, kind: str, counts: bool, answers: bool) -> None:
    """Noise is no answer, and takes none away."""
    ping = await allowed_ping()
    if not await ping.kind():
        pytest.skip("no raw socket is permitted")
    if not answers:
        vpn_tunnel.silence()
    near, far = vpn_tunnel.near_address, vpn_tunnel.target
    with sending(forged(kind, near, far), near):
        echoes = await ping(far)
    assert len(echoes.round_trips) == (3 if answers or counts else 0)


async def test_many_rounds_at_once(vpn_tunnel: Vpn) -> None:
    """Echoes to one host that answers are no answers of one that does not."""
    ping = await allowed_ping()
    vpn_tunnel.silence()
    targets = [vpn_tunnel.target, "127.0.0.1"] * 20
    results = await asyncio.gather(*map(ping, targets))
    for target, echoes in zip(targets, results, strict=True):
        assert len(echoes.round_trips) == (3 if target == "127.0.0.1" else 0)


async def test_errors_of_a_target_that_answers(vpn_tunnel: Vpn) -> None:
    """A port unreachable, for what others send to the target, is no word on our echoes."""
    ping = await allowed_ping()
    await ping(vpn_tunnel.target)  # its link address is known: nothing is pushed out while waiting
    over = threading.Event()

    def knock() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            while not over.wait(0.002):
                udp.sendto(b"anybody?", (vpn_tunnel.target, 9))

    thread = threading.Thread(target=knock)
    thread.start()
    try:
        assert len((await ping(vpn_tunnel.target)).round_trips) == 3
    finally:
        over.set()
        thread.join()


@pytest.mark.usefixtures("known_echoes")
async def test_noise_is_no_verdict(vpn_tunnel: Vpn) -> None:
    monitor = VpnMonitor([vpn_tunnel.target], await allowed_ping(), failures_before_down=1)
    assert (await monitor.round()).state is VpnState.ON
    vpn_tunnel.silence()
    near = vpn_tunnel.near_address
    with sending(forged("of a stranger", near, vpn_tunnel.target), near):
        assert (await monitor.round()).state is VpnState.OFF
    assert monitor.reading.loss == 100
    assert await (await allowed_ping())(vpn_tunnel.target) == Echoes(3, ())
