"""Intents: which instance a job is about to be sent to, on disk before it is sent.

New jobs get theirs together with the first write. After a kill right then, the instance is asked
first, although it may not have been sent anything.
"""

from collections.abc import Sequence

from ..outbox.job import Job
from .failover import InstancePool, kinds


def with_intents(jobs: Sequence[Job], pool: InstancePool, now: float) -> list[Job]:
    """Return new jobs with the intent to send each to the first instance that can get it now."""
    firsts = {(job.require_vpn, job.instances): pool.active_for(job) for job in kinds(jobs)}

    def intended(job: Job) -> Job:
        first = firsts[job.require_vpn, job.instances]
        return job if first is None else job.with_intent(first.settings.key, now)

    return [intended(job) for job in jobs]


def not_yet_sent(given: Sequence[Job], accepted: Sequence[Job]) -> list[str]:
    """Return the info-hashes of jobs whose intent is the one that `given` brought with it.

    A job that was in the outbox before keeps its earlier intent: that one may have been sent.
    """
    return [
        job.info_hash
        for job, new in zip(accepted, given, strict=True)
        if job.sent_to is not None and (job.sent_to, job.sent_at) == (new.sent_to, new.sent_at)
    ]
