"""The queue's place on disk: a file of all records, and beside it a journal of what has changed."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
import logging
from pathlib import Path
from typing import override

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util.hass_dict import HassKey

from . import issues
from .const import DOMAIN
from .core.entry import Record, from_record
from .core.errors import ClosedError, StorageError
from .core.journal import Change, Journal, difference, encode, replay
from .core.queue import QueueStore
from .kept import KeptMagnets
from .record_file import CorruptError, RecordFile, kept_name

_LOGGER = logging.getLogger(__name__)

FOLD_BYTES = 256 * 1024
"""A journal up to this size is left as it is: it is read within milliseconds at the next start.

Beyond, it may grow to twice the file beside it. So what is written anew, all in all, stays below
what is written once. With 4 MiB, calls of 1,000 magnets were no faster, and starts with 10,000 that
are queued slower.
"""


@dataclass
class _Place:
    """What the storages of one entry share: only the newest of them may write."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    owner: QueueStorage | None = None


_PLACES: HassKey[dict[str, _Place]] = HassKey(f"{DOMAIN}_places")


class QueueStorage(QueueStore):
    """The records of the queue.

    While Home Assistant stops, a Store only takes a note for later; so nothing is written then.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Use the files of this entry."""
        self._hass = hass
        self._base = RecordFile(hass, f"{DOMAIN}.{entry_id}")
        self._journal = Journal(f"{self._base.path}.journal")
        self._kept = KeptMagnets(hass)
        self._place = hass.data.setdefault(_PLACES, {}).setdefault(entry_id, _Place())
        self._records: dict[str, Record] = {}
        self._revision = 0
        self._in_base = 0  # how many records the file has, current or not
        self._fold_from = 0  # how big the journal must be before another fold is tried
        self._doubtful = False  # whether the file may hold changes that were refused

    @property
    def path(self) -> Path:
        """Return where the records are."""
        return self._base.path

    @override
    async def load(self) -> Mapping[str, Record]:
        """Read the files, and take over what outlived a removed entry; raises StorageError.

        A file that cannot be understood is kept under another name, and the user is told.
        """
        async with self._place.lock:
            self._place.owner = self
            changed = await self._read()
            await issues.async_clean_up(self._hass)
            if changed:
                try:
                    await self._rewrite(self._records)
                except StorageError:
                    _LOGGER.warning("The changes to the queue stay in their journal for now")
            await self._take_over()
            return dict(self._records)

    @override
    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Write the changes and read back that they are there; raises StorageError.

        What has begun is finished even if nobody waits for it any more.
        """
        if self._hass.state in (CoreState.stopping, CoreState.final_write, CoreState.stopped):
            raise ClosedError("Home Assistant is stopping")
        job = self._hass.async_create_task(self._commit(put, drop), "queue commit")
        if (error := await asyncio.shield(job)) is not None:
            raise error

    async def retire(self) -> None:
        """Delete the files of an entry that is removed; what it still owed is kept.

        Raises StorageError, and then they stay.
        """
        async with self._place.lock:
            self._place.owner = self
            await self._read()
            await self._kept.add(self._records)
            try:
                await self._base.remove()
                await self._hass.async_add_executor_job(self._journal.remove)
            except OSError as err:
                raise StorageError("the stored queue cannot be deleted") from err

    def unreadable(self, is_known: Callable[[str], object]) -> int:
        """Return how many records are none, of those that nobody knows."""
        return sum(not _is_readable(one) for key, one in self._records.items() if not is_known(key))

    async def _read(self) -> bool:
        """Read both files; tell whether the file of all records should be written anew."""
        try:
            changes = await self._hass.async_add_executor_job(self._journal.read)
            is_intact = await self._hass.async_add_executor_job(self._journal.intact)
        except OSError as err:
            raise StorageError("the journal of the queue cannot be read") from err
        try:
            stored = await self._base.load()
        except CorruptError:
            stored = None
            await issues.async_set_aside(self._hass, self._base)
        records, revision = stored or ({}, 0)
        self._in_base = len(records)
        self._records = replay(records, changes, after=revision)
        self._revision = max(revision, *(one.revision for one in changes), 0)
        return bool(changes) or not is_intact

    async def _commit(
        self, put: Mapping[str, Record], drop: Collection[str]
    ) -> StorageError | None:
        """Write the changes; return what went wrong, as maybe nobody is there to catch it."""
        try:
            async with self._place.lock:
                await self._write(put, drop)
        except StorageError as err:
            return err
        return None

    async def _write(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        if self._place.owner is not self:
            raise ClosedError("the queue was loaded anew")
        if not await self._append(put, drop):
            change = Change(self._revision + 1, put, drop)
            self._doubtful = True
            await self._rewrite(replay(self._records, [change], after=self._revision))

    async def _append(self, put: Mapping[str, Record], drop: Collection[str]) -> bool:
        """Write the changes to the journal, where that costs less than to write everything."""
        if self._base.size is None or self._doubtful:
            return False
        self._revision += 1  # whatever comes of it, this number is used up
        most = max(self._base.size, FOLD_BYTES)
        try:
            if not await self._hass.async_add_executor_job(self._append_smaller, put, drop, most):
                return False
        except OSError as err:
            raise StorageError(f"the queue cannot be written: {err.strerror}") from err
        except ValueError as err:
            raise StorageError("the queue holds what cannot be written") from err
        self._records.update(put)
        for key in drop:
            self._records.pop(key, None)
        await self._tidy_up()
        return True

    def _append_smaller(self, put: Mapping[str, Record], drop: Collection[str], most: int) -> bool:
        """Append changes of fewer bytes than `most`, if the journal is as it was left."""
        if not self._journal.intact():
            return False
        new, alter = difference(self._records, put)
        line = encode(Change(self._revision, new, drop, alter))
        if len(line) >= most:
            return False
        self._journal.append_line(line)
        return True

    async def _tidy_up(self) -> None:
        """Write everything anew where the journal has grown, or most of the file is outdated.

        Where nothing is left of either, it is enough to remove the journal.
        """
        has_grown = self._journal.size >= max(2 * (self._base.size or 0), FOLD_BYTES)
        if has_grown or (self._in_base and len(self._records) <= self._in_base // 4):
            if self._journal.size >= self._fold_from:
                await self._fold()
        elif not self._records:
            await self._discard_journal()

    async def _fold(self) -> None:
        """Write everything; should it fail, it can wait, as the changes are on disk."""
        try:
            await self._rewrite(self._records)
        except StorageError as err:
            _LOGGER.debug("The journal is kept: %s", err)
            self._fold_from = self._journal.size + FOLD_BYTES

    async def _rewrite(self, records: dict[str, Record]) -> None:
        """Write all records. Then the journal is outdated, whether or not it can be removed."""
        self._revision += 1
        await self._base.save(records, self._revision)
        self._records = records
        self._in_base = len(records)
        self._fold_from = 0
        self._doubtful = False
        await self._discard_journal()

    async def _discard_journal(self) -> None:
        try:
            await self._hass.async_add_executor_job(self._remove_journal)
        except OSError as err:
            _LOGGER.debug("The outdated journal stays: %s", err.strerror)

    def _remove_journal(self) -> None:
        if not self._journal.damaged:
            self._journal.remove()
            return
        kept = kept_name(self._journal.path)
        self._journal.remove(kept=kept)
        self._hass.loop.call_soon_threadsafe(issues.async_tell_set_aside, self._hass, kept)

    async def _take_over(self) -> None:
        """Take over the magnets that a removed entry owed; on failure they stay where they are."""
        try:
            if kept := await self._kept.load():
                await self._rewrite({**kept, **self._records})
            await self._kept.discard()
        except StorageError as err:
            _LOGGER.warning("The magnets of the removed entry are not taken over yet: %s", err)


def async_unreadable(hass: HomeAssistant, entry_id: str, is_known: Callable[[str], object]) -> int:
    """Return how many records of a loaded entry nobody can read."""
    owner = hass.data[_PLACES][entry_id].owner
    return 0 if owner is None else owner.unreadable(is_known)


async def async_retire(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the stored queue of an entry that is removed, but for what it still owed."""
    storage = QueueStorage(hass, entry_id)
    try:
        await storage.retire()
    except StorageError as err:
        _LOGGER.error("The stored queue is not deleted: %s", err)
        issues.async_tell_set_aside(hass, storage.path)
    hass.data[_PLACES].pop(entry_id, None)


def _is_readable(record: Record) -> bool:
    try:
        from_record(record)
    except ValueError:
        return False
    return True
