"""The worker: does in the background what no caller waits for.

It sleeps until it is woken (an instance turned ok, a job was queued) or until some seconds have
passed. Then it delivers what is due, and looks after what was delivered.
"""

import asyncio
from collections.abc import Callable, Iterable
import logging

from .backoff import Backoff
from .clock import BELIEVED_SECONDS, Alarm
from .delivery.deliverer import Deliverer
from .delivery.delivery_pass import Outcomes
from .delivery.failover import may_go
from .delivery.outcome import Fate
from .delivery.pass_state import PassContext
from .events import EventItem, EventType, of_pass
from .log_words import counted
from .outbox.job import UNCERTAIN_SECONDS, Job, Reason, Stage
from .reconciliation.duplicates import find_duplicates
from .reconciliation.keeping import Keeper
from .reconciliation.maintenance import correct_times_ahead, expire, forget_removed
from .reconciliation.settling import reconcile
from .routine import Routine
from .turns import cooperatively

_LOGGER = logging.getLogger(__name__)

TICK_SECONDS = 10.0
"""How often the worker looks whether something is due: a settled delivery, an expired wait."""
SET_UP_AGAIN_SECONDS = 60.0
"""So long after its start, an instance that was removed may be set up again with what it has."""


class Worker:
    """Drains the queue, reconciles what was delivered, expires what waits for too long."""

    def __init__(
        self,
        context: PassContext,
        deliverer: Deliverer,
        backoff: Backoff,
        *,
        publish: Callable[[Iterable[EventItem]], None],
        expiry_seconds: float,
    ) -> None:
        """Work on the outbox of `context`; what waits for `expiry_seconds` has failed.

        `publish` takes what is worth an event.
        """
        self._context = context
        self._pool = context.pool
        self._outbox = context.outbox
        self._clock = context.clock
        self._deliverer = deliverer
        self._backoff = backoff
        self._keeper = Keeper(context.outbox, context.clock)
        self._forgets_removed = Alarm(context.clock, SET_UP_AGAIN_SECONDS)
        self._believes_clock = Alarm(context.clock, BELIEVED_SECONDS)
        self._publish = publish
        self._expiry = expiry_seconds
        self._draining = Routine(self.drain, "A pass over the queue")
        self._reconciling = Routine(self.reconcile, "A look after deliveries")

    def wake(self) -> None:
        """Look at once whether something is due."""
        self._draining.wake()
        self._reconciling.wake()

    def stop(self) -> None:
        """Begin nothing more; `run` returns soon."""
        self._draining.stop()
        self._reconciling.stop()

    async def run(self) -> None:
        """Work until stopped. Looking after deliveries must not hold up the next one."""
        await asyncio.gather(*(one.run(_tick) for one in (self._draining, self._reconciling)))

    async def reconcile(self) -> None:
        """Look after what was delivered; what was lost again is delivered at once."""
        self._context.follow_clock()
        for monitor in self._pool:
            failed = await reconcile(monitor, self._outbox, self._clock)
            self._publish(
                EventItem(EventType.FAILED, job.magnet, reason=job.reason) for job in failed
            )
            await self._keeper.look(monitor)
            duplicates = await find_duplicates(monitor, self._outbox, self._clock)
            self._publish(
                EventItem(EventType.DUPLICATE, job.magnet, instance=monitor.settings.name)
                for job in duplicates
            )
        if self._forgets_removed.rings():
            forget_removed(self._outbox, self._pool.known)
        await self._outbox.commit()
        if self._outbox.count(Stage.QUEUED):
            self._draining.wake()

    async def drain(self) -> None:
        """Deliver what is due, and let what is still queued then wait before its next try."""
        self._context.follow_clock()
        now = self._clock.now()
        if self._believes_clock.rings():
            await correct_times_ahead(self._outbox, now)
        await self._expire(now)
        queued = self._outbox.at(Stage.QUEUED)
        due = [job async for job in cooperatively(queued) if self._is_due(job, now)]
        if not due:
            return
        outcomes = await self._deliverer.deliver_queued(due, self.publish_pass)
        delivered = (Fate.ADDED, Fate.ALREADY_PRESENT)
        if count := sum(outcome.fate in delivered for outcome in outcomes.values()):
            _LOGGER.info("Delivered %s from the queue", counted(count, "magnet"))
        async for info_hash in cooperatively(outcomes):
            self._back_off(info_hash)

    def publish_pass(self, outcomes: Outcomes) -> None:
        """Publish what a pass over the queue did."""
        self._publish(of_pass(outcomes.values()))

    async def _expire(self, now: float) -> None:
        """Move to the failed list what has waited for too long."""
        down = {
            monitor.settings.key for monitor in self._pool if monitor.status and not monitor.is_ok
        }
        expired = await expire(
            self._outbox, now, self._expiry, busy=self._deliverer.busy, down=down
        )
        await self._outbox.commit()
        self._publish(
            EventItem(EventType.FAILED, job.magnet, reason=Reason.EXPIRED.value) for job in expired
        )

    def _is_due(self, job: Job, now: float) -> bool:
        """Tell whether a pass could do something for a queued job."""
        is_busy = job.info_hash in self._deliverer.busy
        if is_busy or not self._backoff.is_over(job.info_hash, self._clock.monotonic()):
            return False
        if job.sent_to is not None and job.sent_at > now - UNCERTAIN_SECONDS:
            sent_to = self._pool.by_key.get(job.sent_to)
            if sent_to is None:
                return job.sent_to not in self._pool.known
            return sent_to.is_answering
        return any(
            monitor.is_ok and may_go(job, monitor, self._outbox, now) for monitor in self._pool
        )

    def _back_off(self, info_hash: str) -> None:
        """Let a job that is still queued after a pass wait before its next try."""
        job = self._outbox.get(info_hash)
        if job is None or job.stage is not Stage.QUEUED:
            self._backoff.forget(info_hash)
        else:
            self._backoff.tried(info_hash, self._clock.monotonic())


def _tick() -> float:
    return TICK_SECONDS  # looked up at each pause, so that the simulation can change it
