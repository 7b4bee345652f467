"""Delivers jobs: takes new ones in, runs a pass over them, and returns what became of each."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
import contextlib

from ..errors import StorageError
from ..health.instance import InstanceMonitor
from ..health.status import InstanceStatus, VpnState
from ..health.witness import Watch, wait_until_any_is_up
from ..outbox.job import Job
from ..turns import cooperatively
from .delivery_pass import DeliveryPass, Outcomes
from .failover import kinds
from .in_flight import Claim, InFlight
from .intents import not_yet_sent, with_intents
from .outcome import Fate, Outcome, outcome_for
from .pass_state import Caller, PassContext
from .survey import Survey, survey

_POINTLESS = (InstanceStatus.AUTH_FAILED, InstanceStatus.BANNED)
"""Instances with these would refuse the question."""

RETURN_SECONDS = (2.0, 4.0, 8.0)
"""Pauses before the looks at an instance that went down right after it was sent something: most are
restarted at once, and other magnets of the same request wait for it."""

type Completed = Callable[[Outcomes], None]
"""Called with the outcomes of a pass, before whoever waits for it goes on."""


class Deliverer:
    """Runs passes, so that no job is in two of them at a time."""

    def __init__(self, context: PassContext, *, released: Callable[[], None]) -> None:
        """Deliver to the pool of `context`; `released` is called each time that a pass is over."""
        self._context = context
        self._pool = context.pool
        self._outbox = context.outbox
        self._in_flight = InFlight(released)
        self._commits: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> Collection[str]:
        """Return the info-hashes of all jobs that a pass is working on."""
        return self._in_flight

    async def deliver_new(
        self, jobs: Sequence[Job], caller: Caller, completed: Completed
    ) -> list[Outcome]:
        """Take jobs in and deliver them; return what became of each, in their order.

        The instances are asked what they have while the jobs are written to disk; nothing is sent
        before they are there. Raises StorageError if that fails: then none has been accepted.
        """
        claim = self._in_flight.claim(self._outbox.key_of(job.magnet) for job in jobs)
        # An intent says "may have been sent", which is not so before the VPN was waited for.
        waits = self._waits_for_vpn(jobs, caller)
        self._context.follow_clock()
        surveying = self._begin_survey(jobs, claim, caller)
        given = jobs if waits else with_intents(jobs, self._pool, self._context.clock.now())
        try:
            accepted = await self._outbox.accept(given)
        except BaseException:
            surveying.cancel()
            self._in_flight.release(claim, {})
            raise
        info_hashes = [job.info_hash for job in accepted]
        if unclaimed := [info_hash for info_hash in info_hashes if info_hash not in claim.passes]:
            claim |= self._in_flight.claim(unclaimed)  # known by another hash meanwhile
            surveying.cancel()
            surveying = self._begin_survey(jobs, claim, caller)
        self._run_pass(
            DeliveryPass(
                self._context,
                claim.mine,
                caller=caller,
                surveying=surveying,
                not_yet_sent=not_yet_sent(given, accepted),
            ),
            claim,
            completed,
        )
        outcomes = await self._outcomes(claim, info_hashes)
        mine = set(claim.mine)
        return [
            outcome_for(job.magnet, outcomes.get(info_hash), shared=info_hash not in mine)
            for job, info_hash in zip(jobs, info_hashes, strict=True)
        ]

    async def deliver_queued(self, jobs: Iterable[Job], completed: Completed) -> dict[str, Outcome]:
        """Deliver what is queued, unless somebody does already; return what became of it.

        What a call has that waits for the VPN is left to that call.
        """
        info_hashes = [job.info_hash for job in jobs]
        free = [one for one in info_hashes if not self._in_flight.is_lent(one)]
        claim = self._in_flight.claim(free)
        self._run_pass(DeliveryPass(self._context, claim.mine), claim, completed)
        return await self._outcomes(claim, info_hashes)

    async def check_those_down(self) -> None:
        """Check the instances that were down when last asked: somebody waits for the answer."""
        checks = (monitor.check() for monitor in self._those_down())
        await asyncio.gather(*checks, return_exceptions=True)

    def _those_down(self, *but_not: InstanceStatus) -> list[InstanceMonitor]:
        skipped = (*but_not, *_POINTLESS)
        return [
            monitor for monitor in self._pool if not monitor.is_ok and monitor.status not in skipped
        ]

    async def stop(self) -> None:
        """Cut deliveries off where they are, and write what they have found out."""
        await self._in_flight.stop()
        await self._pool.stop()
        for task in self._commits:  # the commit below includes their changes
            task.cancel()
        await self._commit()

    def _begin_survey(
        self, jobs: Sequence[Job], claim: Claim, caller: Caller
    ) -> asyncio.Task[Survey]:
        """Begin to ask the instances for the jobs that this claim took.

        Other calls may deliver them while the VPN is waited for.
        """
        if self._waits_for_vpn(jobs, caller):
            self._in_flight.lend(claim)
        work = self._survey_when_up(jobs, claim, caller)
        return self._in_flight.run(work, "magnet survey")

    def _conditions(self, jobs: Iterable[Job]) -> list[Watch]:
        """Return the conditions of the instances that require the VPN and may get a job."""
        wanted = {id(one): one for job in kinds(jobs) for one in self._pool.eligible(job)}
        return [monitor.vpn for monitor in wanted.values() if monitor.vpn is not None]

    def _waits_for_vpn(self, jobs: Iterable[Job], caller: Caller) -> bool:
        """Tell whether a call waits for the VPN before it goes on."""
        if not caller.wait_for_vpn:
            return False
        conditions = self._conditions(jobs)
        are_down = all(condition.state is not VpnState.ON for condition in conditions)
        return bool(conditions) and are_down

    async def _survey_when_up(self, jobs: Sequence[Job], claim: Claim, caller: Caller) -> Survey:
        """Wait until an instance that requires the VPN has it, then ask.

        Cancelling ends the wait and nothing else: the server may count a login that is cut off as
        a failure.
        """
        files = self._hold_files(jobs)
        try:
            await self._wait_for_vpn(jobs, caller.wait_for_vpn)
            await self._in_flight.take_back(claim)
            await self._accept_again(jobs, claim)
        finally:
            await self._outbox.release(files)
        asking = self._in_flight.run(self._survey(jobs, set(claim.mine)), "magnet survey")
        await asyncio.wait([asking])  # which does not cancel what it waits for
        return asking.result()

    async def _wait_for_vpn(self, jobs: Iterable[Job], seconds: float) -> None:
        if conditions := self._conditions(jobs):
            await wait_until_any_is_up(conditions, seconds, self._context.clock)

    async def _accept_again(self, jobs: Sequence[Job], claim: Claim) -> None:
        """Put back what a call that was not to queue it has given up meanwhile."""
        given_up = set(claim.given_up_by_others())
        lost = [job for job in jobs if job.info_hash in given_up]
        if lost := [job for job in lost if self._outbox.known(job.magnet) is None]:
            self._hold_files(lost)  # until they are accepted
            await self._outbox.accept(lost)

    def _hold_files(self, jobs: Iterable[Job]) -> list[str]:
        """Keep the torrent files of jobs, even if other calls give the jobs up; return them."""
        files = [job.file for job in jobs if job.file]
        if files:
            self._outbox.torrent_files.hold(files)
        return files

    async def _survey(self, jobs: Sequence[Job], mine: Collection[str]) -> Survey:
        """See which instances are back, and ask those that are ok for the jobs."""

        async def wanted() -> list[Job]:
            expected: dict[str, Job] = {}
            async for job in cooperatively(jobs):
                known = self._outbox.as_accepted(job)
                if known.info_hash in mine:
                    expected[known.info_hash] = known
            return list(expected.values())

        return await survey(
            self._pool,
            wanted,
            self._context.clock,
            is_awaited=True,
            check=self._those_down(InstanceStatus.TIMEOUT),
        )

    def _run_pass(self, delivery: DeliveryPass, claim: Claim, completed: Completed) -> None:
        self._context.follow_clock()

        def over(outcomes: Outcomes) -> None:
            completed(outcomes)
            self._commit_soon()
            for monitor in delivery.gone:
                self._in_flight.run(self._look_soon(monitor), "instance check")

        self._in_flight.run_pass(claim, delivery, over)

    async def _look_soon(self, monitor: InstanceMonitor) -> None:
        """Look whether an instance that went down is back, sooner than its next poll does."""
        for pause in RETURN_SECONDS:
            await self._context.clock.sleep(pause)
            if await monitor.check() is InstanceStatus.OK:
                return

    def _commit_soon(self) -> None:
        """Write in the background what a pass has found out.

        Nobody has to wait for it: after a kill, the servers are asked again.
        """
        self._commits.add(task := asyncio.create_task(self._commit(), name="queue commit"))
        task.add_done_callback(self._commits.discard)

    async def _commit(self) -> None:
        with contextlib.suppress(StorageError):  # the outbox has said so; the next one has it, too
            await self._outbox.commit()

    async def _outcomes(self, claim: Claim, info_hashes: Collection[str]) -> dict[str, Outcome]:
        """Wait for what becomes of these jobs; what was not settled is queued."""
        outcomes = await claim.outcomes(info_hashes)
        for info_hash in info_hashes:
            if info_hash not in outcomes and (job := self._outbox.get(info_hash)):
                reason = self._pool.waiting_reason(job)
                outcomes[info_hash] = Outcome(job.magnet, Fate.QUEUED, reason=reason)
        return outcomes
