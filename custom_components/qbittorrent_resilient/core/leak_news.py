"""News of leaks: what is told when the torrents of an instance turn out to take the home line."""

from collections.abc import Callable, Iterable

from .events import EventItem, EventType
from .health.instance import InstanceMonitor
from .health.route import RouteState


class LeakNews:
    """Publishes each leak once; those that the first checks find, when somebody listens."""

    def __init__(self, publish: Callable[[Iterable[EventItem]], None]) -> None:
        """Hold back what is found until `start`."""
        self._publish = publish
        self._early: list[EventItem] | None = []

    def start(self) -> None:
        """Publish what was found so far, and from now on at once."""
        early, self._early = self._early, None
        for leak in early or ():
            self._publish([leak])

    def route_changed(self, monitor: InstanceMonitor, before: RouteState, now: RouteState) -> None:
        """Take note of an instance's new route."""
        if now is not RouteState.LEAKING or before is now:
            return
        leak = EventItem(EventType.LEAK, None, instance=monitor.settings.name)
        if self._early is None:
            self._publish([leak])
        else:
            self._early.append(leak)
