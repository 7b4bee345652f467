"""The verdict on the VPN."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pytest

from custom_components.qbittorrent_resilient.core.errors import PingNotPermittedError
from custom_components.qbittorrent_resilient.core.health.probe import Echoes, NoAnswer
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor, VpnReading
from custom_components.qbittorrent_resilient.core.health.witness import (
    FRESH_SECONDS,
    wait_until_any_is_up,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import GateClosedError
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from tests.support.common import eventually
from tests.support.core import Time

ON, OFF, UNKNOWN = VpnState.ON, VpnState.OFF, VpnState.UNKNOWN
WORDS = {ON: "+", OFF: "-", UNKNOWN: "?"}
GOOD, BAD = Echoes(3, (10.0, 20.0)), Echoes(3, ())
SILENT, NOT_RESOLVED = NoAnswer.SILENT, NoAnswer.NOT_RESOLVED
NAMELESS = Echoes(0, (), NOT_RESOLVED)


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
        ([GOOD, BAD], VpnReading(ON, 15.0, 66.7, faults=(None, SILENT))),
        (
            [GOOD, Echoes(3, (30.0, 31.0, 32.0))],
            VpnReading(ON, 24.6, 16.7, faults=(None, None)),
        ),
        ([BAD, BAD], VpnReading(UNKNOWN, None, 100.0, faults=(SILENT, SILENT))),
        ([NAMELESS, NAMELESS], VpnReading(UNKNOWN, faults=(NOT_RESOLVED, NOT_RESOLVED))),
        ([NAMELESS, GOOD], VpnReading(ON, 15.0, 33.3, faults=(NOT_RESOLVED, None))),
        ([GOOD, PingNotPermittedError("no")], VpnReading(UNKNOWN, None, None, permitted=False)),
    ],
)
async def test_reading(answers: list[Echoes | Exception], reading: VpnReading, time: Time) -> None:
    """One answer of any target is enough; none sent is none lost, and no answer."""
    ends = Far(answers)
    heard: list[tuple[VpnReading, VpnReading]] = []
    monitor = VpnMonitor(["one", "two"], ends, clock=time.clock)
    before = monitor.reading
    monitor.subscribe(lambda *readings: heard.append(readings))
    assert await monitor.round() == monitor.reading == reading
    assert heard == [(before, reading)]
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


@pytest.mark.parametrize(
    ("before", "age", "then", "up", "rounds", "seconds"),
    [
        pytest.param("+", 0, "-", True, 0, 0, id="fresh"),
        pytest.param("+", 1, "-", True, 0, 0, id="fresh-enough"),
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


async def test_next_round_is_begun_before_it_is_needed(time: Time) -> None:
    """So that a delivery of many requests waits for none of them."""
    ends = far("++-")
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    await monitor.round()
    time.seconds += 2
    ends.holds.clear()
    assert await monitor.confirm()
    await eventually(lambda: len(ends.asked) == 2)  # under way, and not waited for
    assert await monitor.confirm()
    assert len(ends.asked) == 2
    ends.holds.set()
    await monitor.round()
    time.seconds += 1
    assert await monitor.confirm()
    assert len(ends.asked) == 2  # the one begun ahead counts
    time.seconds += FRESH_SECONDS
    monitor._fall = 1
    assert not await monitor.confirm()


async def test_a_round_counts_from_its_beginning(time: Time) -> None:
    """The VPN may have fallen right after the first answer."""
    ends = far("+-")
    ends.holds.clear()
    monitor = VpnMonitor(["one"], ends, failures_before_down=1, clock=time.clock)
    waiting = asyncio.create_task(monitor.round())
    await eventually(lambda: ends.asked)
    time.seconds += FRESH_SECONDS + 0.1
    ends.holds.set()
    await waiting
    assert monitor.state is ON
    assert not await monitor.confirm()
    assert len(ends.asked) == 2


async def test_rounds_that_take_too_long(time: Time) -> None:
    """On a host that is held up each time, a delivery is given up rather than tried for ever."""
    asked = 0

    async def ping(target: str) -> Echoes:
        nonlocal asked
        asked += 1
        time.seconds += FRESH_SECONDS + 1
        return GOOD

    monitor = VpnMonitor(["one"], ping, clock=time.clock)
    assert not (await monitor.round(), await monitor.confirm())[1]
    assert monitor.state is ON
    assert asked == 5


async def test_doubt_is_shared(time: Time) -> None:
    """Rounds of others in the pause count, and no round follows right after them."""
    ends = far("+-")
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    at: list[float] = []
    monitor.subscribe(lambda before, now: at.append(time.seconds))
    for _ in range(2):
        await monitor.round()
    others = asyncio.create_task(monitor.confirm())
    await asyncio.gather(monitor.round(), others)
    assert monitor.state is OFF
    assert [later - sooner for sooner, later in pairwise(at)] == [0, 2, 2][: len(at) - 1]


@pytest.mark.parametrize(
    ("rounds", "age", "content", "passes", "asked"),
    [
        ("+", 0, Content.MAGNETS, True, 0),
        ("+", 60, Content.QUESTION, True, 0),
        ("+", 60, Content.SECRET, True, 0),
        ("+", 60, Content.MAGNETS, True, 1),
        ("+---", 60, Content.MAGNETS, False, 3),
        ("+---", 60, Content.QUESTION, True, 0),
        ("-", 0, Content.QUESTION, False, 0),
        ("-", 0, Content.SECRET, False, 0),
        ("-", 0, Content.MAGNETS, False, 0),
    ],
)
async def test_gate(
    rounds: str, age: float, content: Content, passes: bool, asked: int, time: Time
) -> None:
    ends = far(rounds)
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    await monitor.round()
    ends.asked.clear()
    time.seconds += age
    if passes:
        await monitor.gate(content)
    else:
        with pytest.raises(GateClosedError) as caught:
            await monitor.gate(content)
        assert not caught.value.maybe_done
    assert len(ends.asked) == asked


@pytest.mark.parametrize(
    ("then", "passes", "asked"), [("--", False, 2), ("+", True, 1), ("-+", True, 2)]
)
async def test_gate_in_doubt(then: str, passes: bool, asked: int, time: Time) -> None:
    """What tells something waits until the doubt is settled; a question does not."""
    ends = far(f"+-{then}")
    monitor = VpnMonitor(["one"], ends, clock=time.clock)
    for _ in range(2):
        await monitor.round()
    ends.asked.clear()
    await monitor.gate(Content.QUESTION)
    assert not ends.asked
    if passes:
        await monitor.gate(Content.SECRET)
    else:
        with pytest.raises(GateClosedError):
            await monitor.gate(Content.SECRET)
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
    assert await wait_until_any_is_up([monitor], wait, time.clock) is up
    assert len(ends.asked) == rounds
    assert time.seconds - started == seconds


async def test_reasons(time: Time) -> None:
    """Each target that did not answer the last round, in its user's words."""
    refused = Echoes(1, (), NoAnswer.REFUSED)
    nowhere = Echoes(3, (), NoAnswer.UNREACHABLE)
    ends = Far([GOOD, BAD, NAMELESS, refused, nowhere, PingNotPermittedError("no")])
    targets = ["one", "two", "three.example", "four:53", "five"]
    monitor = VpnMonitor(targets, ends, clock=time.clock)
    assert monitor.reasons == {}
    await monitor.round()
    assert monitor.reasons == {
        "two": "no answer",
        "three.example": "its address is not known",
        "four:53": "the connection was refused",
        "five": "there is no way to it",
    }
    await monitor.round()
    assert monitor.reasons == dict.fromkeys(targets, "this host permits no ICMP socket")
