"""What a caller is told of each magnet."""

from dataclasses import dataclass, replace
from enum import StrEnum

from .entry import REMOVED
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


def as_given(magnet: Magnet, outcome: Outcome | None, *, shared: bool) -> Outcome:
    """Return the outcome for one caller, under the link that this caller gave.

    None stands for a magnet that left the books without one. `shared` is true where another caller
    had it delivered.
    """
    if outcome is None:
        return Outcome(magnet, Fate.FAILED, reason=REMOVED)
    if shared and outcome.fate is Fate.ADDED:
        return replace(outcome, magnet=magnet, fate=Fate.ALREADY_PRESENT)
    return outcome if outcome.magnet is magnet else replace(outcome, magnet=magnet)
