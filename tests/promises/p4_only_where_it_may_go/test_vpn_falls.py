"""The VPN falls at any moment of a delivery: what was checked last before an add is sent."""

import asyncio
from collections.abc import Generator
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from custom_components.qbittorrent_resilient.core.gluetun import GluetunLook, TunnelState
from custom_components.qbittorrent_resilient.core.health.condition import VpnCondition
from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.health.witness import FRESH_SECONDS
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.actions import Arrivals, add, call, hashes, status_of
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    info_hash,
    instance,
    link,
    settled,
)
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

MAGNETS = 3
STRIDE = 100
"""Info-hashes of one delivery, and their distance to those of the next."""


class FallingVpn(FakeVpn):
    """Far ends whose answers take some steps, and that fall at a step of the loop."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._time = clock.make().monotonic
        self.good_at = self.fell_at = self.passed_at = float("-inf")
        self.passed: list[float] = []
        """How old the last good round was when the gate let an add pass."""
        self.sending: list[float] = []
        """How long after that the first byte of the add arrived."""

    async def __call__(self, target: str) -> Echoes:
        began = self._time()
        for _ in range(3):
            await asyncio.sleep(0)
        echoes = await super().__call__(target)
        if echoes.answered:
            self.good_at = began
        return echoes

    async def look(self) -> GluetunLook:
        """Answer as a gluetun whose tunnel is the VPN."""
        up = (await self(TARGET)).answered
        return GluetunLook(TunnelState.UP) if up else GluetunLook(TunnelState.DOWN, word="stopped")

    def fall(self) -> None:
        self.up, self.fell_at = False, self._time()

    def age(self) -> float:
        """Return how long ago the last good round began."""
        return self._time() - self.good_at


class Steps:
    """Counts the steps of the loop, each of which takes its time; the VPN falls before one."""

    def __init__(self, clock: FakeClock, vpn: FallingVpn, fall_at: int, seconds: float) -> None:
        self._seconds = seconds
        self._clock, self._vpn, self._fall_at = clock, vpn, fall_at
        self._loop = asyncio.get_running_loop()
        self.count = 0
        self._over = False
        self._step()

    def _step(self) -> None:
        if self._over:
            return
        self.count += 1
        if self.count == self._fall_at:
            self._vpn.fall()
        self._clock.tick(self._seconds)
        self._loop.call_soon(self._step)

    def end(self) -> int:
        self._over = True
        return self.count


@pytest.fixture
def falling(clock: FakeClock) -> Generator[FallingVpn]:
    """Watch what passes the gate. A commit takes some steps, instead of what the disk takes."""
    vpn = FallingVpn(clock)
    gate = VpnCondition.gate

    async def commit(_storage: QueueStorage, _put: object, _drop: object) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def watched(condition: VpnCondition, content: Content) -> None:
        await gate(condition, content)
        if content is Content.MAGNETS:
            vpn.passed_at = vpn._time()
            vpn.passed.append(vpn.age())

    with (
        patch("custom_components.qbittorrent_resilient.runtime.IcmpPing", lambda: vpn),
        patch("custom_components.qbittorrent_resilient.runtime.ControlServer", lambda *_: vpn),
        patch.object(VpnCondition, "gate", watched),
        patch.object(QueueStorage, "commit", commit),
    ):
        yield vpn


async def up_again(hass: HomeAssistant, vpn: FallingVpn) -> None:
    """Bring the VPN up, and let what waits be delivered."""
    vpn.up = True
    for _ in range(2):
        await call(hass, "check_health")
    await call(hass, "retry_queue")
    await settled(hass)


@pytest.mark.parametrize(
    ("step_seconds", "witnesses"),
    [(0.05, "targets"), (0.25, "targets"), (0.25, "gluetun"), (0.25, "both")],
)
async def test_falls_at_every_step(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    falling: FallingVpn,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    step_seconds: float,
    witnesses: str,
) -> None:
    """No add is sent later than FRESH_SECONDS after the last good round began, wherever it falls.

    A step of the loop is what lies between two awaits, so that no await is left out. Each takes so
    long that a delivery lasts several times FRESH_SECONDS.
    """
    asyncio.get_running_loop().set_debug(False)
    monkeypatch.setattr(batches, "ADD_MAGNETS", (1, 1))
    fields = {} if witnesses == "targets" else {"gluetun": {"gluetun_url": "gluetun:8000"}}
    await start(
        instance("first", primary, requires_vpn=True, **fields),
        targets=() if witnesses == "gluetun" else (TARGET,),
    )

    def arrived(received: Received) -> None:
        if received.endpoint == "torrents/add":
            falling.sending.append(falling._time() - falling.passed_at)

    Arrivals(primary, arrived)
    stopped = finished = 0
    fall_at = 0
    while finished < 3:  # the fall came after the delivery, three times running
        fall_at += 1
        numbers = range(fall_at * STRIDE, fall_at * STRIDE + MAGNETS)
        sent = len(primary.adds)
        steps = Steps(clock, falling, fall_at, step_seconds)
        response = await add(hass, *map(link, numbers), max_retries=0)
        count = steps.end()
        expected = {info_hash(number) for number in numbers}
        given = {*hashes(response["added"]), *hashes(response["queued"])}
        assert given == expected
        # Where it falls right after an add, nobody may ask any more whether that is listed.
        unknown = [one for one in response["queued"] if one["reason"] == "uncertain"]
        added = len(primary.adds) - sent
        assert len(response["added"]) <= added <= len(response["added"]) + len(unknown)
        stopped += bool(response["queued"])
        finished = finished + 1 if count < fall_at else 0
        await up_again(hass, falling)
        assert expected <= primary.hashes
    assert max(falling.passed) <= FRESH_SECONDS
    # What is left is the sending itself: the steps from the gate to the server's first look.
    sending = max(falling.sending)
    print(
        f"{fall_at} falls, {stopped} stopped a delivery, oldest round {max(falling.passed):.2f} s,"
    )
    print(f"{sending / step_seconds:.0f} steps from the gate to the server")
    assert 10 < stopped < fall_at


async def test_gate_is_the_last_look(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, falling: FallingVpn
) -> None:
    """A VPN that fell before the add and is in doubt lets nothing pass but after a good round."""
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    falling.fall()
    assert (await call(hass, "check_health"))["vpn"] == "on"
    response = await add(hass, link(1), queue=False)
    assert response["failed"][0]["reason"] == "vpn_down"
    assert not falling.passed
    assert not primary.adds


async def test_falls_when_a_check_is_just_over(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """The verdict of the check is of the time before; no sensor may show it until the next."""
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    runtime = entry.runtime_data
    coordinator = runtime.instances["first"]
    check = coordinator.monitor.check

    async def check_and_fall() -> InstanceStatus | None:
        status = await check()
        vpn.up = False
        for _ in range(3):
            await runtime.vpn.monitor.round()
        return status

    coordinator.monitor.check = check_and_fall
    await coordinator.async_refresh()
    assert status_of(hass, "first") == "vpn_down"
