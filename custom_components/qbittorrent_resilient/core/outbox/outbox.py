"""The outbox: it has a job for every accepted magnet, until nothing can happen to that any more.

Jobs are changed in memory; `commit` writes all changes at once. `accept`, `change` and `commit`
return only when the store has written them.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import batched, islice, takewhile
import logging
from operator import attrgetter

from .. import turns
from ..errors import ClosedError, StorageError
from ..listeners import Listeners
from ..log_words import counted
from ..magnet import Magnet
from .deliveries import Deliveries
from .job import Job, Stage
from .record import Record, files_of, from_record, to_record
from .resubmission import resubmitted
from .store import QueueStore
from .torrent_files import TorrentFiles
from .write_log import WriteLog

_LOGGER = logging.getLogger(__name__)

_DELIVERED = (Stage.DELIVERED, Stage.DUPLICATE_CHECK)


class Outbox:
    """All jobs, by info-hash, in memory and in the store."""

    def __init__(
        self, store: QueueStore, *, remember_seconds: float = 0, counted: Deliveries | None = None
    ) -> None:
        """Keep the jobs in `store`, and remember what was delivered for so long; 0: not at all."""
        self._store = store
        self.remember_seconds = remember_seconds
        self.deliveries = counted or Deliveries()
        self._jobs: dict[str, Job] = {}
        self._by_topic: dict[str, str] = {}
        self._by_stage: dict[Stage, dict[str, Job]] = {stage: {} for stage in Stage}
        self._changed: dict[str, None] = {}  # info-hashes, in the order of the changes
        self._files: dict[str, str] = {}  # torrent files that records on disk refer to
        self._committing = asyncio.Lock()
        # serialises accept and change, so that a rollback never restores stale jobs
        self._changing = asyncio.Lock()
        self._closed = False
        self._write_log = WriteLog()
        self._listeners = Listeners[()]()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after all that was written or rolled back; return how to unsubscribe."""
        return self._listeners.subscribe(callback)

    @property
    def torrent_files(self) -> TorrentFiles:
        """Return where the torrent files of jobs are kept."""
        return self._store.torrent_files

    async def load(self) -> None:
        """Read the store; raises StorageError. A record that cannot be read is left as it is."""
        unreadable = 0
        records = await self._store.load()
        self._files |= files_of(records)
        async for info_hash, record in turns.cooperatively(records.items()):
            try:
                self._set(job := from_record(record, info_hash))
                self.deliveries.catch_up_with(job)
            except ValueError:
                unreadable += 1
                _LOGGER.debug("Stored magnet %s cannot be read", info_hash)
        self._changed.clear()
        if unreadable:
            _LOGGER.warning("%s cannot be read: left as is", counted(unreadable, "stored magnet"))

    def close(self) -> None:
        """Write nothing any more: from now on, the store belongs to its next owner."""
        self._closed = True

    def count(self, stage: Stage) -> int:
        """Return how many jobs are in this stage."""
        return len(self._by_stage[stage])

    def get(self, info_hash: str) -> Job | None:
        """Return the job with this info-hash, or None."""
        return self._jobs.get(info_hash)

    def at(self, stage: Stage) -> list[Job]:
        """Return the jobs of one stage, oldest first."""
        return sorted(self._by_stage[stage].values(), key=attrgetter("queued_at"))

    def everything(self) -> list[Job]:
        """Return the jobs of all stages."""
        return [job for stage in Stage for job in self.at(stage)]

    def known(self, magnet: Magnet) -> Job | None:
        """Return the job of the same torrent, whichever of its hashes it was added by."""
        for topic in (magnet.v1, magnet.v2):
            if topic and (job := self.of_torrent(topic)):
                return job
        return None

    def of_torrent(self, topic: str) -> Job | None:
        """Return the job of the torrent with this v1 or v2 hash, or None."""
        info_hash = self._by_topic.get(topic)
        return None if info_hash is None else self._jobs[info_hash]

    def key_of(self, magnet: Magnet) -> str:
        """Return the key that the magnet has in the outbox, or would get."""
        known = self.known(magnet)
        return magnet.info_hash if known is None else known.info_hash

    def as_accepted(self, job: Job) -> Job:
        """Return what `accept` has made, or would make, of a new job."""
        known = self.known(job.magnet)
        if known is not None and known.magnet is job.magnet:
            return known  # it was accepted by now
        return job if known is None else resubmitted(known, job)

    def delivered(self, magnet: Magnet, now: float) -> Job | None:
        """Return the job of a magnet that was delivered, if that is not too long ago."""
        job = self.known(magnet)
        if job is None or job.stage not in _DELIVERED or not self.remember_seconds:
            return None
        return job if job.sent_at > now - self.remember_seconds else None

    def forget_delivered(self, now: float) -> None:
        """Remove from memory what was delivered too long ago.

        Jobs come to that stage in the order of time, so what follows the first recent one is, too.
        """
        since = now - self.remember_seconds
        old = takewhile(lambda job: job.sent_at <= since, self._by_stage[Stage.DELIVERED].values())
        for info_hash in [job.info_hash for job in islice(old, turns.YIELD_EVERY)]:
            self._remove(info_hash)

    async def accept(self, jobs: Iterable[Job]) -> list[Job]:
        """Put new jobs into the outbox, durably, and return them as they are there.

        A magnet that is queued already keeps its place and gets the new options; a magnet that
        failed or was delivered starts again. Raises StorageError, and then none is accepted. The
        torrent files that were put for these jobs are released.
        """
        jobs = list(jobs)
        before: dict[str, Job | None] = {}
        after: dict[str, Job | None] = {}
        accepted = []
        try:
            async with self._changing:
                async for job in turns.cooperatively(jobs):
                    known = self.known(job.magnet)
                    new = job if known is None else resubmitted(known, job)
                    if known is not None and known.info_hash != new.info_hash:
                        before.setdefault(known.info_hash, known)
                        after[known.info_hash] = None
                        self._remove(known.info_hash)
                        known = None
                    before.setdefault(new.info_hash, known)
                    after[new.info_hash] = new
                    self._set(new)
                    accepted.append(new)
                await self.commit_or_roll_back(before, after)
        finally:
            await self.release([job.file for job in jobs if job.file])
        return accepted

    async def release(self, files: Collection[str]) -> None:
        """Take note that torrent files that were put are needed by the jobs here only.

        A job counts even if it is not known to be on disk: whoever waited for that may have been
        cut off. A queue that is closed does not know what its next owner needs.
        """
        if not files:
            return
        jobs = {job.file for job in self._jobs.values() if job.file}
        needed = files if self._closed else jobs.union(self._files.values())
        await self.torrent_files.release(files, needed=needed)

    async def change(self, changes: Iterable[tuple[Job, Job | None]]) -> list[Job]:
        """Replace jobs by new ones, or remove them from the outbox (None), durably.

        Return the old jobs that were replaced or removed; a job that somebody else has changed
        meanwhile is left alone. Raises StorageError, and then all jobs are as they were.
        """
        before: dict[str, Job | None] = {}
        after: dict[str, Job | None] = {}
        changed = []
        async with self._changing:
            async for old, new in turns.cooperatively(changes):
                info_hash = old.info_hash
                if self._jobs.get(info_hash) is not old:
                    continue
                before[info_hash], after[info_hash] = old, new
                changed.append(old)
                if new is None:
                    self._remove(info_hash)
                else:
                    self._set(new)
            await self.commit_or_roll_back(before, after)
        return changed

    def put(self, job: Job) -> None:
        """Change a job in memory; a job that was removed meanwhile stays removed."""
        if job.info_hash in self._jobs:
            self._set(job)

    def drop(self, info_hash: str) -> None:
        """Remove a job from memory, if it is there."""
        if info_hash in self._jobs:
            self._remove(info_hash)

    async def commit(self, needed: Iterable[str] | None = None) -> None:
        """Write all changes; raises StorageError, and then keeps them for the next commit.

        If only some jobs are `needed` on disk, by info-hash, and all these are, nothing is written.
        """
        async with self._committing:
            if self._closed:
                raise ClosedError("the queue is closed")
            wanted = self._changed if needed is None else needed
            if self._changed.keys().isdisjoint(wanted):
                return
            changed, self._changed = self._changed, {}
            delivered = self.deliveries.unwritten
            try:
                put: dict[str, Record] = {}
                files: dict[str, str] = {}
                for batch in batched(changed, turns.YIELD_EVERY, strict=False):
                    jobs = [self._jobs[info_hash] for info_hash in batch if info_hash in self._jobs]
                    put |= {job.info_hash: to_record(job) for job in jobs}
                    files |= {job.info_hash: job.file for job in jobs if job.file is not None}
                    await asyncio.sleep(0)
                await self._store.commit(put, changed.keys() - put.keys())
            except BaseException as err:
                self._changed = changed | self._changed
                self._write_log.note(err)
                raise
            self._write_log.note(None)
            self.deliveries.unwritten -= delivered
            await self._follow_files(changed, files)
        self._listeners.notify()

    async def _follow_files(self, changed: Iterable[str], files: Mapping[str, str]) -> None:
        """Remove what no record refers to any more; `files` is what the changed ones refer to."""
        if not (self._files or files):
            return
        before = {self._files.pop(info_hash, "") for info_hash in changed} - {""}
        self._files |= files
        if before:
            await self.torrent_files.discard(before.difference(self._files.values()))

    async def commit_or_roll_back(
        self, before: Mapping[str, Job | None], after: Mapping[str, Job | None]
    ) -> None:
        """Write all changes; raises StorageError, and then the jobs are as in `before` again.

        A job that is no longer as in `after` was changed by somebody else since and stays so. None
        stands for a job that was, or is, not in the outbox.
        """
        try:
            await self.commit()
        except StorageError:
            for info_hash, old in before.items():
                if self._jobs.get(info_hash) is not after[info_hash]:
                    continue  # somebody else has changed it since
                if old is not None:
                    self._set(old)
                elif info_hash in self._jobs:
                    self._remove(info_hash)
            self._listeners.notify()  # somebody may have looked meanwhile
            raise

    def _set(self, job: Job) -> None:
        info_hash = job.info_hash
        if (old := self._jobs.get(info_hash)) is not None:
            if old.stage is not job.stage:
                del self._by_stage[old.stage][info_hash]
            if old.magnet is not job.magnet:
                self._forget_topics(old)
        self._jobs[info_hash] = self._by_stage[job.stage][info_hash] = job
        self._changed[info_hash] = None
        for topic in (job.magnet.v1, job.magnet.v2):
            if topic:
                self._by_topic[topic] = info_hash

    def _remove(self, info_hash: str) -> None:
        job = self._jobs.pop(info_hash)
        del self._by_stage[job.stage][info_hash]
        self._changed[info_hash] = None
        self._forget_topics(job)

    def _forget_topics(self, job: Job) -> None:
        for topic in (job.magnet.v1, job.magnet.v2):
            if topic and self._by_topic.get(topic) == job.info_hash:
                del self._by_topic[topic]
