"""What a caller is told of each magnet."""

from dataclasses import dataclass, replace
from enum import StrEnum

from ..magnet import Magnet
from ..outbox.job import Reason


class Fate(StrEnum):
    """What became of a magnet in one call or pass."""

    ADDED = "added"
    ALREADY_PRESENT = "already_present"
    ALREADY_DELIVERED = "already_delivered"
    QUEUED = "queued"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One magnet's fate: at which instance (by name), or for which reason."""

    magnet: Magnet
    fate: Fate
    instance: str | None = None
    reason: str | None = None


def as_shared(outcome: Outcome) -> Outcome:
    """Return the outcome for a caller whose magnet another caller had delivered."""
    added = outcome.fate is Fate.ADDED
    return replace(outcome, fate=Fate.ALREADY_PRESENT) if added else outcome


def outcome_for(magnet: Magnet, outcome: Outcome | None, *, shared: bool) -> Outcome:
    """Return the outcome for one caller, under the link that this caller gave.

    None stands for a magnet that left the outbox without an outcome. `shared` is true where
    another caller had it delivered.
    """
    if outcome is None:
        return Outcome(magnet, Fate.FAILED, reason=Reason.REMOVED.value)
    if shared:
        outcome = as_shared(outcome)
    return outcome if outcome.magnet is magnet else replace(outcome, magnet=magnet)
