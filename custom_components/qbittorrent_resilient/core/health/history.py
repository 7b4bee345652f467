"""The latest looks at the VPN or an instance, for diagnostics; they are in memory only."""

from collections import deque
from dataclasses import dataclass

LAST_LOOKS = 20
"""They cover the last ten minutes at the usual pace."""
LAST_CHANGES = 50
"""With a handful a day they cover some days; a server that flaps takes no more memory."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look: when (epoch seconds), the verdict after it (None: none yet), and what it rests on.

    `in_doubt` says that the look spoke against the verdict. Latency (ms) and loss (percent) are
    those of pings.
    """

    at: float
    verdict: str | None
    reason: str | None = None
    in_doubt: bool = False
    latency: float | None = None
    loss: float | None = None

    def says_the_same(self, other: Look) -> bool:
        """Tell whether both looks have the same verdict and reason."""
        return (self.verdict, self.reason) == (other.verdict, other.reason)


class History:
    """The last looks, and the last looks that changed something."""

    def __init__(self) -> None:
        """Begin without a look."""
        self.looks: deque[Look] = deque(maxlen=LAST_LOOKS)
        self.changes: deque[Look] = deque(maxlen=LAST_CHANGES)
        self.looked = 0
        """How many looks there were since the start."""
        self.changed = 0

    def note(self, look: Look) -> None:
        """Record a look; the first look counts as a change."""
        if not self.looks or not look.says_the_same(self.looks[-1]):
            self.changed += 1
            self.changes.append(look)
        self.looked += 1
        self.looks.append(look)
