"""The books: every accepted magnet until nothing can happen to it any more.

Changes are made in memory and reach the disk with `commit`, all at once. `accept` and `commit`
return only when the store has them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from itertools import batched
import logging
from typing import Protocol

from .entry import Entry, Record, Stage, from_record, to_record
from .errors import StorageError
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
        self._counts: Counter[Stage] = Counter()
        self._changed: dict[str, None] = {}  # in the order of the changes
        self._lock = asyncio.Lock()
        self._closed = False
        self.listener: Callable[[], None] | None = None

    async def load(self) -> None:
        """Read the store; a record that cannot be read stays where it is and is not touched."""
        unreadable = 0
        for key, record in (await self._store.load()).items():
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
        return self._counts[stage]

    def get(self, info_hash: str) -> Entry | None:
        """Return one entry, or None."""
        return self._entries.get(info_hash)

    def at(self, stage: Stage) -> list[Entry]:
        """Return the entries of one stage, oldest first."""
        if not self._counts[stage]:
            return []
        entries = [entry for entry in self._entries.values() if entry.stage is stage]
        return sorted(entries, key=lambda entry: entry.queued_at)

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
        accepted = []
        for entry in entries:
            old = self.known(entry.magnet)
            merged = entry if old is None else _merged(old, entry)
            before.setdefault(merged.info_hash, old)
            self._set(merged)
            accepted.append(merged)
        await self.commit_or_undo(before)
        return accepted

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
                raise StorageError("the queue is closed")
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
            except BaseException:
                self._changed = changed | self._changed
                raise
        if self.listener is not None:
            self.listener()

    async def commit_or_undo(self, before: Mapping[str, Entry | None]) -> None:
        """Write what has changed; raises StorageError, with these entries as they were before.

        None stands for an entry that was not on the books.
        """
        after = {key: self._entries.get(key) for key in before}
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
            self._counts[old.stage] -= 1
        self._entries[key] = entry
        self._counts[entry.stage] += 1
        self._changed[key] = None
        for topic in (entry.magnet.v1, entry.magnet.v2):
            if topic:
                self._by_topic[topic] = key

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key)
        self._counts[entry.stage] -= 1
        self._changed[key] = None
        for topic in (entry.magnet.v1, entry.magnet.v2):
            if topic and self._by_topic.get(topic) == key:
                del self._by_topic[topic]


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
    merged = new if same_key else replace(new, magnet=old.magnet)
    if old.stage is Stage.FAILED:
        return merged
    return replace(merged, sent_to=old.sent_to, sent_at=old.sent_at)
