"""What the user has had tried again: if it fails again at once, that is no news for a while.

Whoever selects "Try again" in a repair does not want to see the same repair seconds later. What
fails again is back on the failed list at once, and in a repair when it has been quiet for long
enough, or as soon as something else fails.
"""

from collections.abc import Iterable

from .core.clock import Clock

QUIET_SECONDS = 600.0
MOST_RETRIED = 10_000
"""How many are remembered; of more, the rest is told of at once."""


class Retried:
    """The keys of what was moved from the failed list back to the queue a short time ago."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none."""
        self._clock = clock
        self._since: dict[str, float] = {}

    def note(self, keys: Iterable[str]) -> None:
        """Remember that some are tried again now."""
        now = self._clock.monotonic()
        for key in keys:
            self._since.pop(key, None)
            if len(self._since) < MOST_RETRIED:
                self._since[key] = now

    def quiet(self) -> list[str]:
        """Return the keys of those that are not to be told of yet, the first to end first."""
        since = self._clock.monotonic() - QUIET_SECONDS
        self._since = {key: at for key, at in self._since.items() if at > since}
        return [*self._since]

    def seconds_left(self) -> float | None:
        """Return for how long the first of them stays quiet; None if there are none."""
        if not self._since:
            return None
        first = next(iter(self._since.values()))
        return max(0.0, first + QUIET_SECONDS - self._clock.monotonic())
