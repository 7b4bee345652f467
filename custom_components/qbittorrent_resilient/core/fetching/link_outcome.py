"""What became of a web link."""

from dataclasses import dataclass

from ..delivery.outcome import Fate, Outcome
from ..outbox.job import Job, Reason


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """What became of a link, by its key; if it was not `found` out, the magnet names the link.

    `shared` is true where somebody else had it fetched, and has told what came of that.
    """

    key: str
    outcome: Outcome
    found: bool
    shared: bool = False


def not_found(job: Job, fate: Fate, reason: str) -> LinkOutcome:
    """Return the outcome of a link that leads to nothing that is known."""
    return LinkOutcome(job.info_hash, Outcome(job.magnet, fate, reason=reason), found=False)


def still_waits(job: Job) -> LinkOutcome:
    """Return the outcome of a link that is to be fetched later."""
    return not_found(job, Fate.QUEUED, Reason.FETCH.value)
