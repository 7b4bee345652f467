"""How many magnets were delivered since the entry was set up, and when the last one was.

The count is written some seconds later, so that no delivery waits for it. Each job carries its
ordinal meanwhile, which is on disk with the delivery itself: what a kill takes from the count is
made good from there.
"""

from dataclasses import dataclass

from ..clock import ClockStep
from .job import Job, Stage


@dataclass(slots=True)
class Deliveries:
    """The count so far; `last_at` is in epoch seconds, or None before the first delivery."""

    count: int = 0
    last_at: float | None = None

    def add(self, at: float) -> int:
        """Count a delivery, and return its ordinal."""
        self.count += 1
        self.last_at = at
        return self.count

    def catch_up_with(self, job: Job) -> None:
        """Count what was delivered up to a stored job, if it was not known."""
        if job.ordinal is None or job.ordinal <= self.count:
            return
        self.count = job.ordinal
        if job.stage is not Stage.QUEUED and job.sent_at:
            self.last_at = max(self.last_at or 0.0, job.sent_at)

    def shift(self, step: ClockStep) -> None:
        """Correct the time of the last delivery, if it was taken from a clock that was wrong."""
        if self.last_at is not None and step.since <= self.last_at <= step.until:
            self.last_at += step.by
