"""What is worth telling at once: once for each call or pass, and for each kind."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from .magnet import Magnet
from .outcome import Fate, Outcome

NAMES = 10
"""How many magnets are named."""


class Happening(StrEnum):
    """What happened to some magnets.

    `failed_over`: added, but not to the first in line. `delivered`: left the queue for an instance.
    `duplicate`: delivered elsewhere while an instance could not be asked, which has them as well.
    """

    ADDED = "added"
    FAILED_OVER = "failed_over"
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"
    DUPLICATE = "duplicate"


class Item(NamedTuple):
    """One magnet's part in the news; None for a text that was no magnet."""

    happening: Happening
    magnet: Magnet | None
    instance: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What happened to `count` magnets; the instance (its name) and reason that most of them had.

    `names` has the first few, by the name in the link, or else by the info-hash.
    """

    happening: Happening
    count: int
    names: tuple[str, ...] = field(default=(), repr=False)
    instance: str | None = None
    reason: str | None = None


_OF_CALL = {
    Fate.ADDED: Happening.ADDED,
    Fate.QUEUED: Happening.QUEUED,
    Fate.FAILED: Happening.FAILED,
}
_OF_PASS = {
    Fate.ADDED: Happening.DELIVERED,
    Fate.ALREADY_PRESENT: Happening.DELIVERED,
    Fate.FAILED: Happening.FAILED,
}


def of_call(
    outcomes: Iterable[Outcome], first_for: Callable[[Magnet], str | None]
) -> Iterator[Item]:
    """Yield what a call did; `first_for` names the instance that is first in line for a magnet.

    What was there already is no news: feeds give the same magnets again and again.
    """
    for one in outcomes:
        if one.fate is Fate.ALREADY_PRESENT:
            continue
        happening = _OF_CALL[one.fate]
        if happening is Happening.ADDED and one.instance != first_for(one.magnet):
            happening = Happening.FAILED_OVER
        yield Item(happening, one.magnet, one.instance, one.reason)


def of_pass(outcomes: Iterable[Outcome]) -> Iterator[Item]:
    """Yield what a pass over the queue did; what still waits is no news."""
    for one in outcomes:
        if one.fate is not Fate.QUEUED:
            yield Item(_OF_PASS[one.fate], one.magnet, one.instance, one.reason)


def sum_up(items: Iterable[Item]) -> list[News]:
    """Sum up what happened, one piece of news for each kind."""
    by_kind: dict[Happening, list[Item]] = {}
    for item in items:
        by_kind.setdefault(item.happening, []).append(item)
    return [
        News(
            happening,
            len(some),
            names=tuple(
                one.magnet.name or one.magnet.info_hash
                for one in islice((one for one in some if one.magnet), NAMES)
                if one.magnet
            ),
            instance=_most(one.instance for one in some),
            reason=_most(one.reason for one in some),
        )
        for happening, some in sorted(by_kind.items())
    ]


def _most(words: Iterable[str | None]) -> str | None:
    """Return the word that occurs most; the first of those that tie."""
    found = Counter(words)
    del found[None]
    return max(found, key=lambda word: found[word]) if found else None
