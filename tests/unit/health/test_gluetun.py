"""The verdict of a gluetun: what counts, what is no opinion, and what ends a verdict."""

import asyncio

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.health.gluetun import (
    GluetunMonitor,
    GluetunReading,
)
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.witness import FRESH_SECONDS
from tests.support.core import Time
from tests.unit.health.looks import IP, LOOKS, Control

ON, OFF, UNKNOWN = VpnState.ON, VpnState.OFF, VpnState.UNKNOWN
WORDS = {ON: "+", OFF: "-", UNKNOWN: "?"}


def watch(pattern: str, time: Time, *, fall: int = 3, rise: int = 2) -> GluetunMonitor:
    return GluetunMonitor(
        "Name",
        Control(pattern, time),
        failures_before_down=fall,
        successes_before_up=rise,
        clock=time.clock,
    )


async def verdicts(monitor: GluetunMonitor, rounds: int) -> str:
    return "".join([WORDS[(await monitor.round()).state] for _ in range(rounds)])


@pytest.mark.parametrize(
    ("fall", "rise", "rounds", "expected"),
    [
        pytest.param(3, 2, "+", "+", id="first-good"),
        pytest.param(3, 2, "--+", "??+", id="first-good-after-bad"),
        pytest.param(3, 2, "---", "??-", id="down-from-the-start"),
        pytest.param(3, 2, "+--+--+---", "+++++++++-", id="fall"),
        pytest.param(3, 2, "---+-+-++", "??------+", id="rise"),
        pytest.param(1, 1, "+-+-", "+-+-", id="at-once"),
        pytest.param(3, 2, "+-r-s-", "+++++-", id="no-opinion-leaves-the-count"),
        pytest.param(3, 2, "---+r+", "??---+", id="no-opinion-leaves-the-count-up"),
        pytest.param(3, 2, "+" + "r" * 20, "+" * 21, id="no-address-changes-nothing"),
        pytest.param(3, 2, "rrrr", "????", id="no-address-from-the-start"),
        pytest.param(3, 2, "---rrrr", "??-----", id="no-address-while-down"),
        pytest.param(3, 2, "+sss+", "+++?+", id="silent"),
        pytest.param(3, 2, "---sss+", "??---?+", id="silent-while-down"),
        pytest.param(3, 2, "+ssrss+", "+++++++", id="an-answer-between"),
        pytest.param(3, 2, "+ss+ss-ss", "+++++++++", id="silence-counts-in-a-row-only"),
        pytest.param(3, 2, "+sssss", "+++???", id="silent-for-long"),
        pytest.param(1, 1, "+ss", "+++", id="silence-takes-three-rounds"),
        pytest.param(3, 2, "+x+", "+?+", id="refused"),
        pytest.param(3, 2, "+f+", "+?+", id="foreign"),
        pytest.param(3, 2, "+--x--+", "+++???+", id="refused-begins-the-count-anew"),
        pytest.param(3, 2, "---x", "??-?", id="refused-while-down"),
        pytest.param(3, 2, "xx---+", "????--", id="allowed-later"),
    ],
)
async def test_verdict(fall: int, rise: int, rounds: str, expected: str, time: Time) -> None:
    monitor = watch(rounds, time, fall=fall, rise=rise)
    assert monitor.state is UNKNOWN
    assert await verdicts(monitor, len(rounds)) == expected


@pytest.mark.parametrize(
    ("rounds", "in_doubt"),
    [
        ("", False),
        ("+", False),
        ("+-", True),
        ("+---", False),
        ("+-+", False),
        ("-", True),
        ("---+", True),
        ("+s", True),
        ("+ss", True),
        ("+sss", False),
        ("---s", False),
        ("s", False),
        ("r", False),
        ("+r", False),
        ("+-r", False),
        ("x", False),
        ("+x", False),
    ],
)
async def test_in_doubt(rounds: str, in_doubt: bool, time: Time) -> None:
    """An address that is not known for a long time makes no fast rounds."""
    monitor = watch(rounds or "+", time)
    await verdicts(monitor, len(rounds))
    assert monitor.in_doubt is in_doubt


@pytest.mark.parametrize(
    ("before", "age", "then", "up", "after", "rounds", "seconds"),
    [
        pytest.param("+", 0, "-", True, "+", 0, 0, id="fresh"),
        pytest.param("+", 6, "+", True, "+", 1, 0, id="old"),
        pytest.param("+", 6, "---", False, "-", 3, 4, id="old-and-down"),
        pytest.param("+-", 0, "+", True, "+", 1, 2, id="doubt-settled"),
        pytest.param("+-", 0, "--", False, "-", 2, 4, id="doubt-confirmed"),
        pytest.param("+", 6, "sss", False, "?", 3, 4, id="silent"),
        pytest.param("+", 6, "ss+", True, "+", 3, 4, id="silent-for-a-moment"),
        pytest.param("+s", 0, "+", True, "+", 1, 2, id="silent-before"),
        pytest.param("+", 6, "x", False, "?", 1, 0, id="refused"),
        pytest.param("+", 6, "r", False, "?", 4, 6, id="no-address"),
        pytest.param("+r", 0, "+", True, "+", 1, 2, id="address-lost-for-a-moment"),
        pytest.param("+r", 0, "r", False, "?", 4, 8, id="address-just-lost"),
        pytest.param("+", 6, "rsrs", False, "?", 4, 6, id="no-opinion-of-either-kind"),
        pytest.param("+", 6, "-r-r", False, "?", 4, 6, id="bad-among-no-opinion"),
        pytest.param("---", 0, "+", False, "-", 0, 0, id="off"),
        pytest.param("r", 0, "+", False, "?", 0, 0, id="unknown"),
    ],
)
async def test_confirm(
    before: str,
    age: float,
    then: str,
    up: bool,
    after: str,
    rounds: int,
    seconds: float,
    time: Time,
) -> None:
    """A hand-over wants a good look just now; no opinion in place of it ends the verdict."""
    monitor = watch(before + then, time)
    await verdicts(monitor, len(before))
    control = monitor._control
    assert isinstance(control, Control)
    looked, started = control.looks, time.seconds + age
    time.seconds += age
    heard: list[GluetunReading] = []
    monitor.subscribe(lambda _, now: heard.append(now))
    assert await monitor.confirm() is up
    assert WORDS[monitor.state] == after
    assert (control.looks - looked, time.seconds - started) == (rounds, seconds)
    assert not heard or heard[-1] == monitor.reading  # whoever shows it has been told


async def test_rounds_of_others_count_for_a_hand_over(time: Time) -> None:
    """Else it would wait for ever for a pause in which nobody else looks."""
    monitor = watch("+r", time)
    await verdicts(monitor, 1)
    time.seconds += 3600

    async def sleep(_: float) -> None:
        time.seconds += 1
        await monitor.round()

    monitor._clock = Clock(now=time.now, monotonic=time.now, sleep=sleep)
    async with asyncio.timeout(10):
        assert not await monitor.confirm()
    assert monitor.state is UNKNOWN
    assert monitor._control.looks == 1 + 4  # type: ignore[attr-defined]


async def test_no_verdict_until_the_next_good_look(time: Time) -> None:
    """After a hand-over in vain the status is steady, not one that changes at every poll."""
    monitor = watch("+" + "r" * 10 + "+", time)
    await verdicts(monitor, 1)
    time.seconds += 3600
    assert not await monitor.confirm()
    assert await verdicts(monitor, 7) == "??????+"
    assert await monitor.confirm()


async def test_fresh_is_the_last_look_only(time: Time) -> None:
    monitor = watch("+r+", time)
    await monitor.round()
    fresh = [monitor.is_fresh]
    time.seconds += FRESH_SECONDS + 0.1
    fresh.append(monitor.is_fresh)
    for _ in range(2):
        await monitor.round()
        fresh.append(monitor.is_fresh)
    assert fresh == [True, False, False, True]


async def test_reading(time: Time) -> None:
    monitor = watch("+r-sxf", time)
    assert (monitor.reading, monitor.public_ip) == (GluetunReading(UNKNOWN), None)
    assert monitor.reasons == {}
    await monitor.round()
    assert (monitor.reading.look, monitor.public_ip) == (LOOKS["+"], IP)
    assert monitor.reasons == {}
    reasons = []
    for _ in range(5):
        await monitor.round()
        assert monitor.public_ip is None
        assert IP not in str(monitor.reasons)
        reasons.append(monitor.reasons["gluetun of Name"])
    assert reasons == [
        "gluetun runs, and knows no public address",
        "gluetun says stopped",
        "gluetun does not answer",
        "gluetun refuses the credentials",
        "what answers is not gluetun's control server",
    ]


counts = st.integers(1, 5)


def run(pattern: str, fall: int, rise: int) -> list[VpnState]:
    """Return the verdict after each round."""

    async def rounds() -> list[VpnState]:
        monitor = watch(pattern, Time(), fall=fall, rise=rise)
        return [(await monitor.round()).state for _ in pattern]

    return asyncio.run(rounds())


@given(pattern=st.text("rsxf", min_size=1, max_size=30), fall=counts, rise=counts)
@settings(deadline=None)
def test_no_order_of_no_opinion_says_off(pattern: str, fall: int, rise: int) -> None:
    assert OFF not in run("+" + pattern, fall, rise)
    assert ON not in run(pattern, fall, rise)


@given(pattern=st.text("+-rs", max_size=20), fall=counts, rise=counts)
@settings(deadline=None)
def test_three_silent_rounds_end_every_verdict(pattern: str, fall: int, rise: int) -> None:
    assert run(pattern + "sss", fall, rise)[-1] is UNKNOWN


@given(pattern=st.text("+-rsxf", min_size=1, max_size=40), fall=counts, rise=counts)
@settings(deadline=None, max_examples=300)
def test_a_change_rests_on_rounds_that_count(pattern: str, fall: int, rise: int) -> None:
    """`off` only at the bad round that is enough, `on` only at a good one."""
    before, bad = UNKNOWN, 0
    for one, now in zip(pattern, run(pattern, fall, rise), strict=True):
        bad = {"-": bad + 1, "+": 0, "x": 0, "f": 0}.get(one, bad)
        if now is not before:
            assert one in {OFF: "-", ON: "+", UNKNOWN: "sxf"}[now]
        assert (now is OFF) <= (bad >= fall or before is OFF)
        assert (bad >= fall and one == "-") <= (now is OFF)
        before = now
