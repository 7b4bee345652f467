"""One pass over some magnets: look where they are, offer the rest, keep the books.

The order is what makes it safe. Every usable instance is asked for the hashes before anything is
sent. Where a magnet is about to be sent is on disk before it is. An instance that may have it is
asked before another one gets it; while it cannot be asked, the magnet waits.
"""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import batched
import logging

from .entry import REJECTED, UNCERTAIN, Entry, Mark, Stage
from .errors import InstanceError, StorageError
from .handover import Handover, hand_over, portions
from .health import InstanceMonitor
from .line import may_go_to, waiting_reason
from .models import Clock, InstanceStatus
from .outcome import Fate, Outcome
from .queue import AT_A_TIME, MagnetQueue

_LOGGER = logging.getLogger(__name__)

UNCERTAIN_SECONDS = 900.0
"""How long a magnet waits for an instance that may have it (INTERFACE section 6, promise 3)."""
_REFUSED_PORTIONS = 3
"""After so many requests in a row that an instance would not take, the rest of a pass waits."""
_SECOND_LOOK_SECONDS = 1.0
"""A server that was frozen carries out what it was sent right after it answers again."""


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
        wanted: bool,
    ) -> None:
        """Deliver to the instances of `line`, first come first; `turn` is held while sending.

        `wanted` is false for a pass that nobody waits for: it delivers no magnet whose caller
        did not want it queued.
        """
        self._keys = keys
        self._line = line
        self._queue = queue
        self._turn = turn
        self._clock = clock
        self._wanted = wanted
        self._errors: dict[str, InstanceError] = {}
        self._marks: dict[str, Mark] = {}
        self._silent: set[str] = set()
        self.outcomes: dict[str, Outcome] = {}

    async def run(self, prepared: Awaitable[None]) -> None:
        """Wait for the preparations and do the pass.

        `outcomes` then has one for every magnet that is still on the books, whatever happened.
        """
        try:
            await prepared
            await self._look()
            for monitor in self._line:
                await self._offer(monitor)
        except StorageError as err:
            _LOGGER.error("Magnets wait, as the queue cannot be written: %s", err)
        finally:
            self._close_books()
        try:
            await self._queue.commit()
        except StorageError as err:
            _LOGGER.error("The queue's last changes are not on disk yet: %s", err)

    def _pending(self) -> list[Entry]:
        """Return what is neither delivered nor given up, oldest first."""
        return sorted(self._still_pending(self._keys), key=lambda one: one.queued_at)

    def _still_pending(self, keys: Iterable[str]) -> list[Entry]:
        """Return those that are still pending, as they are now."""
        entries = (self._queue.get(key) for key in keys if key not in self.outcomes)
        return [one for one in entries if one is not None and one.stage is Stage.QUEUED]

    async def _look(self) -> None:
        """Find out what is there already, and which magnets may be somewhere that is silent."""
        asked = set()
        for monitor in self._line:
            if monitor.is_ok and await self._find_at(monitor, self._pending()):
                asked.add(monitor.settings.key)
        known = {monitor.settings.key: monitor for monitor in self._line}
        for key, entries in self._sent_before().items():
            if key in asked:
                await self._clock.sleep(_SECOND_LOOK_SECONDS)
                if await self._find_at(known[key], entries):
                    self._put_all(entry.not_there() for entry in self._sent_before().get(key, ()))
                    continue
            limit = self._clock.now() - UNCERTAIN_SECONDS
            for entry in self._still_pending(entry.info_hash for entry in entries):
                if key not in known or entry.sent_at <= limit:
                    self._queue.put(entry.not_there())
                else:
                    self._wait(entry)

    def _sent_before(self) -> dict[str, list[Entry]]:
        """Return the pending magnets that may be somewhere, by instance."""
        sent: dict[str, list[Entry]] = {}
        for entry in self._pending():
            if entry.sent_to is not None:
                sent.setdefault(entry.sent_to, []).append(entry)
        return sent

    async def _find_at(self, monitor: InstanceMonitor, entries: Sequence[Entry]) -> bool:
        """Note which magnets an instance lists; tell whether it could be asked."""
        if not entries:
            return True
        try:
            await self._take_mark(monitor)
            found = await monitor.client.find([entry.magnet for entry in entries])
        except InstanceError as err:
            self._errors[monitor.settings.key] = err
            monitor.met(err)
            return False
        self._listed(monitor, found, Fate.ALREADY_PRESENT)
        return True

    async def _take_mark(self, monitor: InstanceMonitor) -> None:
        """Note which process answers, before it lists anything; once a pass is enough."""
        if monitor.settings.key not in self._marks:
            renewals = monitor.client.renewals
            self._marks[monitor.settings.key] = Mark(renewals, await monitor.client.launch_time())

    async def _offer(self, monitor: InstanceMonitor) -> None:
        """Hand all pending magnets that may go there to one instance."""
        key = monitor.settings.key
        entries = [
            entry
            for entry in self._pending()
            if may_go_to(entry, monitor) and (entry.keep or self._wanted)
        ]
        if not entries or not monitor.is_ok or key in self._errors:
            return
        if key not in self._marks:  # it turned ok since, and was not asked what it has
            return
        now = self._clock.now()
        for some in batched(entries, AT_A_TIME, strict=False):
            present = self._still_pending(entry.info_hash for entry in some)
            self._put_all(entry.sent(key, now) for entry in present)
            await asyncio.sleep(0)
        try:
            await self._queue.commit()
        except StorageError:
            self._put_all(entry.not_there() for entry in self._still_pending(self._keys))
            raise
        refused = 0
        for portion in portions(entries):
            worked = refused < _REFUSED_PORTIONS and (
                await self._hand_over(monitor, portion, portion[0].max_retries)
                or await self._hand_over_split(monitor, portion)
            )
            refused = 0 if worked else refused + 1
        self._put_all(
            entry.not_there() for entry in self._still_pending(entry.info_hash for entry in entries)
        )

    async def _hand_over(
        self, monitor: InstanceMonitor, portion: Sequence[Entry], max_retries: int
    ) -> bool:
        """Hand one request's magnets over; tell whether that settled what becomes of them."""
        present = [
            entry
            for entry in self._still_pending(entry.info_hash for entry in portion)
            if may_go_to(entry, monitor)  # it may have been given again, with other wishes
        ]
        if not present:
            return True
        if not monitor.is_ok or monitor.settings.key in self._silent:
            return False
        async with self._turn:
            result = await hand_over(
                monitor,
                [entry.magnet for entry in present],
                portion[0].options.over(monitor.settings.defaults),
                max_retries=max_retries,
                clock=self._clock,
            )
        self._book(monitor, result)
        return not result.absent

    async def _hand_over_split(self, monitor: InstanceMonitor, portion: Sequence[Entry]) -> bool:
        """Hand over what was refused together in halves, so that one bad magnet holds up no other.

        Goes on within a half that is refused as long as the other was not; tell whether one was
        not, which says that the instance works.
        """
        if len(portion) < 2 or not monitor.is_ok:
            return False
        middle = len(portion) // 2
        refused = [
            half
            for half in (portion[:middle], portion[middle:])
            if not await self._hand_over(monitor, half, 0)
        ]
        if len(refused) == 1:
            await self._hand_over_split(monitor, refused[0])
        return len(refused) < 2

    def _book(self, monitor: InstanceMonitor, result: Handover) -> None:
        """Note what became of one request's magnets."""
        if result.uncertain:
            self._silent.add(monitor.settings.key)
        if result.error is not None:
            self._errors[monitor.settings.key] = result.error
        self._listed(monitor, result.added, Fate.ADDED)
        self._listed(monitor, result.present, Fate.ALREADY_PRESENT)
        now = self._clock.now()
        for key in result.rejected:
            if entry := self._queue.get(key):
                self._give_up(entry, REJECTED)
        for key in result.absent:
            if entry := self._queue.get(key):
                self._queue.put(entry.not_there())
        for key in result.uncertain:
            if entry := self._queue.get(key):
                self._wait(replace(entry.tried(UNCERTAIN, now), sent_at=now))

    def _listed(self, monitor: InstanceMonitor, found: Collection[str], fate: Fate) -> None:
        """Note that an instance lists these magnets; they stay on the books until it saved them."""
        settings = monitor.settings
        now = self._clock.now()
        for key in found:
            if entry := self._queue.get(key):
                self._queue.put(entry.settling(settings.key, now, self._marks[settings.key]))
                self.outcomes[key] = Outcome(entry.magnet, fate, instance=settings.name)

    def _wait(self, entry: Entry) -> None:
        """Leave a magnet alone that an instance may have and that cannot be asked now."""
        if entry.keep or not self._wanted:
            self._queue.put(entry)
            self.outcomes[entry.info_hash] = Outcome(entry.magnet, Fate.QUEUED, reason=UNCERTAIN)
            return
        self._queue.put(replace(entry, stage=Stage.DISCLAIMED))
        self.outcomes[entry.info_hash] = Outcome(
            entry.magnet, Fate.FAILED, reason=self._status_of(entry.sent_to)
        )

    def _give_up(self, entry: Entry, reason: str) -> None:
        """Put a magnet on the failed list, or off the books where the caller is told instead."""
        if entry.keep or not self._wanted:
            self._queue.put(entry.failed(reason, self._clock.now()))
        else:
            self._queue.drop(entry.info_hash)
        self.outcomes[entry.info_hash] = Outcome(entry.magnet, Fate.FAILED, reason=reason)

    def _close_books(self) -> None:
        """Settle what is still pending: it waits on, or its caller is told that it failed."""
        now = self._clock.now()
        for entry in self._pending():
            if entry.sent_to is not None:
                self._wait(entry)
                continue
            reason = self._reason(entry)
            if not entry.keep:
                self._give_up(entry, reason)
                continue
            self._queue.put(entry.tried(reason, now))
            self.outcomes[entry.info_hash] = Outcome(entry.magnet, Fate.QUEUED, reason=reason)

    def _reason(self, entry: Entry) -> str:
        first = next((one for one in self._line if may_go_to(entry, one)), None)
        if first is not None and first.is_ok:
            return self._status_of(first.settings.key)
        return waiting_reason(entry, self._line)

    def _status_of(self, key: str | None) -> str:
        """Return the word for what an instance met in this pass."""
        if key is not None and (err := self._errors.get(key)):
            return err.status.value
        monitor = next((one for one in self._line if one.settings.key == key), None)
        if monitor is None or monitor.status is None or monitor.is_ok:
            return InstanceStatus.ERROR.value
        return monitor.status.value

    def _put_all(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._queue.put(entry)
