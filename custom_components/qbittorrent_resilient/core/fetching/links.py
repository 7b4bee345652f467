"""The web links that wait: on disk before they are fetched, until what they lead to is accepted.

They are kept in an outbox of their own, each as the job that it will be, whose magnet is no magnet
but names the link (web_link.py). Such a job never leaves this folder. After a kill between the
acceptance of what a link led to and the removal of the link, it is fetched again: the same hash is
known then, and nothing is delivered twice.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
import contextlib
from dataclasses import dataclass
import logging

from ..clock import Clock, ClockWatch
from ..errors import StorageError
from ..events import EventItem, EventType
from ..outbox.job import Job, Reason, Stage
from ..outbox.outbox import Outbox
from .lanes import few_at_a_time
from .rounds import Deliver, Fetches, LinkOutcome, Round, Rounds

_LOGGER = logging.getLogger(__name__)

TICK_SECONDS = 10.0
"""How often it is looked whether a link is due, or has waited for too long."""


@dataclass(frozen=True, slots=True)
class LinkHandling:
    """The outbox that links are kept in, and what fetches them; None: they are kept only."""

    outbox: Outbox
    fetcher: Fetches | None = None


class WebLinks:
    """Keeps links, fetches them, and hands over what they lead to."""

    def __init__(
        self,
        handling: LinkHandling,
        *,
        deliver: Deliver,
        queue: Outbox,
        publish: Callable[[Iterable[EventItem]], None],
        expiry_seconds: float,
        clock: Clock,
    ) -> None:
        """Begin with nothing read; `queue` is where the jobs go that links become."""
        outbox, fetcher = handling.outbox, handling.fetcher
        self._outbox = outbox
        self._rounds: Rounds | None = None
        if fetcher is not None:
            self._rounds = Rounds(
                outbox, fetcher, deliver=deliver, queue=queue, publish=publish, clock=clock
            )
        self._publish = publish
        self._expiry = expiry_seconds
        self._clock = clock
        self._clock_watch = ClockWatch(clock)
        self._wake = asyncio.Event()
        self._stopped = False

    @property
    def are_fetched(self) -> bool:
        """Tell whether links are fetched at all."""
        return self._rounds is not None

    @property
    def busy(self) -> bool:
        """Tell whether a link is being fetched."""
        return self._rounds is not None and bool(self._rounds.busy)

    @property
    def _handed_over(self) -> Collection[str]:
        return () if self._rounds is None else self._rounds.handed_over

    def at(self, stage: Stage) -> list[Job]:
        """Return the links of a stage, oldest first, but those that are magnets already."""
        return [job for job in self._outbox.at(stage) if job.info_hash not in self._handed_over]

    def job(self, key: str) -> Job | None:
        """Return the link with this key, or None."""
        return self._outbox.get(key)

    def count(self, stage: Stage) -> int:
        """Return how many links are in a stage, but for those that are magnets already."""
        others = map(self._outbox.get, self._handed_over)
        return self._outbox.count(stage) - sum(job.stage is stage for job in others if job)

    def reason(self, job: Job) -> str:
        """Return why a link waits or has failed."""
        if job.stage is Stage.FAILED:
            return job.reason
        return (Reason.FETCH if self.are_fetched else Reason.WEB_LINK).value

    async def start(self) -> None:
        """Read the outbox; raises StorageError. What was not to be queued failed with its call."""
        await self._outbox.load()
        now = self._clock.now()
        for job in self._outbox.at(Stage.QUEUED):
            if not job.keep:
                self._outbox.put(job.failed_with(Reason.FETCH.value, now))

    async def run(self) -> None:
        """Fetch what is due and let expire what waits for too long, until stopped."""
        while not self._stopped:
            self._wake.clear()
            try:
                await self._look()
            except StorageError:
                pass  # the outbox has said so
            except Exception:  # the links would be left to themselves
                _LOGGER.exception("A look at the web links broke off; the next one goes on")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._wake.wait()

    async def stop(self) -> None:
        """Cut off what is being fetched; the links are on disk."""
        self._stopped = True
        self._wake.set()
        if self._rounds is not None:
            await self._rounds.stop()
        self._outbox.close()

    async def add(self, jobs: Sequence[Job], *, wait_for_vpn: float = 0.0) -> list[LinkOutcome]:
        """Keep links, fetch them, and deliver what they lead to; return what became of each.

        `jobs` are those of `WebLink.as_magnet`. Raises StorageError if they cannot be kept. What
        is not fetched in CALL_SECONDS goes on in the background, if it is to be queued.
        """
        accepted = await self._outbox.accept(jobs)
        if self._rounds is None:
            return []
        outcomes = await self._rounds.outcomes(accepted, Round(wait_for_vpn, is_call=True))
        told = [one.outcome for one in outcomes if not one.found]
        self._publish(
            EventItem(EventType(one.fate.value), one.magnet, None, one.reason) for one in told
        )
        return outcomes

    async def retry(self) -> list[LinkOutcome]:
        """Fetch all that waits now; return what became of each link."""
        if self._rounds is None:
            return []
        return await self._rounds.outcomes(self.at(Stage.QUEUED), Round(is_call=False))

    async def remove(self, stage: Stage, keys: Collection[str] | None) -> list[Job]:
        """Remove links of a stage, by their keys, or all; raises StorageError."""
        return await self._outbox.change((job, None) for job in self._chosen(stage, keys))

    async def requeue(self, keys: Collection[str] | None) -> list[Job]:
        """Move failed links, by their keys, or all, back to the queue; raises StorageError."""
        now = self._clock.now()
        chosen = self._chosen(Stage.FAILED, keys)
        changed = await self._outbox.change((job, job.requeued(now)) for job in chosen)
        if self._rounds is not None:
            for job in changed:
                self._rounds.backoff.forget(job.info_hash)
        self._wake.set()
        return [job.requeued(now) for job in changed]

    def _chosen(self, stage: Stage, keys: Collection[str] | None) -> list[Job]:
        return [job for job in self.at(stage) if keys is None or job.info_hash in keys]

    async def _look(self) -> None:
        """Let expire what waits for too long, and begin to fetch what is due."""
        if (step := self._clock_watch.step()) is not None:
            for job in self._outbox.everything():
                self._outbox.put(job.with_times_shifted(step.by, step.since, step.until))
            if self._rounds is not None:
                self._rounds.backoff.shift(step.by)
        now, rounds = self._clock.now(), self._rounds
        busy = () if rounds is None else rounds.busy
        waiting = [job for job in self.at(Stage.QUEUED) if job.info_hash not in busy]
        expired = [job for job in waiting if job.queued_at <= now - self._expiry]
        for job in expired:
            self._outbox.put(job.failed_with(Reason.EXPIRED.value, now))
        await self._outbox.commit()
        self._publish(
            EventItem(EventType.FAILED, job.magnet, None, Reason.EXPIRED.value) for job in expired
        )
        if rounds is None:
            return
        work = Round(is_call=False)
        due = [job for job in waiting if rounds.backoff.is_over(job.info_hash, now)]
        async for job in few_at_a_time(due):
            if self._outbox.get(job.info_hash) is job and not self._stopped:
                rounds.begin(job, work)
