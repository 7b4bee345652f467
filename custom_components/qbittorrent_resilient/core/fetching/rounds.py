"""Rounds of fetches: some links are fetched together, and what is ready at a time is delivered."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
import contextlib
from copy import replace
from dataclasses import dataclass
import logging
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
from .lanes import Lanes, few_at_a_time
from .web_link import WebLink

_LOGGER = logging.getLogger(__name__)

WAITS_SECONDS = (30.0, 1800.0)
"""First and longest wait of a link that could not be fetched: sites ban who asks too often."""
CALL_SECONDS = 40.0
"""How long a call waits for its fetches; a fetch takes 30 s, if there is a lane for it at once."""


class Fetches(Protocol):
    """Fetches a link."""

    async def fetch(self, link: WebLink) -> Fetch:
        """Return what it leads to, or why it cannot be fetched."""


class Deliver(Protocol):
    """Takes jobs in and delivers them, as the dispatcher does."""

    def __call__(
        self, jobs: Sequence[Job], *, wait_for_vpn: float = 0.0, from_queue: bool = False
    ) -> Awaitable[list[Outcome]]:
        """Return what became of each; raises StorageError, and then none is accepted."""


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """What became of a link, by its key; if it was not `found` out, the magnet names the link."""

    key: str
    outcome: Outcome
    found: bool


class Round:
    """Some links that are fetched together; what is ready at a time is delivered in one go."""

    def __init__(self, wait_for_vpn: float = 0.0, *, is_call: bool) -> None:
        self.wait_for_vpn = wait_for_vpn
        self.is_call = is_call
        """Whether somebody waits who is told what became of them."""
        self.fetching: set[str] = set()
        self.left: set[str] = set()
        """The links that nobody waits for any more."""
        self.ready: dict[str, tuple[Job, Fetch]] = {}
        self.outcomes: dict[str, LinkOutcome] = {}
        self.delivering = asyncio.Lock()


class Rounds:
    """Fetches the links of an outbox, and hands over what they lead to."""

    def __init__(
        self,
        outbox: Outbox,
        fetcher: Fetches,
        *,
        deliver: Deliver,
        queue: Outbox,
        publish: Callable[[Iterable[EventItem]], None],
        clock: Clock,
    ) -> None:
        """`queue` keeps the torrent files of the jobs that links become."""
        self._outbox = outbox
        self._fetcher = fetcher
        self._deliver = deliver
        self._queue = queue
        self._publish = publish
        self._clock = clock
        self._lanes = Lanes()
        self._stopped = False
        self._tasks: dict[str, asyncio.Task[LinkOutcome]] = {}
        """What is fetched and delivered now, by the keys of the links."""
        self.backoff = Backoff(WAITS_SECONDS)
        self.handed_over: set[str] = set()
        """The links that are being delivered, by their keys: they are magnets already."""

    @property
    def busy(self) -> Collection[str]:
        """Return the keys of the links that are being fetched."""
        return self._tasks.keys()

    async def stop(self) -> None:
        """Cut everything off, and begin no more; the links are on disk."""
        self._stopped = True
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def begin(self, job: Job, work: Round) -> asyncio.Task[LinkOutcome]:
        """Begin to fetch a link, or join whoever does."""
        if (task := self._tasks.get(job.info_hash)) is None:
            task = asyncio.create_task(self._fetch(job, work), name="web link")
            self._tasks[job.info_hash] = task
            if self._stopped:
                task.cancel()
            task.add_done_callback(lambda task: self._ended(job.info_hash, task))
        return task

    def _ended(self, key: str, task: asyncio.Task[LinkOutcome]) -> None:
        del self._tasks[key]
        if not task.cancelled() and (err := task.exception()) is not None:
            # Its trace may name hosts.
            _LOGGER.error("The delivery of a web link broke off: %s", type(err).__name__)

    async def outcomes(self, jobs: Iterable[Job], work: Round) -> list[LinkOutcome]:
        """Fetch links and return what became of each; no fetch is waited for any longer then."""
        by_key = {job.info_hash: job for job in jobs}
        joined: set[str] = set()
        tasks: dict[str, asyncio.Task[LinkOutcome]] = {}
        async for key, job in few_at_a_time(by_key.items()):
            joined |= {key} & self._tasks.keys()
            tasks[key] = self.begin(job, work)
        if tasks:
            await asyncio.wait(tasks.values(), timeout=CALL_SECONDS)
        running = {key for key, task in tasks.items() if not task.done()}
        late = {key for key in running if key in joined or key in work.fetching}
        work.left |= late  # they go on in the background
        if work.is_call:
            await self._give_up_late({key: tasks[key] for key in late - joined})
        outcomes = []
        for key, task in tasks.items():
            if key in late:
                outcomes.append(self._not_settled(by_key[key]))
                continue
            await asyncio.wait([task])  # it is being delivered
            broke_off = task.cancelled() or task.exception() is not None
            outcome = self._not_settled(by_key[key]) if broke_off else task.result()
            if key in joined:
                outcome = replace(outcome, outcome=as_shared(outcome.outcome))
            outcomes.append(outcome)
        return outcomes

    async def _give_up_late(self, tasks: Mapping[str, asyncio.Task[LinkOutcome]]) -> None:
        """Give up what was not fetched in time, unless it is to be queued, by whichever call."""
        for key, task in tasks.items():
            job = self._outbox.get(key)
            if job is not None and not job.keep:
                task.cancel()
                self._outbox.drop(key)
        await self._commit()

    def _not_settled(self, job: Job) -> LinkOutcome:
        """Return what a caller is told of a link that nothing is known of yet."""
        if self._outbox.get(job.info_hash) is None:
            return _not_found(job, Fate.FAILED, Reason.FETCH.value)
        return _queued(job)

    async def _fetch(self, job: Job, work: Round) -> LinkOutcome:
        """Fetch one link; then deliver all that is ready in this round."""
        link, key = WebLink.of_magnet(job.magnet), job.info_hash
        work.fetching.add(key)
        try:
            async with self._lanes.at(link.url.host or ""):
                fetch = await self._fetcher.fetch(link)
        except Exception as err:  # noqa: BLE001 - one of these must not be tried without a pause
            _LOGGER.warning("A web link could not be fetched: %s", type(err).__name__)
            fetch = NotNow("the fetch broke off")
        finally:
            work.fetching.discard(key)
        work.ready[key] = job, fetch
        async with work.delivering:
            if key in work.ready:
                ready, work.ready = work.ready, {}
                work.outcomes |= await self._settle(ready, work)
        return work.outcomes.pop(key, None) or _queued(job)

    async def _settle(
        self, ready: Mapping[str, tuple[Job, Fetch]], work: Round
    ) -> dict[str, LinkOutcome]:
        """Record what fetches have found out, and deliver what they have found."""
        outcomes: dict[str, LinkOutcome] = {}
        found: dict[str, Job] = {}
        awaited = {key for key in ready if work.is_call and key not in work.left}
        for key, (given, fetch) in ready.items():
            job = self._outbox.get(key)
            if job is None or job.stage is not Stage.QUEUED:
                outcomes[key] = _not_found(given, Fate.FAILED, Reason.REMOVED.value)
                continue
            match fetch:
                case Fetched(what):
                    try:
                        found[key] = await self._job_of(job, what)
                    except StorageError:
                        outcomes[key] = self._not_now(job)
                case NotNow():
                    outcomes[key] = self._not_now(job)
                case NotEver(reason):
                    outcomes[key] = self._give_up(job, reason.value, is_call=key in awaited)
        await self._commit()
        gone = {key: found.pop(key) for key in [*found] if self._outbox.get(key) is None}
        for key in gone:
            outcomes[key] = _not_found(ready[key][0], Fate.FAILED, Reason.REMOVED.value)
        await self._queue.release([job.file for job in gone.values() if job.file])
        if found:
            outcomes |= await self._hand_over(
                found, work.wait_for_vpn, is_call=bool(awaited & found.keys())
            )
        return outcomes

    async def _job_of(self, job: Job, found: Magnet | TorrentFile) -> Job:
        """Return the job that a link has become; raises StorageError."""
        new = replace(job, attempts=0, last_attempt=None, reason="")
        if isinstance(found, Magnet):
            return replace(new, magnet=found)
        return replace(
            new, magnet=found.magnet, file=await self._queue.torrent_files.put(found.data)
        )

    async def _hand_over(
        self, jobs: Mapping[str, Job], wait_for_vpn: float, *, is_call: bool
    ) -> dict[str, LinkOutcome]:
        """Deliver jobs that links have become, by the keys of these, which then are done with."""
        self.handed_over |= jobs.keys()
        try:
            outcomes = await self._deliver(
                [*jobs.values()], wait_for_vpn=wait_for_vpn, from_queue=not is_call
            )
        except StorageError:
            links = [job for key in jobs if (job := self._outbox.get(key)) is not None]
            return {job.info_hash: self._not_now(job) for job in links}
        finally:
            self.handed_over -= jobs.keys()
        told: dict[str, LinkOutcome] = {}
        seen: set[str] = set()
        for (key, job), outcome in zip(jobs.items(), outcomes, strict=True):
            self.backoff.forget(key)
            given = self._outbox.get(key)
            if outcome.fate is Fate.FAILED and given is not None and given.keep and not job.keep:
                told[key] = _queued(given)  # meanwhile somebody else wants it to be queued
                continue
            self._outbox.drop(key)
            again = outcome.magnet.info_hash in seen
            seen.add(outcome.magnet.info_hash)
            told[key] = LinkOutcome(key, as_shared(outcome) if again else outcome, found=True)
        await self._commit()
        return told

    def _not_now(self, job: Job) -> LinkOutcome:
        """Let a link wait, or have its caller told that it failed."""
        reason, now = Reason.FETCH.value, self._clock.now()
        if not job.keep:
            self._outbox.drop(job.info_hash)
            return _not_found(job, Fate.FAILED, reason)
        self._outbox.put(job.attempted(reason, now))
        self.backoff.tried(job.info_hash, now)
        return _queued(job)

    def _give_up(self, job: Job, reason: str, *, is_call: bool) -> LinkOutcome:
        """Put a link on the failed list, unless its caller wants to be told only."""
        self.backoff.forget(job.info_hash)
        if not job.keep:
            self._outbox.drop(job.info_hash)
        else:
            now = self._clock.now()
            self._outbox.put(job.attempted(reason, now).failed_with(reason, now))
        if not is_call:
            self._publish([EventItem(EventType.FAILED, job.magnet, None, reason)])
        return _not_found(job, Fate.FAILED, reason)

    async def _commit(self) -> None:
        with contextlib.suppress(StorageError):  # the outbox has said so; the next one has it, too
            await self._outbox.commit()


def _not_found(job: Job, fate: Fate, reason: str) -> LinkOutcome:
    return LinkOutcome(job.info_hash, Outcome(job.magnet, fate, reason=reason), found=False)


def _queued(job: Job) -> LinkOutcome:
    return _not_found(job, Fate.QUEUED, Reason.FETCH.value)
