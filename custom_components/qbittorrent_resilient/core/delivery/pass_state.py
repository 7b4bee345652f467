"""What a pass knows of its jobs: which are pending, where they may be, and what became of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from copy import replace
from dataclasses import dataclass
from operator import attrgetter

from ..clock import Clock
from ..health.error_status import status_of
from ..health.instance import InstanceMonitor
from ..health.status import InstanceStatus
from ..outbox.crash import Crash, after_going_down, after_return
from ..outbox.job import Job, Reason, Stage
from ..outbox.outbox import Outbox
from ..turns import cooperatively
from .attempt import Attempt, Verdict
from .failover import InstancePool
from .outcome import Fate, Outcome
from .survey import Survey

INTENT_SECONDS = 10.0
"""An intent older than this when the job's turn comes is recorded again: its 15 min begin."""


@dataclass(frozen=True, slots=True)
class PassContext:
    """What all passes share.

    `send_lock` is held while sending. `follow_clock` corrects the times in the outbox where the
    clock was set; it is called before they are compared with the time.
    """

    pool: InstancePool
    outbox: Outbox
    send_lock: asyncio.Lock
    clock: Clock
    follow_clock: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who waits for the answer; `wait_for_vpn` is for how many seconds the VPN may be."""

    wait_for_vpn: float = 0.0


class PassState:
    """The jobs of one pass, in the outbox; pending is what is neither delivered nor given up."""

    def __init__(
        self,
        context: PassContext,
        info_hashes: Collection[str],
        *,
        caller: Caller | None,
        not_yet_sent: Iterable[str],
    ) -> None:
        """Begin; jobs that are `not_yet_sent` have an intent that nothing has come of so far.

        A caller is told of what fails, so what is not to be queued leaves the outbox then.
        """
        self._context = context
        self._outbox = context.outbox
        self._info_hashes = info_hashes
        self._caller = caller
        self._not_yet_sent = set(not_yet_sent)
        self.survey = Survey()
        """What the instances said and met, up to now."""
        self.silent: set[str] = set()
        """Instances that have not answered what became of magnets they were sent."""
        self.gone: set[str] = set()
        """Instances that went down right after they were sent something."""
        self._outcomes: dict[str, Outcome] = {}
        self._unsettled = dict.fromkeys(info_hashes)
        """The jobs without an outcome, in the order in which they were given."""

    def outcomes_in_order(self) -> dict[str, Outcome]:
        """Return what became of the jobs, in the order in which they were given."""
        found = ((info_hash, self._outcomes.get(info_hash)) for info_hash in self._info_hashes)
        return {info_hash: outcome for info_hash, outcome in found if outcome is not None}

    def _settle(self, job: Job, outcome: Outcome) -> None:
        """Take note of what became of a job: it is not pending any more."""
        self._outcomes[job.info_hash] = outcome
        self._unsettled.pop(job.info_hash, None)

    def pending_job(self, info_hash: str) -> Job | None:
        """Return a job as it is now, if it is still pending."""
        job = self._outbox.get(info_hash) if info_hash in self._unsettled else None
        return job if job is not None and job.stage is Stage.QUEUED else None

    async def each_pending(self, info_hashes: Iterable[str] | None = None) -> AsyncGenerator[Job]:
        """Yield pending jobs, all or these, re-read one by one; yields to the event loop."""
        wanted = list(self._unsettled) if info_hashes is None else info_hashes
        async for info_hash in cooperatively(wanted):
            if (job := self.pending_job(info_hash)) is not None:
                yield job

    async def pending(self) -> list[Job]:
        """Return all pending jobs, oldest first."""
        jobs = [job async for job in self.each_pending()]
        return sorted(jobs, key=attrgetter("queued_at"))

    async def sent_before(self) -> dict[str, list[Job]]:
        """Return the pending jobs that an instance may have been sent, by its key."""
        sent: dict[str, list[Job]] = {}
        for job in await self.pending():
            if job.sent_to is not None and job.info_hash not in self._not_yet_sent:
                sent.setdefault(job.sent_to, []).append(job)
        return sent

    async def record_intent(
        self, monitor: InstanceMonitor, jobs: Iterable[Job], *, again: bool = False
    ) -> None:
        """Record, durably, that these are about to be sent there; raises StorageError.

        `again`: it was recorded in this pass; only what is not on disk any more is written.
        """
        self._context.follow_clock()  # it may have been set while we asked, or sent
        key, now = monitor.settings.key, self._context.clock.now()
        info_hashes = [job.info_hash for job in jobs]
        async for job in self.each_pending(info_hashes):
            if job.sent_to != key or job.sent_at <= now - INTENT_SECONDS:
                self._outbox.put(job.with_intent(key, now))
        await self._outbox.commit(info_hashes if again else None)
        self._not_yet_sent.difference_update(info_hashes)

    async def clear_intent(self, jobs: Iterable[Job]) -> None:
        """Record that these are not where they were, or were about to be, sent."""
        async for job in self.each_pending(job.info_hash for job in jobs):
            self._outbox.put(job.without_intent())

    async def suspect_target(self, jobs: Iterable[Job]) -> None:
        """Record that these are not where they were sent, and may turn up there nevertheless."""
        async for job in self.each_pending(job.info_hash for job in jobs):
            self._outbox.put(job.suspecting_target())

    def apply(self, monitor: InstanceMonitor, attempt: Attempt) -> None:
        """Record what an attempt found out about each job, in their order."""
        if attempt.error is not None:
            self.survey.errors[monitor.settings.key] = attempt.error
        if {Verdict.UNCERTAIN, Verdict.CRASHED} & {*attempt.verdicts.values()}:
            self.silent.add(monitor.settings.key)
        if attempt.went_down or attempt.crashes:
            self.gone.add(monitor.settings.key)
        self._context.follow_clock()
        now = self._context.clock.now()
        for info_hash, verdict in attempt.verdicts.items():
            if (job := self._outbox.get(info_hash)) is None:
                continue
            match verdict:
                case Verdict.ADDED:
                    self.confirm(monitor, job, Fate.ADDED)
                case Verdict.ALREADY_PRESENT:
                    self.confirm(monitor, job, Fate.ALREADY_PRESENT)
                case Verdict.REJECTED:
                    self._give_up(job, Reason.REJECTED.value)
                case Verdict.SUSPECTED:
                    self._outbox.put(job.suspecting_target())
                case Verdict.UNCERTAIN:
                    attempted = job.attempted(Reason.UNCERTAIN.value, now)
                    if attempt.went_down:
                        attempted = replace(attempted, crash=self._crash(monitor, job, attempt))
                    self.mark_uncertain(replace(attempted, sent_at=now))
                case Verdict.CRASHED:
                    crash = replace(self._crash(monitor, job, attempt), is_open=False)
                    self._note_crash(job.without_intent(), crash)

    def _crash(self, monitor: InstanceMonitor, job: Job, attempt: Attempt) -> Crash:
        """Return what is known of an instance that went down after an attempt with a job."""
        alone, process = attempt.alone, attempt.process
        crash = after_going_down(
            job.crash,
            monitor.settings.key,
            self._context.clock.now(),
            alone=alone,
            process=process,
        )
        return replace(crash, crashes=crash.crashes + attempt.crashes * alone)

    def _note_crash(self, job: Job, crash: Crash | None) -> None:
        """Record what is known of a crash; a job that is proven to be the reason has failed."""
        self._outbox.put(noted := replace(job, crash=crash))
        if crash is not None and crash.is_proven:
            self._give_up(noted, Reason.CRASHES_SERVER.value)

    async def judge_return(self, monitor: InstanceMonitor, jobs: Iterable[Job]) -> None:
        """Record whether an instance that is back, without these jobs, was restarted."""
        key, process = monitor.settings.key, monitor.client.process
        async for job in self.each_pending(job.info_hash for job in jobs):
            crash = job.crash
            if crash is not None and crash.is_open and crash.instance == key:
                self._note_crash(job, after_return(crash, process))

    def confirm(self, monitor: InstanceMonitor, job: Job, fate: Fate) -> None:
        """Record that an instance lists a job; it stays in the outbox until it is saved there."""
        settings, now = monitor.settings, self._context.clock.now()
        if job.info_hash in self._not_yet_sent:
            job = job.without_intent()
        counts = self._counts(job, settings.key, fate)
        delivered = job.delivered_to(
            settings.key,
            now,
            self.survey.incarnations[settings.key],
            unsaved=_may_be_unsaved(monitor, job, fate),
            ordinal=self._outbox.deliveries.add(now) if counts else job.ordinal or 0,
        )
        if fate is Fate.ADDED:
            delivered = delivered.suspecting(sorted(self.survey.too_slow - {settings.key}))
        self._outbox.put(delivered)
        self._settle(job, Outcome(job.magnet, fate, instance=settings.name))

    def _counts(self, job: Job, key: str, fate: Fate) -> bool:
        """Tell whether a job that an instance lists is a delivery that was not counted yet.

        What was there before it was sent is none, unless it has waited in the queue. What a
        restart lost counts once; what is given again and added again counts again.
        """
        if fate is Fate.ADDED:
            return self._caller is not None or not job.ordinal
        return job.ordinal is None and (self._caller is None or job.sent_to == key)

    def mark_uncertain(self, job: Job) -> None:
        """Leave a job alone that an instance may have and that cannot be asked now."""
        if job.keep or self._caller is None:
            self._outbox.put(job)
            fate, reason = Fate.QUEUED, Reason.UNCERTAIN.value
        else:
            self._outbox.put(replace(job, stage=Stage.TOMBSTONE, file=None))
            fate, reason = Fate.FAILED, self._status_word(job.sent_to)
        self._settle(job, Outcome(job.magnet, fate, reason=reason))

    async def finish_pending(self) -> None:
        """Settle what is still pending: it waits on, or its caller is told that it failed."""
        now = self._context.clock.now()
        async for job in self.each_pending([job.info_hash for job in await self.pending()]):
            if job.info_hash in self._not_yet_sent:
                job = job.without_intent()
            if job.sent_to is not None:
                self.mark_uncertain(job)
                continue
            reason = self._reason(job)
            if not job.keep:
                self._give_up(job, reason)
                continue
            self._outbox.put(job.attempted(reason, now))
            self._settle(job, Outcome(job.magnet, Fate.QUEUED, reason=reason))

    def _give_up(self, job: Job, reason: str) -> None:
        """Put a job on the failed list, or out of the outbox where the caller is told instead."""
        if job.keep or self._caller is None:
            now = self._context.clock.now()
            self._outbox.put(job.attempted(reason, now).failed_with(reason, now))
        else:
            self._outbox.drop(job.info_hash)
        self._settle(job, Outcome(job.magnet, Fate.FAILED, reason=reason))

    def _reason(self, job: Job) -> str:
        """Return why a job still waits at the end of the pass."""
        first = self._context.pool.first_for(job)
        if first is not None and first.is_ok:
            return self._status_word(first.settings.key)
        return self._context.pool.waiting_reason(job)

    def _status_word(self, key: str | None) -> str:
        """Return the status word for what an instance met in this pass."""
        if key is not None and (err := self.survey.errors.get(key)):
            return status_of(err).value
        monitor = None if key is None else self._context.pool.by_key.get(key)
        if monitor is None or monitor.is_ok:
            return InstanceStatus.ERROR.value
        return (monitor.status or InstanceStatus.TIMEOUT).value


def _may_be_unsaved(monitor: InstanceMonitor, job: Job, fate: Fate) -> bool:
    """Tell whether an instance that lists a job may have been unable to save it before."""
    if job.sent_to == monitor.settings.key:  # given again, it is as unsaved as before
        return job.unsaved or monitor.save_failed_wall >= job.sent_at
    # Nobody knows when it got there.
    return fate is Fate.ALREADY_PRESENT and monitor.has_failed_to_save
