"""Rounds of fetches: some links are fetched together, and what is ready at a time is delivered."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
import contextlib
from copy import replace
import logging
from typing import Protocol

from ..clock import Clock
from ..delivery.outcome import Fate, as_shared
from ..errors import InvalidLinkError, StorageError
from ..log_words import cause
from ..outbox.job import Job, Reason
from ..outbox.outbox import Outbox
from .fetcher import Fetch, NotEver, NotNow
from .hand_over import HandOver
from .lanes import Lanes, few_at_a_time
from .link_outcome import LinkOutcome, not_found, still_waits
from .pauses import Pauses
from .web_link import WebLink

_LOGGER = logging.getLogger(__name__)

CALL_SECONDS = 40.0
"""How long a call waits for its fetches; a fetch takes 30 s, if there is a lane for it at once."""


class Fetches(Protocol):
    """Fetches a link."""

    async def fetch(self, link: WebLink) -> Fetch:
        """Return what it leads to, or why it cannot be fetched."""


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
    """Fetches the links of an outbox, and has what they lead to handed over."""

    def __init__(
        self, outbox: Outbox, fetcher: Fetches, hand_over: HandOver, *, clock: Clock
    ) -> None:
        """Fetch with `fetcher`."""
        self._outbox = outbox
        self._fetcher = fetcher
        self._hand_over = hand_over
        self._lanes = Lanes()
        self._pauses = Pauses(clock.monotonic)
        self._stopped = False
        self._tasks: dict[str, asyncio.Task[LinkOutcome]] = {}
        """What is fetched and delivered now, by the keys of the links."""

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
            _LOGGER.error("The delivery of a web link broke off: %s", cause(err))

    async def outcomes(self, jobs: Iterable[Job], work: Round) -> list[LinkOutcome]:
        """Fetch links and return what became of each; no fetch is waited for any longer then."""
        by_key = {job.info_hash: job for job in jobs}
        joined: set[str] = set()
        tasks: dict[str, asyncio.Task[LinkOutcome]] = {}
        try:
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
                if key not in late:
                    await asyncio.wait([task])  # it is being delivered
                outcome = self._outcome(by_key[key], None if key in late else task)
                outcomes.append(_as_joined(outcome) if key in joined else outcome)
        except asyncio.CancelledError:
            work.left |= tasks.keys()
            raise
        return outcomes

    def _outcome(self, job: Job, task: asyncio.Task[LinkOutcome] | None) -> LinkOutcome:
        """Return what a caller is told of a link; without a task, nothing is known of it yet."""
        if task is not None and not task.cancelled() and task.exception() is None:
            return task.result()
        if self._outbox.get(job.info_hash) is None:
            return not_found(job, Fate.FAILED, Reason.FETCH.value)
        return still_waits(job)

    async def _give_up_late(self, tasks: Mapping[str, asyncio.Task[LinkOutcome]]) -> None:
        """Give up what was not fetched in time, unless it is to be queued, by whichever call."""
        for key, task in tasks.items():
            job = self._outbox.get(key)
            if job is not None and not job.keep:
                task.cancel()
                self._outbox.drop(key)
        with contextlib.suppress(StorageError):  # the outbox has said so; the next one has it, too
            await self._outbox.commit()

    async def _fetch(self, job: Job, work: Round) -> LinkOutcome:
        """Fetch one link; then deliver all that is ready in this round."""
        key = job.info_hash
        work.fetching.add(key)
        try:
            fetch = await self._fetched(WebLink.of_magnet(job.magnet))
        except InvalidLinkError as err:  # an earlier version has taken it, or the disk is damaged
            fetch = NotEver(Reason.FETCH_REFUSED, str(err))
        except Exception as err:  # noqa: BLE001 - one of these must not be tried without a pause
            _LOGGER.warning("A web link could not be fetched: %s", cause(err))
            fetch = NotNow("the fetch broke off")
        finally:
            work.fetching.discard(key)
        work.ready[key] = job, fetch
        async with work.delivering:
            if key in work.ready:
                ready, work.ready = work.ready, {}
                awaited = {one for one in ready if work.is_call and one not in work.left}
                work.outcomes |= await self._hand_over.settle(
                    ready, awaited, wait_for_vpn=work.wait_for_vpn
                )
        return work.outcomes.pop(key, None) or still_waits(job)

    async def _fetched(self, link: WebLink) -> Fetch:
        """Fetch a link, as soon as there is a lane for it, unless its host is to be left alone."""
        host = link.url.host or ""
        async with self._lanes.at(host):
            if left := self._pauses.left(host):
                return NotNow("its host wants to be left alone", left)
            fetch = await self._fetcher.fetch(link)
            if isinstance(fetch, NotNow) and fetch.wait:
                self._pauses.begin(host, fetch.wait)
            return fetch


def _as_joined(outcome: LinkOutcome) -> LinkOutcome:
    """Return the outcome for a caller who has joined somebody else's fetch."""
    return replace(outcome, outcome=as_shared(outcome.outcome), shared=True)
