"""When the last delivery was, whatever the clock says meanwhile."""

import pytest

from custom_components.qbittorrent_resilient.core.clock import ClockStep
from custom_components.qbittorrent_resilient.core.outbox.deliveries import Deliveries

DAY = 86_400.0


@pytest.fixture
def earlier() -> Deliveries:
    """Return what an earlier life has stored: a delivery on the tenth day."""
    return Deliveries(3, 10 * DAY)


def told(deliveries: Deliveries) -> tuple[float | None, float | None]:
    """Return the time that is told, and the one that is stored."""
    return deliveries.last_at, deliveries.stored_at


@pytest.mark.parametrize("now", [10 * DAY - 1, 10 * DAY, 11 * DAY])
def test_a_time_that_is_over_is_told(earlier: Deliveries, now: float) -> None:
    """A clock that is being adjusted makes it no other one."""
    earlier.start(now)
    assert told(earlier) == (10 * DAY, 10 * DAY)


def test_a_time_that_lies_ahead_is_not_told(earlier: Deliveries) -> None:
    earlier.start(9 * DAY)
    assert told(earlier) == (None, 10 * DAY)


def test_a_clock_that_was_behind_at_the_start(earlier: Deliveries) -> None:
    """As that of a Raspberry Pi is, until the network is there."""
    earlier.start(9 * DAY)
    earlier.shift(ClockStep(DAY / 2, 9 * DAY, 9 * DAY + 60))
    assert told(earlier) == (None, 10 * DAY)
    earlier.shift(ClockStep(DAY, 9.5 * DAY, 9.5 * DAY + 60))
    assert told(earlier) == (10 * DAY, 10 * DAY)


def test_a_clock_that_was_ahead_before_the_start(earlier: Deliveries) -> None:
    """The time is wrong, so it must not be told either when it is no longer ahead."""
    earlier.start(9 * DAY)
    earlier.shift(ClockStep(-30, 10.5 * DAY, 10.5 * DAY + 60))
    assert told(earlier) == (None, 10 * DAY)
    assert earlier.add(11 * DAY) == 4
    assert told(earlier) == (11 * DAY, 11 * DAY)


def test_a_clock_that_was_ahead_until_after_the_start(earlier: Deliveries) -> None:
    earlier.start(11 * DAY)
    earlier.shift(ClockStep(-2 * DAY, 11 * DAY, 11 * DAY + 60))
    assert told(earlier) == (None, 10 * DAY)


def test_a_clock_that_is_set_wrong_and_right_again(earlier: Deliveries) -> None:
    """Whatever was delivered before or meanwhile keeps its time in the end."""
    earlier.start(11 * DAY)
    earlier.shift(ClockStep(-2 * DAY, 11 * DAY, 11 * DAY + 60))
    earlier.shift(ClockStep(2 * DAY, 9 * DAY, 9 * DAY + 120))
    assert told(earlier) == (10 * DAY, 10 * DAY)


def test_a_delivery_of_this_life_moves_with_the_clock(earlier: Deliveries) -> None:
    earlier.start(11 * DAY)
    earlier.add(11 * DAY + 30)
    earlier.shift(ClockStep(-2 * DAY, 11 * DAY, 11 * DAY + 60))
    assert told(earlier) == (9 * DAY + 30, 9 * DAY + 30)
