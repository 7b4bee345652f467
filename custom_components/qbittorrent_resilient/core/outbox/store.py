"""The records on disk: a snapshot of all of them, and a journal of the changes made since.

The snapshot, the journal and the way to run work that blocks are handed in.
"""

from collections.abc import Callable, Collection, Mapping
import logging
from pathlib import Path
from typing import Protocol

from ..errors import StorageError
from .files import RunBlocking, clear_way
from .journal import Change, Journal, difference, encode, replay
from .record import Record, from_record
from .snapshot import Snapshot, continuation
from .torrent_files import TorrentFiles

_LOGGER = logging.getLogger(__name__)

COMPACT_BYTES = 256 * 1024
"""A journal up to this size is not compacted: the next start reads it within milliseconds.

Above that, it may grow to twice the size of the snapshot. So compaction writes less, all in all,
than the commits do. With 4 MiB, calls of 1,000 magnets were no faster, and starts with 10,000 that
are queued slower.
"""


class QueueStore(Protocol):
    """Where the records are kept, by info-hash, and the torrent files that they refer to."""

    torrent_files: TorrentFiles

    async def load(self) -> Mapping[str, Record]:
        """Return all records, and remove left-over torrent files; raises StorageError."""

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Write these changes, sync them and check that they are there; raises StorageError."""


class SnapshotFile(Protocol):
    """A file of records that is replaced as a whole, or stays as it is."""

    size: int | None
    """In bytes; None where there is no file, or before it is read or written."""

    async def load(self) -> Snapshot:
        """Read the file, and quarantine it, or a copy, if it is damaged; raises StorageError."""

    async def save(self, records: Mapping[str, Record], revision: int, after: str) -> str:
        """Replace the file, sync it and check that it is there; return its checksum.

        `after` is the checksum of what it follows. Raises StorageError, and then the file may hold
        the old records or the new ones.
        """

    async def remove(self) -> None:
        """Delete the file, if there is one; raises OSError."""


class RecordStore:
    """The records of one outbox. The caller waits for one call before it makes the next."""

    def __init__(self, snapshot: SnapshotFile, journal: Journal, run_blocking: RunBlocking) -> None:
        """Use these files."""
        self._snapshot = snapshot
        self._journal = journal
        self._run_blocking = run_blocking
        self._records: dict[str, Record] = {}
        self._revision = 0
        self._head = ""  # the checksum of the last change or snapshot
        self._in_snapshot = 0  # how many records the snapshot has, current or not
        self._compact_from = 0  # how big the journal must be before compaction is tried again
        self._doubtful = False  # whether the snapshot must be written before another change
        self._quarantined: list[Path] = []

    @property
    def records(self) -> Mapping[str, Record]:
        """Return what has been read and committed."""
        return self._records

    async def load(self) -> Mapping[str, Record]:
        """Read both files and compact them if there are changes; raises StorageError."""
        if await self._read():
            try:
                await self.rewrite(self._records)
            except StorageError:
                _LOGGER.warning("The changes to the queue stay in their journal for now")
        return dict(self._records)

    async def read(self) -> Mapping[str, Record]:
        """Read both files and leave them as they are; raises StorageError."""
        await self._read()
        return dict(self._records)

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Write the changes and read back that they are there; raises StorageError."""
        if not await self._append(put, drop):
            change = Change(self._revision + 1, put, drop)
            self._doubtful = True
            await self.rewrite(replay(self._records, [change], after=self._revision))

    async def rewrite(self, records: dict[str, Record]) -> None:
        """Replace everything by these records; raises StorageError.

        Then the journal is outdated, whether or not it can be removed.
        """
        self._revision += 1
        # A journal that is to be set aside is not named: a kill before that would make it fit.
        after = "" if self._journal.damaged else self._journal.last or self._head
        self._head = await self._snapshot.save(records, self._revision, after)
        self._records = records
        self._in_snapshot = len(records)
        self._compact_from = 0
        self._doubtful = False
        await self._discard_journal()

    async def remove(self) -> None:
        """Delete both files; raises StorageError."""
        try:
            await self._snapshot.remove()
            quarantined = await self._run_blocking(self._remove_or_quarantine_journal)
        except OSError as err:
            raise StorageError("the stored queue cannot be deleted") from err
        if quarantined is not None:
            self._quarantined.append(quarantined)

    def take_quarantined(self) -> tuple[Path, ...]:
        """Return the new names of files that were quarantined since the last call."""
        paths, self._quarantined = tuple(self._quarantined), []
        return paths

    def count_unreadable(self, is_known: Callable[[str], object]) -> int:
        """Return how many records are no jobs, of those whose key is not known."""
        return sum(
            not _is_readable(info_hash, record)
            for info_hash, record in self._records.items()
            if not is_known(info_hash)
        )

    async def _read(self) -> bool:
        """Read both files; tell whether the snapshot must be written anew."""
        try:
            changes, is_intact = await self._run_blocking(self._read_journal)
        except OSError as err:
            raise StorageError("the journal of the queue cannot be read") from err
        snapshot = await self._snapshot.load()
        if snapshot.quarantined is not None:
            self._quarantined.append(snapshot.quarantined)
        newer, fits = continuation(snapshot, changes)
        if not fits:
            self._journal.damaged = True
        self._doubtful = snapshot.is_damaged or not fits
        self._in_snapshot = len(snapshot.records)
        self._records = replay(snapshot.records, newer, after=-1)
        self._revision = max(snapshot.revision or 0, *(change.revision for change in changes), 0)
        self._head = newer[-1].checksum if newer else snapshot.checksum
        return bool(changes) or not is_intact or (snapshot.is_damaged and bool(snapshot.records))

    def _read_journal(self) -> tuple[list[Change], bool]:
        if (in_the_way := clear_way(self._journal.path)) is not None:
            self._quarantined.append(in_the_way)
        return self._journal.read(), self._journal.intact()

    async def _append(self, put: Mapping[str, Record], drop: Collection[str]) -> bool:
        """Write the changes to the journal, if that costs less than to write everything."""
        if self._snapshot.size is None or self._doubtful:
            return False
        self._revision += 1  # never reused, even if the write fails
        limit = max(self._snapshot.size, COMPACT_BYTES)
        try:
            if not await self._run_blocking(self._append_smaller, put, drop, limit):
                return False
        except OSError as err:
            raise StorageError(f"the queue cannot be written: {err.strerror}") from err
        except ValueError as err:
            raise StorageError("the queue holds what cannot be written") from err
        self._records.update(put)
        for info_hash in drop:
            self._records.pop(info_hash, None)
        await self._compact_if_due()
        return True

    def _append_smaller(self, put: Mapping[str, Record], drop: Collection[str], limit: int) -> bool:
        """Append changes of fewer bytes than `limit`, if the journal ends where it was left."""
        if not self._journal.intact():
            return False
        new, alter = difference(self._records, put)
        line = encode(Change(self._revision, new, drop, alter, self._head))
        if len(line) >= limit:
            return False
        self._journal.append_line(line)
        self._head = self._journal.last
        return True

    async def _compact_if_due(self) -> None:
        """Compact a journal that has grown, or a snapshot that is mostly outdated.

        Where no records are left in either, it is enough to remove the journal.
        """
        has_grown = self._journal.size >= max(2 * (self._snapshot.size or 0), COMPACT_BYTES)
        if has_grown or (self._in_snapshot and len(self._records) <= self._in_snapshot // 4):
            if self._journal.size >= self._compact_from:
                await self._compact()
        elif not self._records:
            await self._discard_journal()

    async def _compact(self) -> None:
        """Move everything into the snapshot; a failure can wait, as the changes are on disk."""
        try:
            await self.rewrite(self._records)
        except StorageError as err:
            _LOGGER.debug("The journal is kept: %s", err)
            self._compact_from = self._journal.size + COMPACT_BYTES

    async def _discard_journal(self) -> None:
        try:
            quarantined = await self._run_blocking(self._remove_or_quarantine_journal)
        except OSError as err:
            _LOGGER.debug("The outdated journal stays: %s", err.strerror)
            return
        if quarantined is not None:
            self._quarantined.append(quarantined)

    def _remove_or_quarantine_journal(self) -> Path | None:
        if self._journal.damaged:
            return self._journal.quarantine()
        self._journal.remove()
        return None


def _is_readable(info_hash: str, record: Record) -> bool:
    try:
        from_record(record, info_hash)
    except ValueError:
        return False
    return True
