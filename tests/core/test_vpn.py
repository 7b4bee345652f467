"""The verdict on the VPN."""

import asyncio
from collections.abc import Iterable
import random

import pytest

from custom_components.qbittorrent_resilient.core import vpn as module
from custom_components.qbittorrent_resilient.core.errors import InstanceError, PingNotPermittedError
from custom_components.qbittorrent_resilient.core.models import VpnState
from custom_components.qbittorrent_resilient.core.ping import Echoes, Ping
from custom_components.qbittorrent_resilient.core.vpn import VpnMonitor, VpnReading
from tests.core.common import Time

ON, OFF, UNKNOWN = VpnState.ON, VpnState.OFF, VpnState.UNKNOWN
WORDS = {ON: "+", OFF: "-", UNKNOWN: "?"}
GOOD, BAD = Echoes(3, (10.0, 20.0)), Echoes(3, ())


class Far:
    """The far ends: each round takes the next of `answers`, the last one for good."""

    def __init__(self, answers: Iterable[Echoes | Exception] = (GOOD,)) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.holds = asyncio.Event()
        self.holds.set()

    async def __call__(self, target: str) -> Echoes:
        self.asked.append(target)
        await self.holds.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def far(pattern: str) -> Far:
    """Return far ends that answer (+), are silent (-) or may not be asked (x)."""
    kinds: dict[str, Echoes | Exception] = {"+": GOOD, "-": BAD, "x": PingNotPermittedError("no")}
    return Far(kinds[one] for one in pattern)


@pytest.mark.parametrize(
    ("fall", "rise", "rounds", "verdicts"),
    [
        pytest.param(3, 2, "+", "+", id="first-success"),
        pytest.param(3, 2, "--+", "??+", id="first-success-after-failures"),
        pytest.param(3, 2, "---", "??-", id="down-from-the-start"),
        pytest.param(3, 2, "+--+--+---", "+++++++++-", id="fall"),
        pytest.param(3, 2, "---+-+-++", "??------+", id="rise"),
        pytest.param(1, 1, "+-+-", "+-+-", id="at-once"),
        pytest.param(10, 10, "+" + "-" * 10 + "+" * 10, "+" * 10 + "-" * 10 + "+", id="patient"),
        pytest.param(3, 2, "+x+", "+?+", id="not-permitted"),
        pytest.param(3, 2, "+--x--+", "+++???+", id="not-permitted-counts-as-neither"),
        pytest.param(3, 2, "xx---+", "????--", id="permitted-later"),
    ],
)
async def test_verdict(fall: int, rise: int, rounds: str, verdicts: str, time: Time) -> None:
    monitor = VpnMonitor(
        ["one"],
        far(rounds),
        failures_before_down=fall,
        successes_before_up=rise,
        clock=time.clock,
    )
    assert monitor.state is UNKNOWN
    seen = [WORDS[(await monitor.round()).state] for _ in rounds]
    assert "".join(seen) == verdicts


@pytest.mark.parametrize(
    ("rounds", "in_doubt"),
    [
        ("", False),
        ("+", False),
        ("+-", True),
        ("+--", True),
        ("+---", False),
        ("+-+", False),
        ("-", True),
        ("---", False),
        ("---+", True),
        ("---++", False),
        ("x", False),
        ("+x", False),
    ],
)
async def test_in_doubt(rounds: str, in_doubt: bool, time: Time) -> None:
    monitor = VpnMonitor(["one"], far(rounds or "+"), clock=time.clock)
    for _ in rounds:
        await monitor.round()
    assert monitor.in_doubt is in_doubt


@pytest.mark.parametrize(
    ("answers", "reading"),
    [
        ([GOOD, BAD], VpnReading(ON, 15.0, 66.7)),
        ([GOOD, Echoes(3, (30.0, 31.0, 32.0))], VpnReading(ON, 24.6, 16.7)),
        ([BAD, BAD], VpnReading(UNKNOWN, None, 100.0)),
        ([Echoes(0, ()), Echoes(0, ())], VpnReading(UNKNOWN, None, None)),
        ([Echoes(0, ()), GOOD], VpnReading(ON, 15.0, 33.3)),
        ([GOOD, PingNotPermittedError("no")], VpnReading(UNKNOWN, None, None, permitted=False)),
    ],
)
async def test_reading(answers: list[Echoes | Exception], reading: VpnReading, time: Time) -> None:
    """One answer of any target is enough; none sent is none lost, and no answer."""
    ends = Far(answers)
    heard: list[VpnReading] = []
    monitor = VpnMonitor(["one", "two"], ends, clock=time.clock)
    monitor.listener = heard.append
    assert await monitor.round() == monitor.reading == reading
    assert heard == [reading]
    assert ends.asked == ["one", "two"]


async def test_rounds_are_shared(time: Time) -> None:
    """Whoever asks while a round is under way gets its outcome; it counts once."""
    ends = far("+")
    ends.holds.clear()
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    given_up, *waiting = [asyncio.create_task(monitor.round()) for _ in range(5)]
    await asyncio.sleep(0)
    given_up.cancel()
    ends.holds.set()
    assert {one.state for one in await asyncio.gather(*waiting)} == {ON}
    assert len(ends.asked) == 1


async def test_closed(time: Time) -> None:
    ends = far("+")
    ends.holds.clear()
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    monitor.close()
    waiting = asyncio.create_task(monitor.round())
    await asyncio.sleep(0)
    monitor.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert monitor.state is UNKNOWN


async def test_hanging_name_look_up(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no answer of that target, and holds up no other."""
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.05)
    never = asyncio.Event()

    async def ping(target: str) -> Echoes:
        if target == "hangs":
            await never.wait()
        return GOOD

    assert (await VpnMonitor(["hangs", "good"], ping, clock=time.clock).round()).state is ON
    monitor = VpnMonitor(["hangs"], ping, failures_before_down=1, clock=time.clock)
    assert await monitor.round() == VpnReading(OFF, None, None)


@pytest.mark.parametrize(
    ("before", "age", "then", "up", "rounds", "seconds"),
    [
        pytest.param("+", 0, "-", True, 0, 0, id="fresh"),
        pytest.param("+", 5, "-", True, 0, 0, id="fresh-enough"),
        pytest.param("+", 6, "+", True, 1, 0, id="old"),
        pytest.param("+", 6, "---", False, 3, 4, id="old-and-down"),
        pytest.param("+", 6, "--+", True, 3, 4, id="old-and-lossy"),
        pytest.param("+-", 0, "+", True, 1, 2, id="doubt-settled"),
        pytest.param("+-", 0, "--", False, 2, 4, id="doubt-confirmed"),
        pytest.param("+-", 6, "+", True, 1, 0, id="old-doubt"),
        pytest.param("+", 6, "x", False, 1, 0, id="not-permitted"),
        pytest.param("---", 0, "+", False, 0, 0, id="off"),
        pytest.param("-", 0, "+", False, 0, 0, id="unknown"),
    ],
)
async def test_confirm(
    before: str, age: float, then: str, up: bool, rounds: int, seconds: float, time: Time
) -> None:
    """Magnets go out only while a fresh round says so, too."""
    ends = far(before + then)
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    for _ in before:
        await monitor.round()
    ends.asked.clear()
    time.seconds += age
    started = time.seconds
    assert await monitor.confirm() is up
    assert len(ends.asked) == rounds
    assert time.seconds - started == seconds


@pytest.mark.parametrize(
    ("rounds", "age", "handing_over", "passes", "asked"),
    [
        ("+", 0, True, True, 0),
        ("+", 60, False, True, 0),
        ("+", 60, True, True, 1),
        ("+---", 60, True, False, 3),
        ("+---", 60, False, True, 0),
        ("-", 0, False, False, 0),
        ("-", 0, True, False, 0),
    ],
)
async def test_gate(
    rounds: str, age: float, handing_over: bool, passes: bool, asked: int, time: Time
) -> None:
    ends = far(rounds)
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    await monitor.round()
    ends.asked.clear()
    time.seconds += age
    if passes:
        await monitor.gate(handing_over=handing_over)
    else:
        with pytest.raises(InstanceError) as caught:
            await monitor.gate(handing_over=handing_over)
        assert (caught.value.status, caught.value.maybe_done) == ("vpn_down", False)
    assert len(ends.asked) == asked


@pytest.mark.parametrize(
    ("before", "then", "wait", "up", "rounds", "seconds"),
    [
        pytest.param("+", "-", 60, True, 0, 0, id="up"),
        pytest.param("", "+", 0, False, 0, 0, id="no-time"),
        pytest.param("", "+", 60, True, 1, 0, id="unknown"),
        pytest.param("---", "--++", 60, True, 4, 6, id="back"),
        pytest.param("---", "-", 5, False, 3, 5, id="not-in-time"),
        pytest.param("---", "++", 1, False, 1, 1, id="half-way"),
        pytest.param("", "x", 3, False, 2, 3, id="not-permitted"),
    ],
)
async def test_wait_until_up(
    before: str, then: str, wait: float, up: bool, rounds: int, seconds: float, time: Time
) -> None:
    ends = far(before + then)
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    for _ in before:
        await monitor.round()
    ends.asked.clear()
    started = time.seconds
    assert await monitor.wait_until_up(wait) is up
    assert len(ends.asked) == rounds
    assert time.seconds - started == seconds


def lossy(loss: float, seed: int) -> Ping:
    chance = random.Random(seed)

    async def ping(target: str) -> Echoes:
        return Echoes(3, tuple(10.0 for _ in range(3) if chance.random() >= loss))

    return ping


async def test_loss_is_no_outage(time: Time) -> None:
    """Ten thousand rounds at 20 % loss change nothing, though some rounds fail."""
    asyncio.get_running_loop().set_debug(False)  # it would take ten times as long
    monitor = VpnMonitor(["one", "two"], lossy(0.2, 11), clock=time.clock)
    verdicts, failed = set(), 0
    for _ in range(10_000):
        reading = await monitor.round()
        verdicts.add(reading.state)
        failed += reading.latency is None
    assert verdicts == {ON}
    assert failed > 0


async def test_outage_shows_in_time(time: Time) -> None:
    """Under loss, too, the third silent round after the cut is the verdict."""
    monitor = VpnMonitor(["one", "two"], lossy(0.2, 3), clock=time.clock)
    assert (await monitor.round()).state is ON
    monitor._ping = lossy(1.0, 3)
    assert [(await monitor.round()).state for _ in range(3)] == [ON, ON, OFF]
    bound = 3 * module.ROUND_SECONDS + 2 * module.DOUBT_SECONDS
    assert bound <= 10
