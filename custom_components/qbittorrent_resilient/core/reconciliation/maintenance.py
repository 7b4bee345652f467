"""What the jobs in the outbox mean after a restart, with time, and when the clock is set."""

from collections.abc import Collection, Container, Iterable
from copy import replace
import logging

from ..clock import ClockStep
from ..health.instance import InstanceMonitor
from ..health.status import InstanceStatus
from ..outbox.job import UNCERTAIN_SECONDS, Job, Reason, Stage
from ..outbox.outbox import Outbox
from ..turns import cooperatively
from .settling import complete

_LOGGER = logging.getLogger(__name__)

_LISTED = (Stage.SETTLING, Stage.KEPT)
_MAY_BE_TWICE = (Stage.QUEUED, Stage.FAILED, *_LISTED, Stage.DUPLICATE_CHECK)


async def recover(outbox: Outbox, instances: Collection[str], now: float) -> None:
    """See what the jobs of an earlier life mean now; `instances` are the keys of those set up.

    A job that was not to be queued failed when its call was cut off. A job that was delivered to an
    instance that has been removed cannot be looked after any more; where it is not known to which
    (that part of the journal was damaged), it is looked for as if it were new. One that may have
    what waits, failed or was delivered elsewhere may be set up anew, under another key: so all
    others may have it, and it stays a suspect itself until `forget_removed`. Where a wait would not
    end, a time that lies ahead counts as `now`; the others may be right (`correct_times_ahead`).
    """
    for job in outbox.at(Stage.QUEUED):
        if not job.keep and job.sent_to is None:
            outbox.put(job.failed_with(job.reason or InstanceStatus.ERROR.value, now))
    async for job in cooperatively(outbox.everything()):
        recovered = job
        removed = set(job.suspects).difference(instances)
        if removed and job.stage in _MAY_BE_TWICE:
            recovered = job.suspecting(key for key in instances if key != job.sent_to)
        recovered = _with_waits_that_end(recovered, now)
        if recovered.stage in _LISTED and recovered.sent_to is None:
            recovered = recovered.requeued()
        if recovered.crash is not None and recovered.crash.instance not in instances:
            recovered = replace(recovered, crash=None)
        if recovered is not job:
            outbox.put(recovered)
        is_removed = recovered.stage in _LISTED and recovered.sent_to not in instances
        if is_removed or recovered.stage is Stage.DUPLICATE_CHECK:
            complete(outbox, recovered)


def forget_removed(outbox: Outbox, instances: Collection[str]) -> None:
    """Suspect no more what was removed, is not set up again by now, and settles no delivery.

    `instances` are the keys of those set up.
    """
    for stage in (Stage.QUEUED, Stage.FAILED, Stage.DUPLICATE_CHECK):
        for job in outbox.at(stage):
            known = tuple(key for key in job.suspects if key in instances)
            if known == job.suspects:
                continue
            cleared = replace(job, suspects=known)
            if stage is Stage.DUPLICATE_CHECK:
                complete(outbox, cleared)
            else:
                outbox.put(cleared)


def _with_waits_that_end(job: Job, now: float) -> Job:
    """Return a job that waits for nothing in a time to come."""
    if job.sent_at > now:
        job = replace(job, sent_at=now)
    if job.crash is not None and job.crash.at > now:
        job = replace(job, crash=replace(job.crash, at=now))
    return job


async def expire(
    outbox: Outbox, now: float, expiry: float, *, busy: Container[str], down: Container[str]
) -> list[Job]:
    """Move what has waited for `expiry` seconds to the failed list, and return it.

    Forget what was only suspected. Leave alone what is `busy`, by info-hash: a pass works on it. A
    delivery has waited in vain only where its instance, by its key, is among those that are down.
    """
    limit = now - expiry
    waiting = [job for job in outbox.at(Stage.QUEUED) if job.queued_at <= limit]
    settling = [job for job in outbox.at(Stage.SETTLING) if job.sent_at <= limit]
    waiting += [job for job in settling if job.sent_to in down]
    expired = []
    async for job in cooperatively(waiting):
        if outbox.get(job.info_hash) is job and job.info_hash not in busy:
            outbox.put(job.suspecting_target().failed_with(Reason.EXPIRED.value, now))
            expired.append(job)
    uncertain = now - UNCERTAIN_SECONDS
    for job in outbox.at(Stage.DUPLICATE_CHECK):
        if job.sent_at <= limit:
            complete(outbox, replace(job, suspects=()))
    for job in outbox.at(Stage.TOMBSTONE):
        if job.sent_at <= uncertain:
            outbox.drop(job.info_hash)
    outbox.forget_delivered(now)
    return expired


async def correct_times_ahead(outbox: Outbox, now: float) -> None:
    """Replace each time that lies ahead by `now`, once the clock can be believed.

    What an earlier life queued while its clock was ahead would be last in line, and expire late.
    """
    async for job in cooperatively(outbox.everything()):
        corrected = job.with_no_time_ahead(now)
        if corrected is not job and outbox.get(job.info_hash) is job:
            outbox.put(corrected)


def shift_times(
    outboxes: Iterable[Outbox], instances: Iterable[InstanceMonitor], step: ClockStep
) -> None:
    """Correct the times that were taken from the clock before it was set.

    Those that an earlier process took may have been right; but none may lie ahead. All are
    corrected at once, though 100,000 hold up all else for up to a second: no pass may compare a
    time of before with the clock of now.
    """
    _LOGGER.info("The clock was set by %.0f s; the times in the queue follow it", step.by)
    for outbox in outboxes:
        for job in outbox.everything():
            shifted = job.with_times_shifted(step.by, step.since, step.until)
            shifted = shifted.with_no_time_ahead(step.until + step.by)
            if shifted is not job:
                outbox.put(shifted)
        outbox.deliveries.shift(step)
    for monitor in instances:
        monitor.shift_times(step)
