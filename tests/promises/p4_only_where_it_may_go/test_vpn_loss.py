"""Lost echoes are no outage, and an outage shows in time all the same."""

import asyncio
import random

import pytest

from custom_components.qbittorrent_resilient.core.health.ping import ECHOES
from custom_components.qbittorrent_resilient.core.health.probe import ROUND_SECONDS, Echoes, Probe
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from custom_components.qbittorrent_resilient.core.health.witness import DOUBT_SECONDS
from tests.support.core import Time

ON, OFF = VpnState.ON, VpnState.OFF
ROUNDS = 10_000
LOSS = 0.2


def lossy(loss: float, seed: int) -> Probe:
    """Return far ends that leave this fraction of the echoes without an answer."""
    chance = random.Random(seed)

    async def ping(target: str) -> Echoes:
        return Echoes(ECHOES, tuple(10.0 for _ in range(ECHOES) if chance.random() >= loss))

    return ping


async def changes(monitor: VpnMonitor) -> tuple[int, int]:
    """Do the rounds; return how often the verdict changed, and how many rounds were silent."""
    asyncio.get_running_loop().set_debug(False)  # it would take ten times as long
    before = (await monitor.round()).state
    assert before is ON
    changed = silent = 0
    for _ in range(ROUNDS):
        reading = await monitor.round()
        silent += reading.latency is None
        changed += reading.state is not before
        before = reading.state
    return changed, silent


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("targets", [["one"], ["one", "two"]], ids=["one", "two"])
async def test_loss_is_no_outage(targets: list[str], seed: int, time: Time) -> None:
    """A round of one target is silent with 0.2 ** 3 = 0.8 %: 80 of 10,000, spread by 9.

    Three in a row come with 5e-7, so once in two million rounds: all ten thousand go without one
    with 99.5 %, and with two targets with all but certainty.
    """
    changed, silent = await changes(VpnMonitor(targets, lossy(LOSS, seed), clock=time.clock))
    assert changed == 0
    expected = ROUNDS * LOSS ** (ECHOES * len(targets))
    assert abs(silent - expected) <= 4 * max(1, expected) ** 0.5


async def test_the_rounds_can_tell(time: Time) -> None:
    """The same loss does change the verdict of a user who wants one silent round to be enough."""
    monitor = VpnMonitor(["one"], lossy(LOSS, 1), failures_before_down=1, clock=time.clock)
    changed, silent = await changes(monitor)
    assert changed > silent > 0


@pytest.mark.parametrize("seed", range(5))
async def test_outage_shows_in_time(seed: int, time: Time) -> None:
    """Under loss, too, the third silent round after the cut is the verdict at the latest."""
    monitor = VpnMonitor(["one", "two"], lossy(LOSS, seed), clock=time.clock)
    while (await monitor.round()).state is not ON:
        pass
    monitor._probe = lossy(1.0, seed)
    verdicts = [(await monitor.round()).state for _ in range(3)]
    assert verdicts[-1] is OFF
    assert 3 * ROUND_SECONDS + 2 * DOUBT_SECONDS <= 10


async def test_recovery_shows_under_loss(time: Time) -> None:
    """Two good rounds in a row come soon: each is good with 99.2 %."""
    monitor = VpnMonitor(["one"], lossy(1.0, 1), clock=time.clock)
    for _ in range(3):
        await monitor.round()
    assert monitor.state is OFF
    monitor._probe = lossy(LOSS, 1)
    assert [(await monitor.round()).state for _ in range(2)] == [OFF, ON]
