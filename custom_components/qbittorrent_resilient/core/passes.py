"""Passes under way: a magnet is never worked on twice at a time.

Whoever finds a magnet busy waits for the outcome of the pass that has it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
import logging
from typing import override

from .delivery import Delivery
from .outcome import Outcome

_LOGGER = logging.getLogger(__name__)

type Outcomes = Mapping[str, Outcome]
"""What became of each magnet, by info-hash."""
type Claims = Mapping[str, asyncio.Future[Outcomes]]
"""What is waited for, by info-hash: the outcomes of the pass that has the magnet."""


class Passes(Collection[str]):
    """Who is working on which magnet."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._busy: dict[str, asyncio.Future[Outcomes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = False
        self.listener: Callable[[], None] | None = None
        """Told each time that a pass is over, once others have heard of its outcomes."""

    @override
    def __iter__(self) -> Iterator[str]:
        """Iterate over the magnets that are worked on."""
        return iter(self._busy)

    @override
    def __len__(self) -> int:
        """Return how many magnets are worked on."""
        return len(self._busy)

    @override
    def __contains__(self, key: object) -> bool:
        """Tell whether a magnet is worked on."""
        return key in self._busy

    def claim(self, keys: Iterable[str]) -> tuple[list[str], Claims]:
        """Take what nobody else is working on; return that, in order, and what to wait for."""
        keys = list(dict.fromkeys(keys))
        claimed = [key for key in keys if key not in self._busy]
        self._busy |= dict.fromkeys(claimed, asyncio.get_running_loop().create_future())
        return claimed, {key: self._busy[key] for key in keys}

    def release(self, claimed: Sequence[str], outcomes: Outcomes) -> None:
        """Let go of what was taken together, and tell whoever waits."""
        futures = {self._busy.pop(key) for key in claimed}
        for future in futures:
            future.set_result(outcomes)

    def start(
        self,
        claimed: Sequence[str],
        delivery: Delivery,
        done: Callable[[Outcomes], None],
    ) -> None:
        """Start a pass over what was taken; it goes on even if nobody waits for it any more.

        `done` is called with the outcomes, in the order of `claimed`, before others hear of them.
        """
        if self._over:
            self.release(claimed, {})
            return

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and (err := task.exception()):
                _LOGGER.error("A delivery broke off", exc_info=err)
            found = delivery.outcomes
            try:
                done({key: found[key] for key in claimed if key in found})
            finally:
                self.release(claimed, found)
            if self.listener is not None:
                self.listener()

        task = asyncio.create_task(delivery.run(), name="magnet delivery")
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def cancel(self) -> None:
        """Cut all of them off where they are, and start no more."""
        self._over = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def outcomes_of(claims: Claims) -> dict[str, Outcome]:
    """Wait for what becomes of these magnets; one that its pass did not settle is left out."""
    outcomes = {}
    for key, future in claims.items():
        found = future.result() if future.done() else await asyncio.shield(future)
        if (outcome := found.get(key)) is not None:
            outcomes[key] = outcome
    return outcomes
