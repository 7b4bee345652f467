"""One pass over some magnets: look where they are, and offer the rest.

The order is what makes it safe. Every usable instance is asked for the hashes before anything is
sent. Where a magnet is about to be sent is on disk before it is. An instance that may have it is
asked before another one gets it; while it cannot be asked, the magnet waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from .bookkeeper import Bookkeeper
from .doubles import SECOND_LOOK_SECONDS
from .entry import Entry
from .errors import InstanceError, StorageError
from .handover import SOON_SECONDS, ask_again, hand_over
from .health import InstanceMonitor
from .line import may_go_to
from .models import Clock, InstanceStatus
from .outcome import Fate, Outcome
from .portions import Portions
from .queue import MagnetQueue, in_turns

UNCERTAIN_SECONDS = 900.0
"""How long a magnet waits for an instance that may have it (docs/reliability.md, promise 3)."""
_REFUSED_PORTIONS = 3
"""After so many requests in a row that an instance would not take, the rest of a pass waits."""
_REFUSED_HALVES = 8
"""The same for parts of a request: enough to get to one bad magnet among 100."""


class Delivery:
    """One pass; `keys` are the info-hashes of entries that nobody else is working on."""

    def __init__(
        self,
        keys: Collection[str],
        *,
        line: Sequence[InstanceMonitor],
        queue: MagnetQueue,
        turn: asyncio.Lock,
        clock: Clock,
        prepare: Callable[[], Awaitable[None]] | None = None,
        noted: Iterable[str] = (),
    ) -> None:
        """Deliver to the instances of `line`, first come first; `turn` is held while sending.

        `prepare` belongs to a call, whose caller waits. A pass without it delivers no magnet whose
        caller did not want it queued. `noted` are new on the books, with a note of where they are
        about to be sent.
        """
        self._line = line
        self._queue = queue
        self._turn = turn
        self._clock = clock
        self._prepare = prepare
        self._wanted = prepare is not None
        self._books = Bookkeeper(keys, line, queue, clock, has_caller=self._wanted, noted=noted)

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Return what became of each magnet, by info-hash, as far as it is settled."""
        return self._books.outcomes

    async def run(self) -> None:
        """Do the pass, after its preparations; what it changes last is for others to commit.

        `outcomes` then has one for every magnet that is still on the books, whatever happened.
        """
        try:
            if self._prepare is not None:
                await self._prepare()
            await self._look()
            for monitor in self._line:
                await self._offer(monitor)
        except StorageError:
            pass  # the queue has said so, and the magnets wait
        finally:
            await self._books.close()

    async def _look(self) -> None:
        """Find out what is there already, and which magnets may be somewhere that is silent."""
        limit = self._clock.now() - UNCERTAIN_SECONDS  # now: the clock may be set while we look
        asked = set()
        for monitor in self._line:
            key = monitor.settings.key
            if monitor.is_ok:
                entries = await self._books.pending()
            elif monitor.can_be_asked:
                entries = (await self._books.sent_before()).get(key, [])
            else:
                continue
            if await self._find_at(monitor, entries):
                asked.add(key)
        known = {monitor.settings.key: monitor for monitor in self._line}
        for key, entries in (await self._books.sent_before()).items():
            if key in asked:
                await self._clock.sleep(SECOND_LOOK_SECONDS)
                if await self._find_at(known[key], entries):
                    await self._books.not_there((await self._books.sent_before()).get(key, ()))
                    continue
            async for entry in self._books.each(entry.info_hash for entry in entries):
                if key not in known:
                    self._queue.put(entry.not_there())
                elif entry.sent_at <= limit:
                    self._queue.put(entry.moved_on())
                else:
                    self._books.wait(entry)

    async def _find_at(self, monitor: InstanceMonitor, entries: Sequence[Entry]) -> bool:
        """Note which magnets an instance lists; tell whether it could be asked."""
        if not entries:
            return True
        key = monitor.settings.key

        async def look() -> set[str]:
            if key not in self._books.marks:  # before it lists anything; once a pass is enough
                self._books.marks[key] = await monitor.process()
            return await monitor.client.find([entry.magnet for entry in entries])

        try:
            retries = max(one.max_retries for one in entries)
            found = await ask_again(look, retries, self._clock, SOON_SECONDS)
        except InstanceError as err:
            self._books.errors[key] = err
            monitor.met(err)
            await self._ask_whether_fit(monitor, err)
            return False
        async for entry in in_turns(entries):
            if entry.info_hash in found:
                self._books.listed(monitor, entry.info_hash, Fate.ALREADY_PRESENT)
        return True

    async def _offer(self, monitor: InstanceMonitor) -> None:
        """Hand all pending magnets that may go there to one instance."""
        key = monitor.settings.key
        entries = [
            entry
            for entry in await self._books.pending()
            if may_go_to(entry, monitor) and (entry.keep or self._wanted)
        ]
        if not entries or not monitor.is_ok or key in self._books.errors:
            return
        if key not in self._books.marks:  # it turned ok since, and was not asked what it has
            return
        refused = 0
        portions = Portions(entries)
        try:
            await self._books.note(monitor, entries)
            for portion in portions:
                await self._books.note(monitor, portion)  # again, if that was long ago
                began = self._clock.monotonic()
                worked = refused < _REFUSED_PORTIONS and (
                    await self._hand_over(monitor, portion, portion[0].max_retries)
                    or await self._hand_over_split(monitor, portion)
                )
                refused = 0 if worked else refused + 1
                portions.took(self._clock.monotonic() - began, worked=worked)
        except StorageError:
            await self._books.not_there(entries)
            raise
        await self._books.not_there(entries)

    async def _hand_over(
        self, monitor: InstanceMonitor, portion: Sequence[Entry], max_retries: int
    ) -> bool:
        """Hand one request's magnets over; tell whether that settled what becomes of them."""
        as_they_are = map(self._books.as_pending, [entry.info_hash for entry in portion])
        present = [
            entry
            for entry in as_they_are
            # It may have been given again, with other wishes.
            if entry is not None and may_go_to(entry, monitor)
        ]
        if not present:
            return True
        if not monitor.is_ok or monitor.settings.key in self._books.silent:
            return False
        options = present[0].options
        alike = [entry for entry in present if entry.options == options]
        result = await hand_over(
            monitor,
            [entry.magnet for entry in alike],
            options.over(monitor.settings.defaults),
            process=self._books.marks[monitor.settings.key],
            max_retries=max_retries,
            turn=self._turn,
            clock=self._clock,
            is_wanted=lambda magnet: self._books.as_pending(magnet.info_hash) is not None,
        )
        self._books.book(monitor, [entry.info_hash for entry in alike], result)
        await self._ask_whether_fit(monitor, result.error)
        if len(alike) < len(present):
            rest = [entry for entry in present if entry.options != options]
            return await self._hand_over(monitor, rest, max_retries) and not result.absent
        return not result.absent

    async def _ask_whether_fit(self, monitor: InstanceMonitor, err: InstanceError | None) -> None:
        """Find out whether an odd answer was one to this request only; others say it themselves."""
        if err is not None and err.status is InstanceStatus.ERROR:
            await monitor.check()

    async def _hand_over_split(self, monitor: InstanceMonitor, portion: Sequence[Entry]) -> bool:
        """Hand over what was refused together in halves, so that a bad magnet holds up no other.

        Halves that are refused are halved again, until too many in a row were. Tell whether any
        was not refused, which says that the instance works.
        """
        worked, refused, left = False, 0, [portion]
        while left and refused < _REFUSED_HALVES and monitor.is_ok:
            part = left.pop()
            if part is not portion:
                if await self._hand_over(monitor, part, 0):
                    worked, refused = True, 0
                    continue
                refused += 1
            if (middle := len(part) // 2) > 0:
                left += part[middle:], part[:middle]
        return worked
