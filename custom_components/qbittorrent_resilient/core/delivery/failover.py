"""Which instance gets a job first, and which one next."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..health.instance import InstanceMonitor
from ..health.status import InstanceStatus
from ..outbox.crash import LOSSES, PAUSE_SECONDS
from ..outbox.job import Job, Reason, Stage
from ..outbox.outbox import Outbox


def is_eligible(job: Job, monitor: InstanceMonitor) -> bool:
    """Tell whether the job's wishes allow this instance."""
    settings = monitor.settings
    if job.instances is not None and {settings.key, settings.name}.isdisjoint(job.instances):
        return False
    return settings.requires_vpn or not job.require_vpn


def kinds(jobs: Iterable[Job]) -> Collection[Job]:
    """Return one job of each kind: those of one kind may go to the same instances."""
    return {(job.require_vpn, job.instances): job for job in jobs}.values()


def may_go(job: Job, monitor: InstanceMonitor, outbox: Outbox, now: float) -> bool:
    """Tell whether the job may be sent to this instance now (epoch seconds).

    One that may crash it waits until everything else there had the time to be saved; so does each
    of those that were lost again and again, as one of them may.
    """
    if not is_eligible(job, monitor):
        return False
    if job.crash is None:
        return True
    key = monitor.settings.key
    return job.crash.allows(key, now) and not (
        (job.crash.crashes or job.losses >= LOSSES)
        and any(
            other.sent_to == key and other.sent_at > now - PAUSE_SECONDS
            for other in outbox.at(Stage.SETTLING)
        )
    )


class InstancePool:
    """The configured instances in the order of their priority."""

    def __init__(self, monitors: Iterable[InstanceMonitor], unusable: Collection[str] = ()) -> None:
        """Sort them: the lowest priority number comes first.

        `unusable` are the keys of instances that are configured and cannot be asked anything.
        """
        self._monitors = sorted(monitors, key=lambda monitor: monitor.settings.priority)
        self.by_key: Mapping[str, InstanceMonitor] = {
            monitor.settings.key: monitor for monitor in self._monitors
        }
        self.known: frozenset[str] = frozenset((*self.by_key, *unusable))
        self.slow: set[str] = set()
        """Those, by key, that could not be asked within the time limit when last asked."""
        self._asking: set[asyncio.Task[None]] = set()

    def begin(self, question: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin to ask an instance; that goes on even if nobody waits for it any more."""
        task = asyncio.create_task(question, name="magnet survey")
        self._asking.add(task)
        task.add_done_callback(self._asked)
        return task

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # perhaps nobody waits for it

    async def stop(self) -> None:
        """Cut all questions off."""
        tasks = set(self._asking)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def __iter__(self) -> Iterator[InstanceMonitor]:
        """Iterate, the first in line first."""
        return iter(self._monitors)

    @property
    def active(self) -> InstanceMonitor | None:
        """Return the instance that the next magnet would go to."""
        return next((monitor for monitor in self if monitor.is_ok), None)

    def in_line(self, job: Job) -> Sequence[InstanceMonitor]:
        """Return the instances in the order that the job wants; of those it names, what is left."""
        if job.instances is None:
            return self._monitors
        by_name = {monitor.settings.name: monitor for monitor in self}
        found = (self.by_key.get(one) or by_name.get(one) for one in job.instances)
        return [monitor for monitor in found if monitor is not None]

    def eligible(self, job: Job) -> Iterator[InstanceMonitor]:
        """Yield the instances that the job may go to, the first in line first."""
        return (monitor for monitor in self.in_line(job) if is_eligible(job, monitor))

    def active_for(self, job: Job) -> InstanceMonitor | None:
        """Return the instance that the job would go to now."""
        return next((monitor for monitor in self.eligible(job) if monitor.is_ok), None)

    def first_for(self, job: Job) -> InstanceMonitor | None:
        """Return the first instance that the job may go to."""
        return next(self.eligible(job), None)

    def waiting_reason(self, job: Job) -> str:
        """Return why a job is still queued: a Reason or an InstanceStatus."""
        if job.sent_to is not None:
            return Reason.UNCERTAIN.value
        if (first := self.first_for(job)) is None or self._only_crashes(job):
            return Reason.NO_INSTANCE.value
        if first.status is None or first.is_ok:
            return job.reason or (first.status or InstanceStatus.TIMEOUT).value
        return first.status.value

    def _only_crashes(self, job: Job) -> bool:
        """Tell whether the only instance that may still get the job is one that it may not go to.

        What has crashed an instance goes to no other one.
        """
        if job.crash is None or not job.crash.crashes:
            return False
        crashed = self.by_key.get(job.crash.instance)
        return crashed is not None and not is_eligible(job, crashed)
