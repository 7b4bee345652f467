"""What a caller is told of each magnet."""

from dataclasses import dataclass, replace
from enum import StrEnum

from .magnet import Magnet


class Fate(StrEnum):
    """What became of a magnet in one call or pass."""

    ADDED = "added"
    ALREADY_PRESENT = "already_present"
    QUEUED = "queued"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One magnet's fate: at which instance (by name), or for which reason."""

    magnet: Magnet
    fate: Fate
    instance: str | None = None
    reason: str | None = None

    def seen_again(self) -> Outcome:
        """Return what a second caller is told of a magnet that the first had delivered."""
        if self.fate is Fate.ADDED:
            return replace(self, fate=Fate.ALREADY_PRESENT)
        return self
