"""The books: every accepted magnet until nothing can happen to it any more.

Changes are made in memory and reach the disk with `commit`, all at once. `accept` and `commit`
return only when the store has them.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from copy import replace
from itertools import batched
import logging
from operator import attrgetter
from typing import Protocol

from .entry import Entry, Record, Stage, from_record, to_record
from .errors import ClosedError, StorageError
from .magnet import Magnet

_LOGGER = logging.getLogger(__name__)

AT_A_TIME = 1000
"""Entries worked on before others get their turn: some 5 ms."""


class QueueStore(Protocol):
    """Where the records are kept, by info-hash."""

    async def load(self) -> Mapping[str, Record]:
        """Return all records; raises StorageError."""

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Write these changes, sync them and check that they are there; raises StorageError."""


class MagnetQueue:
    """All entries, by info-hash, in memory and in the store."""

    def __init__(self, store: QueueStore) -> None:
        """Keep the books in `store`."""
        self._store = store
        self._entries: dict[str, Entry] = {}
        self._by_topic: dict[str, str] = {}
        self._by_stage: dict[Stage, dict[str, Entry]] = {stage: {} for stage in Stage}
        self._changed: dict[str, None] = {}  # in the order of the changes
        self._lock = asyncio.Lock()
        self._changing = asyncio.Lock()  # so that nobody goes back to what another undoes
        self._closed = False
        self._unwritable = False
        self.listener: Callable[[], None] | None = None

    async def load(self) -> None:
        """Read the store; a record that cannot be read stays where it is and is not touched."""
        unreadable = 0
        async for key, record in in_turns((await self._store.load()).items()):
            try:
                self._set(from_record(record))
            except ValueError:
                unreadable += 1
                _LOGGER.debug("Stored magnet %s cannot be read", key)
        self._changed.clear()
        if unreadable:
            _LOGGER.warning("%d stored magnets cannot be read and stay as they are", unreadable)

    def close(self) -> None:
        """Write nothing more: the next owner of the store has it from now on."""
        self._closed = True

    def count(self, stage: Stage) -> int:
        """Return how many entries are in this stage."""
        return len(self._by_stage[stage])

    def get(self, info_hash: str) -> Entry | None:
        """Return one entry, or None."""
        return self._entries.get(info_hash)

    def at(self, stage: Stage) -> list[Entry]:
        """Return the entries of one stage, oldest first."""
        return sorted(self._by_stage[stage].values(), key=attrgetter("queued_at"))

    def known(self, magnet: Magnet) -> Entry | None:
        """Return the entry of the same torrent, whichever of its hashes it was added by."""
        for topic in (magnet.v1, magnet.v2):
            if topic and (key := self._by_topic.get(topic)):
                return self._entries[key]
        return None

    def key_of(self, magnet: Magnet) -> str:
        """Return the key that the magnet has on the books, or would get."""
        known = self.known(magnet)
        return magnet.info_hash if known is None else known.info_hash

    async def accept(self, entries: Iterable[Entry]) -> list[Entry]:
        """Put new magnets on the books and return their entries, durable.

        One that is queued already keeps its place and gets the new wishes; one that failed or
        has been delivered starts anew. Raises StorageError, and then nothing has been accepted.
        """
        before: dict[str, Entry | None] = {}
        after: dict[str, Entry | None] = {}
        accepted = []
        async with self._changing:
            async for entry in in_turns(entries):
                old = self.known(entry.magnet)
                merged = entry if old is None else _merged(old, entry)
                before.setdefault(merged.info_hash, old)
                after[merged.info_hash] = merged
                self._set(merged)
                accepted.append(merged)
            await self.commit_or_undo(before, after)
        return accepted

    async def change(self, changes: Iterable[tuple[Entry, Entry | None]]) -> list[Entry]:
        """Put others in the place of entries, or take them off the books (None), durably.

        Return those that were changed: not what somebody else has changed meanwhile. Raises
        StorageError, and then they are as they were.
        """
        before: dict[str, Entry | None] = {}
        after: dict[str, Entry | None] = {}
        changed = []
        async with self._changing:
            async for old, new in in_turns(changes):
                key = old.info_hash
                if self._entries.get(key) is not old:
                    continue
                before[key], after[key] = old, new
                changed.append(old)
                if new is None:
                    self._remove(key)
                else:
                    self._set(new)
            await self.commit_or_undo(before, after)
        return changed

    def put(self, entry: Entry) -> None:
        """Change an entry that is on the books; one that was removed meanwhile stays removed."""
        if entry.info_hash in self._entries:
            self._set(entry)

    def drop(self, info_hash: str) -> None:
        """Take an entry off the books."""
        if info_hash in self._entries:
            self._remove(info_hash)

    async def commit(self) -> None:
        """Write what has changed; raises StorageError, and keeps it for the next commit."""
        async with self._lock:
            if self._closed:
                raise ClosedError("the queue is closed")
            if not self._changed:
                return
            changed, self._changed = self._changed, {}
            try:
                put: dict[str, Record] = {}
                for keys in batched(changed, AT_A_TIME, strict=False):
                    known = (key for key in keys if key in self._entries)
                    put |= {key: to_record(self._entries[key]) for key in known}
                    await asyncio.sleep(0)
                await self._store.commit(put, changed.keys() - put.keys())
            except BaseException as err:
                self._changed = changed | self._changed
                self._say(err)
                raise
            self._say(None)
        if self.listener is not None:
            self.listener()

    def _say(self, err: BaseException | None) -> None:
        """Log once that the queue cannot be written, and once that it can be again."""
        fails = isinstance(err, StorageError) and not isinstance(err, ClosedError)
        if fails and not self._unwritable:
            _LOGGER.error("The queue cannot be written: %s", err)
        elif err is None and self._unwritable:
            _LOGGER.info("The queue can be written again")
        self._unwritable = fails or (self._unwritable and err is not None)

    async def commit_or_undo(
        self, before: Mapping[str, Entry | None], after: Mapping[str, Entry | None]
    ) -> None:
        """Write what has changed; raises StorageError, with these entries as they were before.

        `after` is what became of each: what others have changed since stays. None stands for an
        entry that was, or is, not on the books.
        """
        try:
            await self.commit()
        except StorageError:
            for key, old in before.items():
                if self._entries.get(key) is not after[key]:
                    continue  # somebody else has changed it since
                if old is not None:
                    self._set(old)
                elif key in self._entries:
                    self._remove(key)
            raise

    def _set(self, entry: Entry) -> None:
        key = entry.info_hash
        if (old := self._entries.get(key)) is not None:
            if old.stage is not entry.stage:
                del self._by_stage[old.stage][key]
            if old.magnet is not entry.magnet:
                self._forget_topics(old)
        self._entries[key] = self._by_stage[entry.stage][key] = entry
        self._changed[key] = None
        for topic in (entry.magnet.v1, entry.magnet.v2):
            if topic:
                self._by_topic[topic] = key

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key)
        del self._by_stage[entry.stage][key]
        self._changed[key] = None
        self._forget_topics(entry)

    def _forget_topics(self, entry: Entry) -> None:
        for topic in (entry.magnet.v1, entry.magnet.v2):
            if topic and self._by_topic.get(topic) == entry.info_hash:
                del self._by_topic[topic]


async def in_turns[T](items: Iterable[T]) -> AsyncGenerator[T]:
    """Yield all, and give others their turn after every AT_A_TIME."""
    for number, one in enumerate(items):
        if number and number % AT_A_TIME == 0:
            await asyncio.sleep(0)
        yield one


def _merged(old: Entry, new: Entry) -> Entry:
    """Return what becomes of an entry when its magnet is given again.

    Where it may be stays known, whatever else starts anew.
    """
    if old.stage is Stage.QUEUED:
        return replace(
            old,
            options=new.options,
            require_vpn=new.require_vpn,
            max_retries=new.max_retries,
            keep=old.keep or new.keep,
        )
    same_key = new.info_hash == old.info_hash
    merged = replace(new if same_key else replace(new, magnet=old.magnet), suspects=old.suspects)
    if old.stage in (Stage.FAILED, Stage.WATCHED):
        return merged
    return replace(merged, sent_to=old.sent_to, sent_at=old.sent_at)
