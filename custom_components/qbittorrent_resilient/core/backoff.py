"""How long a magnet waits before its next try, after tries that have not delivered it."""

from dataclasses import dataclass
import random

BACKOFF_SECONDS = (10.0, 300.0)
"""First and longest wait of a magnet that a healthy instance would not take, doubled each time.

Full jitter as AWS recommends it; the figures are those that clients of this kind use.
"""


@dataclass(slots=True)
class _Wait:
    """Until when a magnet waits that so many tries in a row have not delivered."""

    tries: int = 0
    until: float = 0.0


class Backoff:
    """The magnets that wait, by info-hash; times are epoch seconds."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waits: dict[str, _Wait] = {}

    def is_over(self, key: str, now: float) -> bool:
        """Tell whether a magnet may be tried."""
        wait = self._waits.get(key)
        return wait is None or wait.until <= now

    def tried(self, key: str, now: float) -> None:
        """Let a magnet that was tried in vain wait, longer each time."""
        first, longest = BACKOFF_SECONDS
        wait = self._waits.setdefault(key, _Wait())
        most = min(first * 2.0 ** min(wait.tries, 10), longest)
        wait.tries += 1
        wait.until = now + random.uniform(0, most)  # noqa: S311

    def forget(self, key: str) -> None:
        """Begin anew with a magnet."""
        self._waits.pop(key, None)

    def clear(self) -> None:
        """Begin anew with all of them."""
        self._waits.clear()

    def shift(self, by: float) -> None:
        """Follow a clock that was set by so many seconds."""
        for wait in self._waits.values():
            wait.until += by
