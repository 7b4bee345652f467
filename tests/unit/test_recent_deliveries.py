"""What was delivered within the last hour: which, for how long, and no more than some."""

import pytest

from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.events import EventItem, EventType
from custom_components.qbittorrent_resilient.core.recent_deliveries import (
    MOST_DELIVERIES,
    SHOWN_SECONDS,
    RecentDeliveries,
)
from tests.support.common import info_hash
from tests.support.core import Time, magnets


@pytest.fixture
def recent(time: Time) -> RecentDeliveries:
    return RecentDeliveries(time.clock)


def shown(recent: RecentDeliveries) -> list[tuple[str, str | None]]:
    return [(one.name, one.instance) for one in recent.newest_first()]


def test_what_counts_as_delivered(recent: RecentDeliveries) -> None:
    items = [
        EventItem(event_type, magnet, "First")
        for event_type, magnet in zip(EventType, magnets(*range(1, 8)), strict=True)
    ]
    recent.note_events([*items, EventItem(EventType.LEAK, None, "First")])
    delivered = (EventType.ADDED, EventType.FAILED_OVER, EventType.DELIVERED)
    numbers = [number for number, kind in enumerate(EventType, 1) if kind in delivered]
    assert shown(recent) == [(f"Torrent {number}", "First") for number in reversed(numbers)]


def test_for_an_hour(recent: RecentDeliveries, time: Time) -> None:
    assert recent.seconds_left is None
    recent.note("a", "A", Fate.ADDED, "First")
    time.seconds += 1000
    recent.note("b", "B", Fate.ADDED, "First")
    assert recent.seconds_left == SHOWN_SECONDS - 1000
    time.seconds += SHOWN_SECONDS - 1001
    assert len(shown(recent)) == 2
    time.seconds += 1
    assert shown(recent) == [("B", "First")]
    assert recent.seconds_left == 1000


def test_delivered_again_it_is_the_newest(recent: RecentDeliveries) -> None:
    for info_hash_, instance in (("a", "First"), ("b", "First"), ("a", "Second")):
        recent.note(info_hash_, info_hash_.upper(), Fate.ADDED, instance)
    assert shown(recent) == [("A", "Second"), ("B", "First")]


def test_forgotten(recent: RecentDeliveries) -> None:
    recent.note("a", "A", Fate.ADDED, "First")
    recent.forget(["a", "unknown"])
    assert shown(recent) == []


def test_no_more_than_some(recent: RecentDeliveries) -> None:
    many = range(1, MOST_DELIVERIES + 6)
    recent.note_events(EventItem(EventType.ADDED, one, "First") for one in magnets(*many))
    recent.note("a", "A", Fate.ADDED, "First")
    found = recent.newest_first()
    assert len(found) == MOST_DELIVERIES
    assert (found[0].info_hash, found[-1].info_hash) == ("a", info_hash(7))
