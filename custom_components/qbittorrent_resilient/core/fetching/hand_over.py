"""Records what fetches have found out, and hands over what they have found.

Before that, the link is written with the hash of what it led to. After a kill, a link whose torrent
is in the queue is done with; many links work only once. Any other is fetched again, which gives the
same hash, so nothing is delivered twice.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
import contextlib
from copy import replace
from dataclasses import dataclass
from typing import Protocol

from ..backoff import Backoff
from ..clock import Clock
from ..delivery.outcome import Fate, Outcome, as_shared
from ..errors import StorageError
from ..events import EventItem, EventType
from ..magnet import Magnet
from ..outbox.job import Job, Reason, Stage
from ..outbox.outbox import Outbox
from ..torrent_file import TorrentFile
from .fetcher import Fetch, Fetched, NotEver, NotNow
from .link_outcome import LinkOutcome, not_found, still_waits

WAITS_SECONDS = (30.0, 1800.0)
"""First and longest wait of a link that could not be fetched: sites ban who asks too often."""


class Deliver(Protocol):
    """Takes jobs in and delivers them, as the dispatcher does."""

    def __call__(
        self, jobs: Sequence[Job], *, wait_for_vpn: float = 0.0, from_queue: bool = False
    ) -> Awaitable[list[Outcome]]:
        """Return what became of each; raises StorageError, and then none is accepted."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a link led to, and the torrent file that was put for it, if it is one."""

    magnet: Magnet
    file: str | None = None

    def job_of(self, link: Job) -> Job:
        """Return the job that a link becomes."""
        return replace(
            link.without_intent(),
            magnet=self.magnet,
            file=self.file,
            attempts=0,
            last_attempt=None,
            reason="",
        )


class HandOver:
    """Decides what becomes of links once they were fetched."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        deliver: Deliver,
        queue: Outbox,
        publish: Callable[[Iterable[EventItem]], None],
        clock: Clock,
    ) -> None:
        """`outbox` keeps the links, `queue` the torrent files of the jobs that they become."""
        self._outbox = outbox
        self._deliver = deliver
        self._queue = queue
        self._publish = publish
        self._clock = clock
        self.backoff = Backoff(WAITS_SECONDS)
        self.under_way: set[str] = set()
        """The links that are being delivered, by their keys: they are magnets already."""

    async def settle(
        self,
        ready: Mapping[str, tuple[Job, Fetch]],
        awaited: Collection[str],
        *,
        wait_for_vpn: float,
    ) -> dict[str, LinkOutcome]:
        """Record what fetches have found out, and deliver what they have found.

        `awaited` are the keys of the links whose caller tells what became of them.
        """
        outcomes: dict[str, LinkOutcome] = {}
        found: dict[str, _Found] = {}
        try:
            for key, (given, fetch) in ready.items():
                outcome = await self._judge(given, fetch, found)
                if outcome is not None:
                    outcomes[key] = outcome
            self._tell(outcomes[key] for key in outcomes.keys() - awaited)
            await self._commit()
            jobs = {
                key: one.job_of(link)
                for key, one in found.items()
                if (link := self._waiting(key)) is not None
            }
        except BaseException:
            await self._release(found.values())
            raise
        gone = found.keys() - jobs.keys()
        outcomes |= {key: _removed(ready[key][0]) for key in gone}
        try:
            if jobs:  # at once: nobody may remove one as a link that is delivered all the same
                is_awaited = bool(awaited & jobs.keys())
                outcomes |= await self._hand_over(jobs, wait_for_vpn, from_queue=not is_awaited)
        finally:
            await self._release(found[key] for key in gone)
        return outcomes

    async def _judge(
        self, given: Job, fetch: Fetch, found: dict[str, _Found]
    ) -> LinkOutcome | None:
        """Return what became of a link; None if it was found out what it leads to."""
        key = given.info_hash
        if (job := self._waiting(key)) is None:
            return _removed(given)
        match fetch:
            case NotNow():
                return self._not_now(job, fetch.wait)
            case NotEver(reason):
                return self._give_up(job, reason.value)
            case Fetched(what):
                try:
                    found[key] = await self._put(what)
                except StorageError:
                    return self._not_now(job)
        if (job := self._waiting(key)) is not None:
            self._outbox.put(job.with_intent(found[key].magnet.info_hash, self._clock.now()))
        return None

    def _waiting(self, key: str) -> Job | None:
        """Return a link that waits; the user may have removed it meanwhile."""
        job = self._outbox.get(key)
        return job if job is not None and job.stage is Stage.QUEUED else None

    async def _put(self, what: Magnet | TorrentFile) -> _Found:
        if isinstance(what, Magnet):
            return _Found(what)
        return _Found(what.magnet, await self._queue.torrent_files.put(what.data))

    async def _release(self, found: Iterable[_Found]) -> None:
        await self._queue.release([one.file for one in found if one.file])

    async def _hand_over(
        self, jobs: Mapping[str, Job], wait_for_vpn: float, *, from_queue: bool
    ) -> dict[str, LinkOutcome]:
        """Deliver jobs that links have become, by the keys of these, which then are done with."""
        self.under_way |= jobs.keys()
        try:
            outcomes = await self._deliver(
                [*jobs.values()], wait_for_vpn=wait_for_vpn, from_queue=from_queue
            )
        except StorageError:
            links = [job for key in jobs if (job := self._outbox.get(key)) is not None]
            return {job.info_hash: self._not_now(job) for job in links}
        finally:
            self.under_way -= jobs.keys()
        told: dict[str, LinkOutcome] = {}
        seen: set[str] = set()
        for (key, job), outcome in zip(jobs.items(), outcomes, strict=True):
            self.backoff.forget(key)
            given = self._outbox.get(key)
            if outcome.fate is Fate.FAILED and given is not None and given.keep and not job.keep:
                told[key] = still_waits(given)  # meanwhile somebody else wants it to be queued
                continue
            self._outbox.drop(key)
            again = outcome.magnet.info_hash in seen
            seen.add(outcome.magnet.info_hash)
            told[key] = LinkOutcome(key, as_shared(outcome) if again else outcome, found=True)
        await self._commit()
        return told

    def _not_now(self, job: Job, wait: float = 0.0) -> LinkOutcome:
        """Let a link wait, or have its caller told that it failed."""
        reason = Reason.FETCH.value
        if not job.keep:
            self._outbox.drop(job.info_hash)
            return not_found(job, Fate.FAILED, reason)
        self._outbox.put(job.attempted(reason, self._clock.now()))
        self.backoff.tried(job.info_hash, self._clock.monotonic(), at_least=wait)
        return still_waits(job)

    def _give_up(self, job: Job, reason: str) -> LinkOutcome:
        """Put a link on the failed list, unless its caller wants to be told only."""
        self.backoff.forget(job.info_hash)
        if not job.keep:
            self._outbox.drop(job.info_hash)
        else:
            now = self._clock.now()
            self._outbox.put(job.attempted(reason, now).failed_with(reason, now))
        return not_found(job, Fate.FAILED, reason)

    def _tell(self, outcomes: Iterable[LinkOutcome]) -> None:
        """Publish the failures that no caller tells of."""
        failed = [one.outcome for one in outcomes if one.outcome.fate is Fate.FAILED]
        self._publish(of_links(failed))

    async def _commit(self) -> None:
        with contextlib.suppress(StorageError):  # the outbox has said so; the next one has it, too
            await self._outbox.commit()


def of_links(outcomes: Iterable[Outcome]) -> list[EventItem]:
    """Return what is published of links that led to nothing so far; the user has removed some."""
    return [
        EventItem(EventType(one.fate.value), one.magnet, None, one.reason)
        for one in outcomes
        if one.reason != Reason.REMOVED.value
    ]


def _removed(job: Job) -> LinkOutcome:
    return not_found(job, Fate.FAILED, Reason.REMOVED.value)
