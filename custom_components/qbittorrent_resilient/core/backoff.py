"""How long a magnet waits for its next attempt, after attempts that did not deliver it."""

from dataclasses import dataclass
import random

BACKOFF_SECONDS = (10.0, 300.0)
"""First and longest wait, in seconds, of a magnet that a healthy instance does not take.

The wait doubles with each attempt, with full jitter as AWS recommends it. Other clients of this
kind use the same figures.
"""


@dataclass(slots=True)
class _Wait:
    """How many attempts in a row did not deliver a magnet, and until when it waits."""

    tries: int = 0
    until: float = float("-inf")


class Backoff:
    """The magnets that wait, by info-hash; times are steady seconds, which nobody can set."""

    def __init__(self, limits: tuple[float, float] | None = None) -> None:
        """Begin without a waiting magnet; `limits` are the first and the longest wait."""
        self._limits = limits
        self._waits: dict[str, _Wait] = {}

    def is_over(self, info_hash: str, now: float) -> bool:
        """Tell whether a magnet may be attempted again."""
        wait = self._waits.get(info_hash)
        return wait is None or wait.until <= now

    def tried(self, info_hash: str, now: float, *, at_least: float = 0.0) -> None:
        """Make a magnet wait after an attempt that did not deliver it, longer each time."""
        first, longest = self._limits or BACKOFF_SECONDS
        wait = self._waits.setdefault(info_hash, _Wait())
        limit = min(first * 2.0 ** min(wait.tries, 10), longest)
        wait.tries += 1
        wait.until = now + max(random.uniform(0, limit), at_least)  # noqa: S311

    def forget(self, info_hash: str) -> None:
        """Forget the attempts of a magnet."""
        self._waits.pop(info_hash, None)

    def clear(self) -> None:
        """Forget the attempts of all magnets."""
        self._waits.clear()
