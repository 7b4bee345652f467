"""What becomes of the magnets of one pass: written to the books, and remembered for who asked."""

from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from copy import replace
from operator import attrgetter

from .entry import REJECTED, UNCERTAIN, Entry, Mark, Stage
from .errors import InstanceError
from .handover import Handover
from .health import InstanceMonitor
from .line import may_go_to, waiting_reason
from .models import Clock, InstanceStatus
from .outcome import Fate, Outcome
from .queue import MagnetQueue, in_turns

NOTE_SECONDS = 10.0
"""A note that is older than this when the magnet's turn comes is made anew: its 15 min begin."""


class Bookkeeper:
    """Keeps the books of a pass over `keys`; what is pending is neither delivered nor given up."""

    def __init__(
        self,
        keys: Collection[str],
        line: Sequence[InstanceMonitor],
        queue: MagnetQueue,
        clock: Clock,
        *,
        has_caller: bool,
        noted: Iterable[str],
    ) -> None:
        """Begin; `noted` have not been sent yet, though the books say where they are about to be.

        With a caller, who is told, what is not to be queued leaves the books when it fails.
        """
        self._keys = keys
        self._line = line
        self._queue = queue
        self._clock = clock
        self._has_caller = has_caller
        self._noted = set(noted)
        self.errors: dict[str, InstanceError] = {}
        """What each instance met last in this pass, by its key."""
        self.marks: dict[str, Mark] = {}
        """Which process of each instance was asked what it has."""
        self.silent: set[str] = set()
        """Instances that have not answered what became of magnets they were sent."""
        self.outcomes: dict[str, Outcome] = {}

    def as_pending(self, key: str) -> Entry | None:
        """Return a magnet's entry as it is now, if it is still pending."""
        entry = None if key in self.outcomes else self._queue.get(key)
        return entry if entry is not None and entry.stage is Stage.QUEUED else None

    async def each(self, keys: Iterable[str]) -> AsyncGenerator[Entry]:
        """Yield those that are still pending, as they are by then; others get their turn."""
        async for key in in_turns(keys):
            if (entry := self.as_pending(key)) is not None:
                yield entry

    async def pending(self) -> list[Entry]:
        """Return all that is pending, oldest first."""
        return sorted([one async for one in self.each(self._keys)], key=attrgetter("queued_at"))

    async def sent_before(self) -> dict[str, list[Entry]]:
        """Return the pending magnets that may be somewhere, by instance."""
        sent: dict[str, list[Entry]] = {}
        for entry in await self.pending():
            if entry.sent_to is not None and entry.info_hash not in self._noted:
                sent.setdefault(entry.sent_to, []).append(entry)
        return sent

    async def note(self, monitor: InstanceMonitor, entries: Iterable[Entry]) -> None:
        """Note, durably, that these are about to be sent there; raises StorageError."""
        key, now = monitor.settings.key, self._clock.now()
        keys = [entry.info_hash for entry in entries]
        async for entry in self.each(keys):
            if entry.sent_to != key or entry.sent_at <= now - NOTE_SECONDS:
                self._queue.put(entry.sent(key, now))
        await self._queue.commit()
        self._noted.difference_update(keys)

    async def not_there(self, entries: Iterable[Entry]) -> None:
        """Note that these are not where they were, or were about to be, sent."""
        async for entry in self.each(entry.info_hash for entry in entries):
            self._queue.put(entry.not_there())

    def book(self, monitor: InstanceMonitor, keys: Iterable[str], result: Handover) -> None:
        """Note what became of one request's magnets, in their order."""
        if result.uncertain:
            self.silent.add(monitor.settings.key)
        if result.error is not None:
            self.errors[monitor.settings.key] = result.error
        now = self._clock.now()
        for key in keys:
            if (entry := self._queue.get(key)) is None:
                continue
            if key in result.added:
                self.listed(monitor, key, Fate.ADDED)
            elif key in result.present:
                self.listed(monitor, key, Fate.ALREADY_PRESENT)
            elif key in result.rejected:
                self._give_up(entry, REJECTED)
            elif key in result.absent & result.doubtful:
                self._queue.put(entry.moved_on())
            elif key in result.uncertain:
                self.wait(replace(entry.tried(UNCERTAIN, now), sent_at=now))

    def listed(self, monitor: InstanceMonitor, key: str, fate: Fate) -> None:
        """Note that an instance lists a magnet; it stays on the books until it is saved there."""
        settings = monitor.settings
        if entry := self._queue.get(key):
            if key in self._noted:
                entry = entry.not_there()
            mark, now = self.marks[settings.key], self._clock.now()
            self._queue.put(entry.settling(settings.key, now, mark))
            self.outcomes[key] = Outcome(entry.magnet, fate, instance=settings.name)

    def wait(self, entry: Entry) -> None:
        """Leave a magnet alone that an instance may have and that cannot be asked now."""
        if entry.keep or not self._has_caller:
            self._queue.put(entry)
            self.outcomes[entry.info_hash] = Outcome(entry.magnet, Fate.QUEUED, reason=UNCERTAIN)
            return
        self._queue.put(replace(entry, stage=Stage.DISCLAIMED))
        self.outcomes[entry.info_hash] = Outcome(
            entry.magnet, Fate.FAILED, reason=self._status_of(entry.sent_to)
        )

    async def close(self) -> None:
        """Settle what is still pending: it waits on, or its caller is told that it failed."""
        now = self._clock.now()
        async for entry in self.each([one.info_hash for one in await self.pending()]):
            if entry.info_hash in self._noted:
                entry = entry.not_there()
            if entry.sent_to is not None:
                self.wait(entry)
                continue
            reason = self._reason(entry)
            if not entry.keep:
                self._give_up(entry, reason)
                continue
            self._queue.put(entry.tried(reason, now))
            self.outcomes[entry.info_hash] = Outcome(entry.magnet, Fate.QUEUED, reason=reason)

    def _give_up(self, entry: Entry, reason: str) -> None:
        """Put a magnet on the failed list, or off the books where the caller is told instead."""
        if entry.keep or not self._has_caller:
            now = self._clock.now()
            self._queue.put(entry.tried(reason, now).failed(reason, now))
        else:
            self._queue.drop(entry.info_hash)
        self.outcomes[entry.info_hash] = Outcome(entry.magnet, Fate.FAILED, reason=reason)

    def _reason(self, entry: Entry) -> str:
        first = next((one for one in self._line if may_go_to(entry, one)), None)
        if first is not None and first.is_ok:
            return self._status_of(first.settings.key)
        return waiting_reason(entry, self._line)

    def _status_of(self, key: str | None) -> str:
        """Return the word for what an instance met in this pass."""
        if key is not None and (err := self.errors.get(key)):
            return err.status.value
        monitor = next((one for one in self._line if one.settings.key == key), None)
        if monitor is None or monitor.is_ok:
            return InstanceStatus.ERROR.value
        return (monitor.status or InstanceStatus.TIMEOUT).value
