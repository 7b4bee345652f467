"""What subscribers of the dispatcher are told: events about magnets, and how the queue stands."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from . import names
from .delivery.outcome import Fate, Outcome
from .magnet import Magnet

NAMES = 10
"""How many magnets an event names."""


class EventType(StrEnum):
    """What happened to some magnets.

    `failed_over`: added, but not to the first in line. `delivered`: left the queue for an instance.
    `duplicate`: delivered elsewhere while an instance could not be asked, which has them as well.
    `leak`: not of magnets, but of an instance whose torrents turned out to take the home line.
    """

    ADDED = "added"
    FAILED_OVER = "failed_over"
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    LEAK = "leak"


class EventItem(NamedTuple):
    """One magnet's part in an event; None for a text that was no magnet, and for a leak."""

    event_type: EventType
    magnet: Magnet | None
    instance: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """What happened to `count` magnets; the instance (its name) and reason that most of them had.

    `names` has the first few, each as it is shown.
    """

    event_type: EventType
    count: int
    names: tuple[str, ...] = field(default=(), repr=False)
    instance: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """How many jobs are queued and failed, where the next one would go, and what is under way.

    `active_instance` is the name of the first instance that is ok. `delivering` tells whether a
    pass is under way: jobs that are about to be delivered count as queued until then. `delivered`
    is how many were delivered since it was set up, `last_delivery` when, in epoch seconds.
    """

    queued: int
    failed: int
    active_instance: str | None
    delivering: bool
    delivered: int
    last_delivery: float | None


_OF_CALL = {
    Fate.ADDED: EventType.ADDED,
    Fate.QUEUED: EventType.QUEUED,
    Fate.FAILED: EventType.FAILED,
}
_OF_PASS = {
    Fate.ADDED: EventType.DELIVERED,
    Fate.ALREADY_PRESENT: EventType.DELIVERED,
    Fate.FAILED: EventType.FAILED,
}


def of_call(
    outcomes: Iterable[Outcome], first_for: Callable[[Magnet], str | None]
) -> Iterator[EventItem]:
    """Yield what a call did; `first_for` names the instance that is first in line for a magnet.

    What was there or delivered already makes no event: feeds give the same magnets again and again.
    """
    for outcome in outcomes:
        if outcome.fate in (Fate.ALREADY_PRESENT, Fate.ALREADY_DELIVERED):
            continue
        event_type = _OF_CALL[outcome.fate]
        if event_type is EventType.ADDED and outcome.instance != first_for(outcome.magnet):
            event_type = EventType.FAILED_OVER
        yield EventItem(event_type, outcome.magnet, outcome.instance, outcome.reason)


def of_pass(outcomes: Iterable[Outcome]) -> Iterator[EventItem]:
    """Yield what a pass over the queue did; what still waits makes no event."""
    for outcome in outcomes:
        if outcome.fate is not Fate.QUEUED:
            event_type = _OF_PASS[outcome.fate]
            yield EventItem(event_type, outcome.magnet, outcome.instance, outcome.reason)


def summarise(items: Iterable[EventItem]) -> list[DeliveryEvent]:
    """Return one event for each type."""
    by_type: dict[EventType, list[EventItem]] = {}
    for item in items:
        by_type.setdefault(item.event_type, []).append(item)
    return [
        DeliveryEvent(
            event_type,
            len(of_type),
            names=tuple(islice(_names(of_type), NAMES)),
            instance=_most_frequent(item.instance for item in of_type),
            reason=_most_frequent(item.reason for item in of_type),
        )
        for event_type, of_type in sorted(by_type.items())
    ]


def _names(items: Iterable[EventItem]) -> Iterator[str]:
    for item in items:
        if item.magnet is not None:
            yield names.of_magnet(item.magnet)


def _most_frequent(words: Iterable[str | None]) -> str | None:
    """Return the word that occurs most; the first of those that tie."""
    counts = Counter(words)
    del counts[None]
    return max(counts, key=lambda word: counts[word]) if counts else None
