"""Hosts that say for how long they want to be left alone."""

import pytest

from custom_components.qbittorrent_resilient.core.fetching.pauses import (
    LONGEST_SECONDS,
    Pauses,
    retry_after,
)
from tests.support.core import Time

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("120", "", 120),
        (" 7 ", "", 7),
        ("0", "", 0),
        ("99999", "", LONGEST_SECONDS),
        ("9" * 5000, "", LONGEST_SECONDS),
        ("Wed, 21 Oct 2026 07:30:00 GMT", DATE, 120),
        ("Wed, 21 Oct 2026 07:00:00 GMT", DATE, 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DATE, LONGEST_SECONDS),
        ("Wed, 21 Oct 2026 07:30:00 -0000", DATE, 0),  # without a time zone
        ("Wed, 21 Oct 2026 07:30:00 GMT", "", 0),
        ("Wed, 21 Oct 2026 07:30:00 GMT", "soon", 0),
        ("-5", DATE, 0),
        ("1.5", DATE, 0),
        ("٣", DATE, 0),
        ("", DATE, 0),
        ("soon", DATE, 0),
        ("Wed, 99 Oct 2026 99:99:99 GMT", DATE, 0),
    ],
)
def test_what_is_said(said: str, date: str, seconds: float) -> None:
    assert retry_after(said, date) == seconds


def test_each_host_for_itself(time: Time) -> None:
    pauses = Pauses(time.now)
    pauses.begin("a", 60)
    pauses.begin("a", 10)  # no shorter than was said before
    assert (pauses.left("a"), pauses.left("b")) == (60, 0)
    time.seconds += 59
    assert pauses.left("a") == 1
    time.seconds += 1
    assert pauses.left("a") == 0


def test_no_longer_than_the_longest(time: Time) -> None:
    pauses = Pauses(time.now)
    pauses.begin("a", 1e9)
    assert pauses.left("a") == LONGEST_SECONDS
