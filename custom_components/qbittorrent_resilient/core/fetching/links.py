"""The web links that wait: on disk before they are fetched, until what they lead to is accepted.

They are kept in an outbox of their own, each as the job that it will be, whose magnet is no magnet
but names the link (web_link.py). Such a job never leaves this folder. In place of an instance, its
intent names the torrent that it led to (hand_over.py).
"""

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Sequence
import contextlib
from dataclasses import dataclass
from typing import Any

from ..clock import BELIEVED_SECONDS, Alarm
from ..delivery.pass_state import PassContext
from ..errors import StorageError
from ..events import EventItem, EventType
from ..outbox.job import Job, Reason, Stage
from ..outbox.outbox import Outbox
from ..reconciliation.maintenance import correct_times_ahead
from ..routine import Routine
from .hand_over import Deliver, HandOver, of_links
from .lanes import few_at_a_time
from .link_outcome import LinkOutcome
from .rounds import Fetches, Round, Rounds

TICK_SECONDS = 10.0
"""How often it is looked whether a link is due, or has waited for too long."""


@dataclass(frozen=True, slots=True)
class LinkHandling:
    """The outbox that links are kept in, and what fetches them; None: they are kept only."""

    outbox: Outbox
    fetcher: Fetches | None = None


@dataclass(frozen=True, slots=True)
class KeptLinks:
    """Links that were accepted for a call, and what was in the outbox before of each."""

    jobs: Sequence[Job] = ()
    before: Sequence[Job | None] = ()


class WebLinks:
    """Keeps links, fetches them, and hands over what they lead to."""

    def __init__(
        self,
        handling: LinkHandling,
        *,
        deliver: Deliver,
        publish: Callable[[Iterable[EventItem]], None],
        expiry_seconds: float,
        context: PassContext,
    ) -> None:
        """Begin with nothing read; the jobs that links become go to the outbox of `context`."""
        outbox, fetcher = handling.outbox, handling.fetcher
        clock, queue = context.clock, context.outbox
        self._outbox = outbox
        self._queue = queue
        self._hand_over = HandOver(
            outbox, deliver=deliver, queue=queue, publish=publish, clock=clock
        )
        self._rounds: Rounds | None = None
        if fetcher is not None:
            self._rounds = Rounds(outbox, fetcher, self._hand_over, clock=clock)
        self._publish = publish
        self._expiry = expiry_seconds
        self._clock = clock
        self._follow_clock = context.follow_clock
        self._believes_clock = Alarm(clock, BELIEVED_SECONDS)
        self._looking = Routine(self._look, "A look at the web links")
        self._stopped = False

    @property
    def are_fetched(self) -> bool:
        """Tell whether links are fetched at all."""
        return self._rounds is not None

    @property
    def busy(self) -> bool:
        """Tell whether a link is being fetched."""
        return self._rounds is not None and bool(self._rounds.busy)

    def at(self, stage: Stage) -> list[Job]:
        """Return the links of a stage, oldest first, but those that are magnets already."""
        under_way = self._hand_over.under_way
        return [job for job in self._outbox.at(stage) if job.info_hash not in under_way]

    def magnets_of(self, keys: Collection[str] | None) -> set[str]:
        """Return the info-hashes of the magnets that links have just become, by their keys."""
        under_way = self._hand_over.under_way
        chosen = map(self._outbox.get, under_way if keys is None else under_way & {*keys})
        return {job.sent_to for job in chosen if job is not None and job.sent_to}

    def job(self, key: str) -> Job | None:
        """Return the link with this key, or None."""
        return self._outbox.get(key)

    def count(self, stage: Stage) -> int:
        """Return how many links are in a stage, but for those that are magnets already."""
        others = map(self._outbox.get, self._hand_over.under_way)
        return self._outbox.count(stage) - sum(job.stage is stage for job in others if job)

    def reason(self, job: Job) -> str:
        """Return why a link waits or has failed."""
        if job.stage is Stage.FAILED:
            return job.reason
        return (Reason.FETCH if self.are_fetched else Reason.WEB_LINK).value

    async def start(self) -> None:
        """Read the outbox; raises StorageError. The queue has been read before.

        A link that was handed over is done with. What was not to be queued failed with its call.
        """
        await self._outbox.load()
        for job in self._handed_over():
            self._outbox.drop(job.info_hash)
        now = self._clock.now()
        for job in self._outbox.at(Stage.QUEUED):
            if not job.keep:
                self._outbox.put(job.failed_with(Reason.FETCH.value, now))

    def _handed_over(self) -> list[Job]:
        """Return the links whose torrent is in the queue, for at least as long."""
        found = []
        for job in self._outbox.at(Stage.QUEUED):
            torrent = None if job.sent_to is None else self._queue.of_torrent(job.sent_to)
            if torrent is not None and torrent.keep >= job.keep:
                found.append(job)
        return found

    def run(self) -> Coroutine[Any, Any, None]:
        """Fetch what is due and let expire what waits for too long, until stopped."""
        return self._looking.run(lambda: TICK_SECONDS)

    async def stop(self) -> None:
        """Cut off what is being fetched; the links are on disk."""
        self._stopped = True
        self._looking.stop()
        if self._rounds is not None:
            await self._rounds.stop()
        with contextlib.suppress(StorageError):  # the next start does it
            await self._finish_handed_over()
        self._outbox.close()

    async def _finish_handed_over(self) -> None:
        """Be done with links whose delivery was cut off: what they led to is in the queue."""
        if handed_over := self._handed_over():
            await self._queue.commit()
            for job in handed_over:
                self._outbox.drop(job.info_hash)
            await self._outbox.commit()

    async def accept(self, jobs: Sequence[Job]) -> KeptLinks:
        """Keep links, which are jobs of `WebLink.as_magnet`.

        Raises StorageError, and then none is kept.
        """
        if not jobs:
            return KeptLinks()
        before = [self._outbox.get(job.info_hash) for job in jobs]
        return KeptLinks(await self._outbox.accept(jobs), before)

    async def take_back(self, links: KeptLinks) -> None:
        """Have these links as they were before, as their call fails; a fetch comes to nothing."""
        for job, before in zip(links.jobs, links.before, strict=True):
            if self._outbox.get(job.info_hash) is not job:
                continue  # somebody else has changed it since
            if before is None:
                self._outbox.drop(job.info_hash)
            else:
                self._outbox.put(before)
        with contextlib.suppress(StorageError):  # the outbox has said so; the next one has it, too
            await self._outbox.commit()

    async def deliver(self, links: KeptLinks, *, wait_for_vpn: float = 0.0) -> list[LinkOutcome]:
        """Fetch links, and deliver what they lead to; return what became of each.

        What is not fetched in CALL_SECONDS goes on in the background, if it is to be queued.
        """
        if self._rounds is None:
            return []
        work = Round(wait_for_vpn, is_call=True)
        outcomes = await self._rounds.outcomes(links.jobs, work)
        own = (one for one in outcomes if not (one.found or one.shared))
        self._publish(of_links(one.outcome for one in own))
        return outcomes

    async def retry(self) -> list[LinkOutcome]:
        """Fetch all that waits now; return what became of each link."""
        if self._rounds is None:
            return []
        return await self._rounds.outcomes(self.at(Stage.QUEUED), Round(is_call=False))

    async def remove(
        self, stage: Stage, keys: Collection[str] | None, became: set[str]
    ) -> list[Job]:
        """Remove links of a stage, by their keys, or all; raises StorageError.

        Those that are magnets at that moment are not removed: `became` gets their info-hashes.
        """

        def removals() -> Iterator[tuple[Job, None]]:
            became.update(self.magnets_of(keys))
            for chosen in self._chosen(stage, keys):
                if (job := self._outbox.get(chosen.info_hash)) is not None:
                    yield job, None

        return await self._outbox.change(removals())

    async def forget(self, removed: Iterable[Job], hashes: Collection[str] = ()) -> None:
        """Be done with links that are delivered as magnets which the user removes.

        `hashes` are those of magnets that may not be in the queue yet. Raises StorageError, and
        then all are as they were.
        """
        topics = {one for job in removed for one in (job.magnet.v1, job.magnet.v2) if one}
        topics.update(hashes)
        if gone := [job for job in self._outbox.at(Stage.QUEUED) if job.sent_to in topics]:
            await self._outbox.change((job, None) for job in gone)

    async def requeue(self, keys: Collection[str] | None) -> list[Job]:
        """Move failed links, by their keys, or all, back to the queue; raises StorageError."""
        now = self._clock.now()
        chosen = self._chosen(Stage.FAILED, keys)
        changed = await self._outbox.change((job, job.requeued(now)) for job in chosen)
        for job in changed:
            self._hand_over.backoff.forget(job.info_hash)
        self._looking.wake()
        return [job.requeued(now) for job in changed]

    def _chosen(self, stage: Stage, keys: Collection[str] | None) -> list[Job]:
        return [job for job in self.at(stage) if keys is None or job.info_hash in keys]

    async def _look(self) -> None:
        """Let expire what waits for too long, and begin to fetch what is due."""
        self._follow_clock()
        now, rounds = self._clock.now(), self._rounds
        if self._believes_clock.rings():
            await correct_times_ahead(self._outbox, now)
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
        backoff, steady = self._hand_over.backoff, self._clock.monotonic()
        due = [job for job in waiting if backoff.is_over(job.info_hash, steady)]
        async for job in few_at_a_time(due):
            if self._outbox.get(job.info_hash) is job and not self._stopped:
                rounds.begin(job, work)
