"""One pass over some jobs: find out where they are, and offer the rest.

The order is what makes it safe. Every usable instance is asked for the hashes before anything is
sent. Where a job is about to be sent is on disk before it is. An instance that may have it is
asked before another one gets it; while it cannot be asked, the job waits.
"""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count

from ..errors import StorageError
from ..health.instance import InstanceMonitor
from ..outbox.job import UNCERTAIN_SECONDS, Job
from ..qbittorrent.client import LISTING_SECONDS, SECOND_LOOK_SECONDS
from .attempt import Target, attempt_delivery
from .batches import ADD_FILE_BYTES, Batches
from .failover import is_eligible, may_go
from .outcome import Fate, Outcome
from .pass_state import Caller, PassContext, PassState
from .survey import Survey, check_if_odd, survey

type Outcomes = Mapping[str, Outcome]
"""What became of each job, by info-hash."""

_REFUSED_BATCHES = 3
"""After so many requests in a row that an instance would not take, the rest of a pass waits."""
_REFUSED_HALVES = 8
"""The same for parts of a request: enough to get to one bad magnet among 100."""


class DeliveryPass:
    """Delivers jobs that nobody else is working on, to the first instance that takes them."""

    def __init__(
        self,
        context: PassContext,
        info_hashes: Collection[str],
        *,
        caller: Caller | None = None,
        surveying: Awaitable[Survey] | None = None,
        not_yet_sent: Iterable[str] = (),
    ) -> None:
        """Begin; without a `caller`, jobs that were not to be queued are not delivered.

        `surveying` is the survey of these jobs, if it was begun before. Jobs that are
        `not_yet_sent` are new: their intent was written together with them.
        """
        self._context = context
        self._outbox = context.outbox
        self._has_caller = caller is not None
        self._surveying = surveying
        self._state = PassState(context, info_hashes, caller=caller, not_yet_sent=not_yet_sent)

    @property
    def outcomes(self) -> Outcomes:
        """Return what became of the jobs, in their order, as far as it is settled."""
        return self._state.outcomes_in_order()

    @property
    def gone(self) -> Iterator[InstanceMonitor]:
        """Yield the instances that went down right after they were sent something."""
        return (self._context.pool.by_key[key] for key in self._state.gone)

    async def run(self) -> None:
        """Do the pass; what it changes last is for others to commit.

        `outcomes` then has every job that is still in the outbox, whatever happened.
        """
        try:
            await self._find_out()
            for place in count():
                if not (line := await self._in_line(place)):
                    break
                for monitor in self._context.pool:
                    await self._offer(monitor, line.get(monitor.settings.key, ()))
        except StorageError:
            pass  # the outbox has said so, and the jobs wait
        finally:
            await self._state.finish_pending()

    async def _find_out(self) -> None:
        """Find out which jobs an instance has already, and which a silent one may have."""
        pool = self._context.pool
        if self._surveying is None:
            self._surveying = survey(
                pool, self._state.pending, self._context.clock, is_awaited=self._has_caller
            )
        self._state.survey = await self._surveying
        late = [*self._state.survey.late(pool)]
        if late:
            jobs = await self._state.pending()
            asking = (self._state.survey.ask(one, jobs, self._context.clock) for one in late)
            await asyncio.gather(*asking)
        for monitor in pool:
            await self._confirm_listed(monitor)
        for key, jobs in (await self._state.sent_before()).items():
            if key in self._state.survey.listed and await self._is_absent(pool.by_key[key], jobs):
                continue
            self._context.follow_clock()  # it may have been set while we asked
            limit = self._context.clock.now() - UNCERTAIN_SECONDS
            async for job in self._state.each_pending(job.info_hash for job in jobs):
                if key not in pool.known:  # it may be set up anew, under another key
                    self._outbox.put(job.suspecting_target().suspecting(pool.by_key))
                elif job.sent_at <= limit:
                    self._outbox.put(job.suspecting_target())
                else:
                    self._state.mark_uncertain(job)

    async def _confirm_listed(self, monitor: InstanceMonitor) -> None:
        """Record which pending jobs an instance said that it lists."""
        self._context.follow_clock()
        if listed := self._state.survey.listed.get(monitor.settings.key):
            async for job in self._state.each_pending():
                if job.info_hash in listed:
                    self._state.confirm(monitor, job, Fate.ALREADY_PRESENT)

    async def _is_absent(self, monitor: InstanceMonitor, jobs: Sequence[Job]) -> bool:
        """Look once more for jobs that an instance was sent; record that they are not there.

        Tell whether that is known: an instance that was frozen adds them after its first answer,
        and what was sent a moment ago may not be listed yet. It stays a suspect all the same.
        """
        listed_by = max(job.sent_at for job in jobs) + LISTING_SECONDS
        left = min(listed_by - self._context.clock.now(), LISTING_SECONDS)
        await self._context.clock.sleep(max(left, SECOND_LOOK_SECONDS))
        if not await self._state.survey.ask(monitor, jobs, self._context.clock):
            return False
        await self._confirm_listed(monitor)
        absent = (await self._state.sent_before()).get(monitor.settings.key, ())
        await self._state.judge_return(monitor, absent)
        await self._state.suspect_target(absent)
        return True

    async def _in_line(self, place: int) -> dict[str, list[str]]:
        """Return the pending jobs that want an instance at this place of their line, by its key."""
        wanted: dict[str, list[str]] = {}
        for job in await self._state.pending():
            line = self._context.pool.in_line(job)
            if place < len(line):
                wanted.setdefault(line[place].settings.key, []).append(job.info_hash)
        return wanted

    async def _offer(self, monitor: InstanceMonitor, info_hashes: Iterable[str]) -> None:
        """Hand all of these jobs that may go there to one instance."""
        key, now = monitor.settings.key, self._context.clock.now()
        jobs = [
            job
            async for job in self._state.each_pending(info_hashes)
            if may_go(job, monitor, self._outbox, now) and (job.keep or self._has_caller)
        ]
        was_asked = key in self._state.survey.incarnations and key not in self._state.survey.errors
        if not jobs or not monitor.is_ok or not was_asked:
            return
        try:
            await self._state.record_intent(monitor, jobs)
            await self._hand_over_batches(monitor, jobs)
        except StorageError:
            await self._state.clear_intent(jobs)
            raise
        await self._state.clear_intent(jobs)

    async def _hand_over_batches(self, monitor: InstanceMonitor, jobs: Sequence[Job]) -> None:
        """Hand jobs over batch by batch, until too many in a row were refused."""
        refused = 0
        batches = Batches(jobs)
        for batch in batches:
            await self._state.record_intent(monitor, batch, again=True)  # if that was long ago
            began = self._context.clock.monotonic()
            worked = refused < _REFUSED_BATCHES and (
                await self._hand_over(monitor, batch, batch[0].max_retries)
                or await self._hand_over_split(monitor, batch)
            )
            refused = 0 if worked else refused + 1
            batches.took(self._context.clock.monotonic() - began, worked=worked)

    async def _hand_over(
        self, monitor: InstanceMonitor, batch: Sequence[Job], max_retries: int
    ) -> bool:
        """Hand one batch over; tell whether that settled what becomes of its jobs."""
        now_pending = (self._state.pending_job(job.info_hash) for job in batch)
        # A magnet may have been given again, with other wishes.
        # Another one that was suspected may have been sent a moment ago.
        outbox, now = self._outbox, self._context.clock.now()
        jobs = [job for job in now_pending if job and may_go(job, monitor, outbox, now)]
        if not jobs:
            return True
        if not monitor.is_ok or monitor.settings.key in self._state.silent:
            return False
        alike, files = await self._next_request(jobs)
        attempt = await attempt_delivery(
            Target(
                monitor,
                jobs[0].options.over(monitor.settings.defaults),
                self._context.send_lock,
                self._context.clock,
                files,
            ),
            [job.magnet for job in alike],
            incarnation=self._state.survey.incarnations[monitor.settings.key],
            max_retries=0 if jobs[0].crash is not None else max_retries,
            is_wanted=lambda magnet: self._may_still_go(magnet.info_hash, monitor),
        )
        self._state.apply(monitor, attempt)
        await check_if_odd(monitor, attempt.error)
        if len(alike) == len(jobs):
            return attempt.is_settled
        sent = {job.info_hash for job in alike}
        rest = [job for job in jobs if job.info_hash not in sent]
        return await self._hand_over(monitor, rest, max_retries) and attempt.is_settled

    def _may_still_go(self, info_hash: str, monitor: InstanceMonitor) -> bool:
        """Tell whether nobody has removed a job, or given it again for other instances."""
        job = self._state.pending_job(info_hash)
        return job is not None and is_eligible(job, monitor)

    async def _next_request(self, jobs: Sequence[Job]) -> tuple[list[Job], dict[str, bytes]]:
        """Return those of the jobs that the first one shares a request with, and their files.

        A job whose torrent file is lost is alone, and delivered by its magnet.
        """
        first = jobs[0]
        alike = [
            job
            for job in jobs
            if job.options == first.options and (job.file is None) is (first.file is None)
        ]
        if first.file is None:
            return alike, {}
        files: dict[str, bytes] = {}
        left = ADD_FILE_BYTES
        for job in alike:
            data = await self._outbox.torrent_files.read(job.file or "")
            if data is None or (files and len(data) > left):
                break
            files[job.info_hash] = data
            left -= len(data)
        return [job for job in alike if job.info_hash in files] or [first], files

    async def _hand_over_split(self, monitor: InstanceMonitor, batch: Sequence[Job]) -> bool:
        """Hand over what was refused together in halves, so that a bad magnet holds up no other.

        Halves that are refused are halved again, until too many in a row were. Tell whether any
        was not refused, which says that the instance works.
        """
        worked, refused, parts = False, 0, [batch]
        while parts and refused < _REFUSED_HALVES and monitor.is_ok:
            part = parts.pop()
            if part is not batch:
                if await self._hand_over(monitor, part, 0):
                    worked, refused = True, 0
                    continue
                refused += 1
            if (middle := len(part) // 2) > 0:
                parts += part[middle:], part[:middle]
        return worked
