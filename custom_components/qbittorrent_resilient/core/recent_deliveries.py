"""What was delivered within the last hour, newest first: to-do lists show it as done.

It is kept in memory only, so that there is nothing after a start of Home Assistant. A reload of the
entry, which any change of its settings is, hands it on.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import names
from .clock import Clock
from .delivery.outcome import Fate
from .events import EventItem, EventType

SHOWN_SECONDS = 3600.0
MOST_DELIVERIES = 50
"""How many are kept: more would push what still waits off the screen."""

_DELIVERED = (EventType.ADDED, EventType.FAILED_OVER, EventType.DELIVERED)


@dataclass(frozen=True, slots=True)
class RecentDelivery:
    """A magnet that an instance (by its name, where known) has; `at` is in epoch seconds."""

    info_hash: str
    name: str = field(repr=False)
    fate: Fate
    instance: str | None
    at: float
    noted: float
    """In steady seconds, so that a clock that is set hides nothing."""


class RecentDeliveries:
    """Keeps the last deliveries, by info-hash."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none."""
        self._clock = clock
        self._deliveries: dict[str, RecentDelivery] = {}

    def note_events(self, items: Iterable[EventItem]) -> None:
        """Keep what was delivered among what happened."""
        delivered = (item for item in items if item.event_type in _DELIVERED)
        for item in deque(delivered, maxlen=MOST_DELIVERIES):
            if item.magnet is not None:
                name = names.of_magnet(item.magnet)
                self.note(item.magnet.info_hash, name, Fate.ADDED, item.instance)

    def note(self, info_hash: str, name: str, fate: Fate, instance: str | None) -> None:
        """Keep one delivery; `name` is as it is shown."""
        self.forget([info_hash])
        now, steady = self._clock.now(), self._clock.monotonic()
        delivery = RecentDelivery(info_hash, name, fate, instance, at=now, noted=steady)
        self._deliveries[info_hash] = delivery
        if len(self._deliveries) > MOST_DELIVERIES:
            del self._deliveries[next(iter(self._deliveries))]

    def forget(self, info_hashes: Iterable[str]) -> None:
        """Show some of them no longer."""
        for info_hash in info_hashes:
            self._deliveries.pop(info_hash, None)

    def newest_first(self) -> list[RecentDelivery]:
        """Return those of the last hour."""
        since = self._clock.monotonic() - SHOWN_SECONDS
        self.forget([one.info_hash for one in self._deliveries.values() if one.noted <= since])
        return [*reversed(self._deliveries.values())]

    @property
    def seconds_left(self) -> float | None:
        """Return when the first of them will be too old; None if there are none."""
        if not self._deliveries:
            return None
        oldest = next(iter(self._deliveries.values()))
        return max(0.0, oldest.noted + SHOWN_SECONDS - self._clock.monotonic())
