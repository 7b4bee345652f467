"""How many magnets were delivered since the entry was set up, and when the last one was.

The count is written some seconds later, so that no delivery waits for it. Each job carries its
ordinal meanwhile, which is on disk with the delivery itself: what a kill takes from the count is
made good from there. What is not on disk with its job yet is neither shown nor written: after a
kill, the job is delivered anew as far as anybody knows, and counts then.

A last delivery that lies ahead is not told of. Either the clock was ahead when it was taken, or it
is behind now, as that of a Raspberry Pi is until the network is there; then it is told of again.
"""

from dataclasses import dataclass

from ..clock import CLOCK_STEP_SECONDS, ClockStep
from .job import Job, Stage


@dataclass(slots=True)
class Deliveries:
    """The count so far; `last_at` is in epoch seconds, or None where it is not known.

    `ahead_at` is that of a last delivery that lies ahead. `unwritten` is how many of the count the
    disk does not have with their jobs.
    """

    count: int = 0
    last_at: float | None = None
    ahead_at: float | None = None
    unwritten: int = 0

    @property
    def written(self) -> int:
        """Return how many there were, as far as that is on disk."""
        return self.count - self.unwritten

    @property
    def stored_at(self) -> float | None:
        """Return the time to be kept over a restart."""
        return self.ahead_at if self.last_at is None else self.last_at

    def add(self, at: float) -> int:
        """Count a delivery, and return its ordinal."""
        self.count += 1
        self.unwritten += 1
        self.last_at, self.ahead_at = at, None
        return self.count

    def catch_up_with(self, job: Job) -> None:
        """Count what was delivered up to a stored job, if it was not known."""
        if job.ordinal is None or job.ordinal <= self.count:
            return
        self.count = job.ordinal
        if job.stage is not Stage.QUEUED and job.sent_at:
            self.last_at = max(self.last_at or 0.0, job.sent_at)

    def start(self, now: float) -> None:
        """Compare what was stored with the clock."""
        self.last_at, self.ahead_at = self.stored_at, None
        if self.last_at is not None and self.last_at >= now + CLOCK_STEP_SECONDS:
            self.last_at, self.ahead_at = None, self.last_at

    def shift(self, step: ClockStep) -> None:
        """Correct the time of the last delivery, if it was taken from a clock that was wrong."""
        if self.last_at is not None and step.since <= self.last_at <= step.until:
            self.last_at += step.by
        elif self.last_at is not None or step.by > 0:  # time alone proves nothing that lay ahead
            self.start(step.until + step.by)
