"""Which jobs a pass is working on: no job is in two passes at a time.

Whoever finds a job busy waits for the outcome of the pass that has it. A pass that waits for
something else lends its jobs meanwhile.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
import logging
from typing import Any, override

from .delivery_pass import DeliveryPass, Outcomes
from .outcome import Fate, Outcome, as_shared

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """Jobs that somebody waits for, by info-hash; `mine` are those that nobody else works on.

    `borrowed` has the passes of others that got hold of what is mine while I lent it.
    """

    mine: Sequence[str]
    passes: Mapping[str, asyncio.Future[Outcomes]]
    borrowed: dict[str, asyncio.Future[Outcomes]] = field(default_factory=dict)

    def __or__(self, other: Claim) -> Claim:
        """Return both claims in one."""
        passes = {**self.passes, **other.passes}
        return Claim([*self.mine, *other.mine], passes, self.borrowed)

    async def outcomes(self, info_hashes: Iterable[str]) -> dict[str, Outcome]:
        """Wait for what becomes of these jobs; one that its pass did not settle is left out.

        One that was delivered by a pass that borrowed it is there already.
        """
        outcomes = {}
        for info_hash in info_hashes:
            if (future := self.passes.get(info_hash)) is None:
                continue
            of_pass = future.result() if future.done() else await asyncio.shield(future)
            if (outcome := of_pass.get(info_hash)) is not None:
                outcomes[info_hash] = outcome
            elif (outcome := self._of_borrower(info_hash)) is not None:
                outcomes[info_hash] = as_shared(outcome)
        return outcomes

    def given_up_by_others(self) -> Iterator[str]:
        """Yield what somebody who borrowed it was told to have failed."""
        for info_hash in self.borrowed:
            outcome = self._of_borrower(info_hash)
            if outcome is not None and outcome.fate is Fate.FAILED:
                yield info_hash

    def _of_borrower(self, info_hash: str) -> Outcome | None:
        borrower = self.borrowed.get(info_hash)
        return None if borrower is None else borrower.result().get(info_hash)


class InFlight(Collection[str]):
    """The info-hashes of all jobs that are worked on, and the tasks that do."""

    def __init__(self, released: Callable[[], None]) -> None:
        """Begin with nothing; `released` is called each time that a pass is over."""
        self._busy: dict[str, asyncio.Future[Outcomes]] = {}
        self._lent: dict[str, Claim] = {}
        """Jobs that others may take, and whose they are."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopped = False
        self._released = released

    @override
    def __iter__(self) -> Iterator[str]:
        """Iterate over the jobs that are worked on."""
        return iter(self._busy)

    @override
    def __len__(self) -> int:
        """Return how many jobs are worked on."""
        return len(self._busy)

    @override
    def __contains__(self, info_hash: object) -> bool:
        """Tell whether a job is worked on."""
        return info_hash in self._busy

    def claim(self, info_hashes: Iterable[str]) -> Claim:
        """Take the jobs that nobody else is working on, in their order."""
        wanted = list(dict.fromkeys(info_hashes))
        mine = [one for one in wanted if one not in self._busy or self.is_lent(one)]
        self._busy |= dict.fromkeys(mine, asyncio.get_running_loop().create_future())
        return Claim(mine, {info_hash: self._busy[info_hash] for info_hash in wanted})

    def release(self, claim: Claim, outcomes: Outcomes) -> None:
        """Let go of jobs that were taken, and tell whoever waits for them."""
        futures = set()
        for info_hash in claim.mine:
            futures.add(own := claim.passes[info_hash])
            lender = self._lent.get(info_hash)
            if lender is not None and lender.passes[info_hash] is own:
                del self._lent[info_hash]
                lender = None
            if self._busy[info_hash] is not own:
                continue  # somebody who borrowed it goes on
            if lender is None:
                del self._busy[info_hash]
            else:
                self._busy[info_hash] = lender.passes[info_hash]
                lender.borrowed[info_hash] = own
        for future in futures:
            future.set_result(outcomes)

    def is_lent(self, info_hash: str) -> bool:
        """Tell whether a job is free to be taken, although a pass has it."""
        lender = self._lent.get(info_hash)
        return lender is not None and self._busy[info_hash] is lender.passes[info_hash]

    def lend(self, claim: Claim) -> None:
        """Let others take what is mine, until I take it back."""
        self._lent |= dict.fromkeys(claim.mine, claim)

    async def take_back(self, claim: Claim) -> None:
        """Take back what I lent; what somebody works on now is waited for."""
        for info_hash in claim.mine:
            while self._lent.get(info_hash) is claim:
                if (holder := self._busy[info_hash]) is claim.passes[info_hash]:
                    del self._lent[info_hash]
                else:
                    await asyncio.wait([holder])  # which does not cancel what it waits for

    def run[T](self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run work that `stop` cuts off; once stopped, it does not begin."""
        task = asyncio.create_task(work, name=name)
        if self._stopped:
            task.cancel()
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Forget a task, and take note of its error: perhaps nobody waits for it any more."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    def run_pass(
        self,
        claim: Claim,
        delivery: DeliveryPass,
        completed: Callable[[Outcomes], None],
    ) -> None:
        """Run a pass over jobs that were taken; it goes on even if nobody waits for it any more.

        `completed` is called with its outcomes right before whoever waits hears of them; a pass
        that was cut off has those that were settled by then.
        """
        task = self.run(delivery.run(), "magnet delivery")
        task.add_done_callback(partial(self._pass_ended, claim, delivery, completed))

    def _pass_ended(
        self,
        claim: Claim,
        delivery: DeliveryPass,
        completed: Callable[[Outcomes], None],
        task: asyncio.Task[None],
    ) -> None:
        if not task.cancelled() and (err := task.exception()):
            _LOGGER.error("A delivery broke off", exc_info=err)
        outcomes = delivery.outcomes
        try:
            completed(outcomes)
        finally:
            self.release(claim, outcomes)
        self._released()

    async def stop(self) -> None:
        """Cut everything off where it is, and start no more."""
        self._stopped = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
