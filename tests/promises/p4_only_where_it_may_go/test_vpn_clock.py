"""Clocks that jump, and hosts that sleep: no verdict changes, nothing is nonsense."""

import asyncio
from collections.abc import Callable
from copy import replace
import subprocess
import sys
import time as real_time
from unittest.mock import patch

import icmplib.sockets
import pytest

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.errors import PingNotPermittedError
from custom_components.qbittorrent_resilient.core.health.ping import IcmpPing
from custom_components.qbittorrent_resilient.core.health.probe import ROUND_SECONDS, Echoes
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from custom_components.qbittorrent_resilient.core.health.witness import (
    FRESH_SECONDS,
    wait_until_any_is_up,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from tests.promises.p4_only_where_it_may_go import asleep
from tests.support.core import Time

HOUR, YEARS = 3600.0, 20 * 365 * 86_400.0
JUMPS = [HOUR, -HOUR, YEARS, -YEARS]


class WallClock:
    """Stands in for the wall clock everywhere; the first reading after `armed` is beyond a step."""

    def __init__(self, step: float) -> None:
        self.step, self.readings, self.armed = step, 0, 10**9

    def __call__(self) -> float:
        self.readings += 1
        return _real_time() + (self.step if self.readings > self.armed else 0)


_real_time = real_time.time


async def good(target: str) -> Echoes:
    return Echoes(3, (10.0,))


async def ping_for_real() -> IcmpPing:
    """Return a ping that is allowed, or skip."""
    ping = IcmpPing()
    try:
        await ping.kind()
    except PingNotPermittedError as err:
        pytest.skip(str(err))
    return ping


@pytest.mark.parametrize("step", JUMPS)
@pytest.mark.parametrize("reading", range(1, 4))
async def test_wall_clock_steps_in_the_middle_of_a_round(step: float, reading: int) -> None:
    """Real echoes, and NTP steps the clock between any two looks at it."""
    ping = await ping_for_real()
    wall = WallClock(step)
    with patch.object(icmplib.sockets, "time", wall), patch.object(real_time, "time", wall):
        monitor = VpnMonitor(["127.0.0.1"], ping, failures_before_down=1, successes_before_up=1)
        await monitor.round()
        wall.readings, wall.armed = 0, reading - 1
        result = await monitor.round()
    assert wall.readings > wall.armed, "the step came after the round"
    assert result.state is VpnState.ON
    assert result.loss == 0
    assert result.latency is not None
    assert 0 <= result.latency < 1000


@pytest.mark.parametrize("step", JUMPS)
async def test_freshness_ignores_the_wall_clock(step: float, time: Time) -> None:
    wall = time.seconds
    clock = replace(time.clock, now=lambda: wall)
    asked = 0

    async def ping(target: str) -> Echoes:
        nonlocal asked, wall
        asked += 1
        wall += step
        return Echoes(3, (10.0,))

    monitor = VpnMonitor(["one"], ping, clock=clock)
    await monitor.round()
    wall += step
    assert await monitor.confirm()
    assert asked == 1  # still fresh, whatever the calendar says
    time.seconds += FRESH_SECONDS + 0.1
    wall = 0
    assert await monitor.confirm()
    assert asked == 2  # too old, whatever the calendar says


async def test_the_wall_clock_is_never_read() -> None:
    def unread() -> float:
        raise AssertionError("the wall clock was read")

    monitor = VpnMonitor(["one"], good, clock=Clock(now=unread))
    assert (await monitor.round()).state is VpnState.ON
    assert await monitor.confirm()
    await monitor.gate(Content.MAGNETS)
    assert await wait_until_any_is_up([monitor], 1, Clock(now=unread))


async def test_loop_held_up_while_answers_come(socket_enabled: None) -> None:
    """All timers fire at once, as after a suspension: what has come by then still counts."""
    ping = await ping_for_real()
    asking = asyncio.create_task(ping("127.0.0.1"))
    for _ in range(5):
        await asyncio.sleep(0)
    real_time.sleep(ROUND_SECONDS + 0.3)  # noqa: ASYNC251
    echoes = await asking
    assert echoes.answered


@pytest.mark.parametrize("asleep", [60.0, 8 * HOUR])
@pytest.mark.parametrize("then", [(10.0,), ()], ids=["up", "down"])
async def test_a_round_from_before_a_suspension_is_no_proof(
    asleep: float, then: tuple[float, ...], time: Time
) -> None:
    """Given a steady clock that counts the time asleep; one round decides nothing but freshness."""
    answers = [(10.0,), then]

    async def ping(target: str) -> Echoes:
        return Echoes(3, answers.pop(0) if len(answers) > 1 else answers[0])

    monitor = VpnMonitor(["one"], ping, clock=time.clock)
    await monitor.round()
    time.seconds += asleep
    assert monitor.state is VpnState.ON
    assert await monitor.confirm() is bool(then)


async def test_asleep_in_the_middle_of_a_round(time: Time) -> None:
    """The answer is from before; the verdict holds, and a delivery wants another round."""
    jump: list[Callable[[], None]] = []
    asked = 0

    async def ping(target: str) -> Echoes:
        nonlocal asked
        asked += 1
        if jump:
            jump.pop()()
        return Echoes(3, (10.0,))

    def sleep_long() -> None:
        time.seconds += 8 * HOUR

    monitor = VpnMonitor(["one"], ping, clock=time.clock)
    await monitor.round()
    jump.append(sleep_long)
    assert (await monitor.round()).state is VpnState.ON
    assert await monitor.confirm()
    assert asked == 3


def test_steady_clock_counts_the_time_asleep() -> None:
    """So that a round from before it is too old afterwards, and a ban is not longer than it is."""
    result = subprocess.run(
        [sys.executable, "-m", asleep.__name__], capture_output=True, text=True, check=False
    )
    if result.returncode:
        pytest.skip("no time namespace")
    ours, monotonic, since_boot = map(float, result.stdout.split())
    assert since_boot - monotonic > asleep.ASLEEP_SECONDS - 1
    assert ours <= since_boot < ours + 60
