"""The hosts that want to be left alone for a while, and for how long: `Retry-After`."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 3600.0
"""Whatever a host says, it is asked again after this."""
_MOST_DIGITS = 9


class Pauses:
    """Until when each host is left alone, in steady seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Begin without any."""
        self._monotonic = monotonic
        self._until: dict[str, float] = {}

    def begin(self, host: str, seconds: float) -> None:
        """Leave a host alone for so long, unless that has been longer already."""
        until = self._monotonic() + min(seconds, LONGEST_SECONDS)
        self._until[host] = max(until, self._until.get(host, until))

    def left(self, host: str) -> float:
        """Return for how many seconds a host is left alone from now on; 0: it may be asked."""
        left = self._until.get(host, 0.0) - self._monotonic()
        if left <= 0:
            self._until.pop(host, None)
        return max(left, 0.0)


def retry_after(said: str, date: str) -> float:
    """Return how many seconds a host wants to be left alone; 0 if it does not say so.

    `said` is its `Retry-After`: seconds, or a time by its own clock, which its `Date` tells.
    """
    said = said.strip()
    if said.isascii() and said.isdecimal():
        return min(float(said[:_MOST_DIGITS]), LONGEST_SECONDS)
    try:
        seconds = (parsedate_to_datetime(said) - parsedate_to_datetime(date)).total_seconds()
    except TypeError, ValueError, OverflowError:
        return 0.0
    return min(max(seconds, 0.0), LONGEST_SECONDS)
