"""The condition of one instance: what its witnesses say together."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.health.condition import (
    ConditionReading,
    VpnCondition,
)
from custom_components.qbittorrent_resilient.core.health.gluetun import GluetunMonitor
from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from custom_components.qbittorrent_resilient.core.health.witness import (
    FRESH_SECONDS,
    wait_until_any_is_up,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import GateClosedError
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from tests.support.core import Time
from tests.unit.health.looks import Control

ON, OFF, UNKNOWN = VpnState.ON, VpnState.OFF, VpnState.UNKNOWN
STATES = {"+": ON, "-": OFF, "?": UNKNOWN}


class Home:
    """Targets and a gluetun, each with its pattern of rounds, and a condition of both."""

    def __init__(self, targets: str, gluetun: str, time: Time) -> None:
        self.time = time
        self.rounds = list(targets)
        self.asked = 0
        self.control = Control(gluetun)
        self.targets = VpnMonitor(["far"], self._ping, clock=time.clock)
        self.gluetun = GluetunMonitor("Name", self.control, clock=time.clock)
        self.condition = VpnCondition([self.targets, self.gluetun], clock=time.clock)

    async def _ping(self, target: str) -> Echoes:
        self.asked += 1
        one = self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]
        return Echoes(3, (1.0,) if one == "+" else ())


@pytest.mark.parametrize(
    ("targets", "gluetun", "verdict"),
    [
        ("+", "+", "+"),
        ("+", "r", "+"),
        ("+", "s", "+"),
        ("+", "x", "+"),
        ("-", "+", "?"),
        ("--+", "+++", "+"),
        ("---", "+++", "-"),
        ("+", "-", "?"),
        ("++", "-r", "+"),
        ("+++", "---", "-"),
        ("---", "rrr", "-"),
        ("---", "---", "-"),
        ("-", "-", "?"),
        ("-", "r", "?"),
    ],
)
async def test_verdict(targets: str, gluetun: str, verdict: str, time: Time) -> None:
    """None may say down, and one must say up; no opinion is neither.

    One that has no verdict and says down may do so in earnest.
    """
    home = Home(targets, gluetun, time)
    assert home.condition.state is UNKNOWN
    for _ in targets:
        reading = await home.condition.round()
    assert reading == home.condition.reading == ConditionReading(STATES[verdict])
    assert home.condition.state is STATES[verdict]


async def test_one_witness_or_none(time: Time) -> None:
    alone = GluetunMonitor("Name", Control("+"), clock=time.clock)
    condition = VpnCondition([alone], clock=time.clock)
    await condition.round()
    assert condition.state is ON
    assert await condition.confirm()
    nobody = VpnCondition([], clock=time.clock)
    await nobody.round()
    assert nobody.state is UNKNOWN
    assert not await nobody.confirm()
    assert not await wait_until_any_is_up([nobody], 5, time.clock)


async def test_told(time: Time) -> None:
    """Subscribers hear of every round of any witness, whoever asks for it."""
    home = Home("+---", "+", time)
    heard: list[tuple[VpnState, VpnState]] = []
    home.condition.subscribe(lambda before, now: heard.append((before.state, now.state)))
    await home.targets.round()
    await home.gluetun.round()
    for _ in range(3):
        await home.targets.round()
    # Nothing is up before both have been asked.
    assert heard == [(UNKNOWN, UNKNOWN), (UNKNOWN, ON), (ON, ON), (ON, ON), (ON, OFF)]


async def test_told_when_a_hand_over_ends_a_verdict(time: Time) -> None:
    home = Home("-", "+r", time)
    condition = VpnCondition([home.gluetun], clock=time.clock)
    await home.gluetun.round()
    heard: list[VpnState] = []
    condition.subscribe(lambda _, now: heard.append(now.state))
    time.seconds += 60
    assert not await condition.confirm()
    assert (heard[-1], condition.state) == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(
    ("targets", "gluetun", "age", "up", "verdict"),
    [
        pytest.param("++", "++", 0, True, "+", id="fresh"),
        pytest.param("++", "++", 60, True, "+", id="old"),
        pytest.param("++", "+---", 60, False, "-", id="gluetun-down"),
        pytest.param("+---", "++", 60, False, "-", id="targets-down"),
        pytest.param("+-+", "++", 60, True, "+", id="doubt-settled"),
        pytest.param("++", "+r", 60, True, "+", id="gluetun-has-no-opinion"),
        pytest.param("++", "+s", 60, True, "+", id="gluetun-falls-silent"),
        pytest.param("++", "+x", 60, True, "+", id="gluetun-refuses"),
        pytest.param("+---", "+r", 60, False, "-", id="only-the-silent-one-is-left"),
        pytest.param("++", "r---", 0, False, "?", id="one-without-a-verdict-says-down"),
        pytest.param("++", "x---", 60, True, "+", id="one-without-a-verdict-is-not-asked"),
        pytest.param("-", "++", 60, False, "?", id="targets-never-up"),
    ],
)
async def test_confirm(
    targets: str, gluetun: str, age: float, up: bool, verdict: str, time: Time
) -> None:
    """Doubts are settled first; then a witness must have had a good round just now."""
    home = Home(targets, gluetun, time)
    await home.condition.round()
    time.seconds += age
    if age == 0 and gluetun.startswith("r-"):
        await home.gluetun.round()  # says stopped, once
    assert await home.condition.confirm() is up
    assert home.condition.state is STATES[verdict]
    if up:
        fresh = max(home.targets._good_at, home.gluetun._good_at)
        assert time.seconds - fresh <= FRESH_SECONDS


async def test_gate(time: Time) -> None:
    """Small questions go out by the verdict; magnets want a fresh look."""
    home = Home("++", "+---", time)
    await home.condition.round()
    await home.condition.gate(Content.QUESTION)
    await home.condition.gate(Content.MAGNETS)
    time.seconds += 60
    await home.condition.gate(Content.QUESTION)
    await home.gluetun.round()
    with pytest.raises(GateClosedError):
        await home.condition.gate(Content.MAGNETS)
    with pytest.raises(GateClosedError):
        await home.condition.gate(Content.QUESTION)


async def test_shared_targets_are_asked_once(time: Time) -> None:
    home = Home("+", "+", time)
    other = VpnCondition([home.targets], clock=time.clock)
    await asyncio.gather(home.condition.round(), other.round())
    assert (home.asked, home.control.looks) == (1, 1)


async def test_wait_for_the_first_of_some(time: Time) -> None:
    """A call waits until some instance can be used."""
    down, rising = Home("-", "-", time), Home("-", "rr+", time)
    conditions = [down.condition, VpnCondition([rising.gluetun], clock=time.clock)]
    started = time.seconds
    assert await wait_until_any_is_up(conditions, 60, time.clock)
    assert time.seconds - started == 4
    assert await wait_until_any_is_up(conditions, 0, time.clock)
    assert not await wait_until_any_is_up([down.condition], 5, time.clock)


async def test_reasons(time: Time) -> None:
    home = Home("-", "-", time)
    await home.condition.round()
    assert home.condition.reasons == {
        "far": "no answer",
        "gluetun of Name": "gluetun says stopped",
    }
