"""Deliveries that an instance lists but may not have saved: watched until it had the time to.

qBittorrent answers and lists long before it writes. A kill within seconds of an answered add, or
merely a restart, loses what was not written (docs/qbittorrent.md). So a delivery is looked
at again, after that time and at every sign of a restart. What is missing then was lost by the
restart and is delivered again, or, without any sign of one, was deleted by the user and is not.
What is still there after a restart gets its full time again. Where the server's log said that it
cannot save, or where it would not say so, no time is enough: then it is kept (keeping.py).
"""

from collections.abc import Sequence
from copy import replace
import logging

from ..clock import Clock
from ..health.instance import InstanceMonitor
from ..log_words import counted
from ..outbox.crash import LOSSES, after_loss
from ..outbox.job import Job, Reason, Stage
from ..outbox.outbox import Outbox
from ..qbittorrent.errors import ServerError
from ..qbittorrent.incarnation import Incarnation
from ..turns import cooperatively

_LOGGER = logging.getLogger(__name__)

SETTLE_SECONDS = 60.0
"""Generous: 200 magnets were saved after 1 to 5 s, 2000 after 2 to 10 s."""
SETTLE_SECONDS_EACH = 1 / 200
"""On top for each magnet under way, after the slowest disk seen: 200 resume files a second."""


async def reconcile(monitor: InstanceMonitor, outbox: Outbox, clock: Clock) -> list[Job]:
    """Look after the deliveries to one instance; what it lost goes back into the queue.

    Return what has failed instead: a magnet that crashes the instance.
    """
    key = monitor.settings.key
    jobs = [job for job in outbox.at(Stage.SETTLING) if job.sent_to == key]
    if not jobs or not monitor.is_ok:
        return []
    settled_before = clock.now() - SETTLE_SECONDS - len(jobs) * SETTLE_SECONDS_EACH
    process = monitor.client.process
    if not any(
        job.sent_at <= settled_before
        or job.incarnation.renewals != process.renewals
        or process.differs_from(job.incarnation)
        for job in jobs
    ):
        return []
    # The log says whether it could save, and may have been read long ago.
    if not await monitor.answers_ok():
        return []
    try:
        due, listed, incarnation = await _look(monitor, jobs, settled_before)
        may_fail_unsaid = await monitor.saves.may_fail_unsaid()
    except ServerError as err:
        monitor.report_failure(err)
        return []
    lost = []
    async for job in cooperatively(due):
        if outbox.get(job.info_hash) is not job:
            continue  # given again, or removed, while the instance was asked
        is_listed = job.info_hash in listed
        if not job.incarnation.is_same_as(incarnation):
            if is_listed:
                again = job.delivered_to(key, clock.now(), incarnation)
                # Only a process that has never failed to save proves that this was saved.
                failed = job.unsaved or monitor.save_failed_wall >= job.sent_at
                outbox.put(replace(again, unsaved=failed and monitor.has_failed_to_save))
            else:
                lost.append(job)
        elif is_listed and (
            job.unsaved or may_fail_unsaid or monitor.save_failed_wall >= job.sent_at
        ):
            process = replace(incarnation, log_began=monitor.saves.log_began)
            outbox.put(replace(job, stage=Stage.KEPT, unsaved=True, incarnation=process))
        elif not is_listed or may_fail_unsaid is not None:
            complete(outbox, job)
    return take_back(monitor, outbox, lost, clock.now())


def take_back(
    monitor: InstanceMonitor, outbox: Outbox, lost: Sequence[Job], now: float
) -> list[Job]:
    """Put what was lost back into the queue; return what has failed, as it crashes the instance.

    A restart proves nothing. But what is lost again and again, as soon as it is there, may be the
    reason: such magnets are delivered one by one, and the only one that is lost then crashed it.
    """
    key, back, failed = monitor.settings.key, 0, []
    unexplained = [
        job for job in lost if not job.unsaved and monitor.save_failed_wall < job.sent_at
    ]
    new_losses = {job.info_hash for job in unexplained}
    again = {job.info_hash for job in unexplained if job.losses + 1 >= LOSSES}
    for job in lost:
        if outbox.get(job.info_hash) is not job:
            continue
        requeued = replace(job.requeued(), losses=job.losses + (job.info_hash in new_losses))
        if job.stage is Stage.KEPT:  # it has not waited in the queue all that time
            requeued = replace(requeued, queued_at=now)
        if job.info_hash in again:
            alone = job.crash is not None and len(again) == 1
            crash = after_loss(job.crash, key, now, alone=alone)
            requeued = replace(requeued, crash=crash)
            if crash.is_proven:
                requeued = requeued.failed_with(Reason.CRASHES_SERVER.value, now)
                failed.append(requeued)
        outbox.put(requeued)
        back += requeued.stage is Stage.QUEUED
    if back:
        _LOGGER.warning(
            "%s lost %s in a restart, which will be delivered again",
            monitor.settings.name,
            counted(back, "magnet"),
        )
    return failed


async def _look(
    monitor: InstanceMonitor, jobs: Sequence[Job], settled_before: float
) -> tuple[list[Job], set[str], Incarnation]:
    """Return the jobs that are due, the info-hashes of those listed, and which process says so.

    Due is what was delivered before `settled_before`, or to another process. Raises ServerError.
    """
    incarnation = await monitor.current_incarnation()
    due = [
        job
        for job in jobs
        if job.sent_at <= settled_before or not job.incarnation.is_same_as(incarnation)
    ]
    listed = await monitor.client.find([job.magnet for job in due])
    if len(listed) < len(due):  # a restart may lie between the two questions
        incarnation = await monitor.current_incarnation()
    if incarnation.renewals is not None:  # else the process has only just started
        incarnation = Incarnation(monitor.client.renewals, incarnation.launched)
    return due, listed, incarnation


def complete(outbox: Outbox, job: Job) -> None:
    """Take a delivery out of the outbox, unless something has to be remembered of it.

    That is where another instance may turn out to have it, too, or where the user wants it.
    """
    if job.suspects:
        outbox.put(replace(job, stage=Stage.DUPLICATE_CHECK, file=None))
    elif outbox.remember_seconds:
        outbox.put(job.remembered())
    else:
        outbox.drop(job.info_hash)
