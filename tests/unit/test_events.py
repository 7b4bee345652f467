"""What is told of a call and of a pass: once for each kind."""

from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate, Outcome
from custom_components.qbittorrent_resilient.core.events import (
    NAMES,
    DeliveryEvent,
    EventItem,
    EventType,
    of_call,
    of_pass,
    summarise,
)
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from tests.support.common import info_hash
from tests.support.core import magnets

ONE, TWO, THREE, FOUR, FIVE = magnets(1, 2, 3, 4, 5)
OUTCOMES = [
    Outcome(ONE, Fate.ADDED, instance="First"),
    Outcome(TWO, Fate.ADDED, instance="Second"),
    Outcome(THREE, Fate.ALREADY_PRESENT, instance="First"),
    Outcome(FOUR, Fate.QUEUED, reason="timeout"),
    Outcome(FIVE, Fate.FAILED, reason="rejected"),
]


def test_of_a_call() -> None:
    assert summarise(of_call(OUTCOMES, lambda magnet: "First")) == [
        DeliveryEvent(EventType.ADDED, 1, ("Torrent 1",), instance="First"),
        DeliveryEvent(EventType.FAILED, 1, ("Torrent 5",), reason="rejected"),
        DeliveryEvent(EventType.FAILED_OVER, 1, ("Torrent 2",), instance="Second"),
        DeliveryEvent(EventType.QUEUED, 1, ("Torrent 4",), reason="timeout"),
    ]


def test_first_in_line_is_asked_for_each_magnet() -> None:
    """One that may go to some instances only has a line of its own."""
    kinds = [one.event_type for one in of_call(OUTCOMES[:2], {ONE: "Zeroth", TWO: "Second"}.get)]
    assert kinds == [EventType.FAILED_OVER, EventType.ADDED]


def test_of_a_pass() -> None:
    assert summarise(of_pass(OUTCOMES)) == [
        DeliveryEvent(
            EventType.DELIVERED, 3, ("Torrent 1", "Torrent 2", "Torrent 3"), instance="First"
        ),
        DeliveryEvent(EventType.FAILED, 1, ("Torrent 5",), reason="rejected"),
    ]


def test_names() -> None:
    """The first ten; the hash where a link has no name, and none where there is no link."""
    nameless = Magnet.parse(f"magnet:?xt=urn:btih:{info_hash(99)}")
    some = [None, nameless, *magnets(*range(20)[1:])]
    (news,) = summarise(EventItem(EventType.FAILED, one) for one in some)
    assert news.count == 21
    assert len(news.names) == NAMES
    assert news.names[:2] == (info_hash(99), "Torrent 1")


def test_most_frequent_instance_and_reason() -> None:
    places = ["A", "B", "B", None, None, None]
    (news,) = summarise(EventItem(EventType.ADDED, ONE, place, place) for place in places)
    assert (news.instance, news.reason) == ("B", "B")


def test_nothing_is_no_news() -> None:
    assert summarise([]) == []
