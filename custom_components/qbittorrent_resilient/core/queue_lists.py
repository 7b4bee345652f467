"""The queue and the failed list as users see them: magnets and web links in one."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from .clock import Clock
from .delivery.failover import InstancePool
from .errors import StorageError
from .fetching.links import WebLinks
from .magnet import Magnet
from .outbox.job import Job, Stage
from .outbox.outbox import Outbox


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A magnet or a web link that waits, or has failed."""

    job: Job
    is_link: bool = False

    @property
    def key(self) -> str:
        """Return what it is removed or tried again by; for a magnet that is its info-hash."""
        return self.job.info_hash

    @property
    def info_hash(self) -> str | None:
        """Return its info-hash, which a web link has not before it was fetched."""
        return None if self.is_link else self.job.info_hash

    @property
    def magnet(self) -> Magnet:
        """Return the magnet, or the form in which a web link is kept, which has its name."""
        return self.job.magnet


class QueueLists:
    """Shows the queue and the failed list, and changes them as the user wants."""

    def __init__(
        self,
        outbox: Outbox,
        links: WebLinks,
        pool: InstancePool,
        clock: Clock,
        *,
        requeued: Callable[[], None],
    ) -> None:
        """Show magnets of `outbox`; `requeued` is called when some were put back in the queue."""
        self._outbox = outbox
        self._links = links
        self._pool = pool
        self._clock = clock
        self._requeued = requeued

    def items(self, stage: Stage) -> list[QueueItem]:
        """Return what is queued, or has failed, oldest first."""
        items = _items(self._outbox.at(stage), self._links.at(stage))
        items.sort(key=lambda item: item.job.queued_at)
        return items

    def reason(self, item: QueueItem) -> str:
        """Return why an item waits or has failed: a Reason or an InstanceStatus."""
        if item.is_link:
            return self._links.reason(item.job)
        is_queued = item.job.stage is Stage.QUEUED
        return self._pool.waiting_reason(item.job) if is_queued else item.job.reason

    async def remove(self, stage: Stage, keys: Collection[str] | None) -> list[QueueItem]:
        """Take items of a stage out, durably, and return them.

        `keys` may be v1 or v2 hashes, in lower case, and keys of links; None stands for all of the
        stage. Raises StorageError, and then none has been removed.
        """
        became: set[str] = set()
        # Links first: one that is a magnet by then is found as that, and both are never missed.
        links, jobs = await _as_far_as_possible(
            self._links.remove(stage, keys, became),
            self._remove_magnets(stage, keys, became),
        )
        return _items(jobs, links)

    async def _remove_magnets(
        self, stage: Stage, keys: Collection[str] | None, became: Collection[str]
    ) -> list[Job]:
        """Remove magnets of a stage, and those that links have just become; raises StorageError.

        Some may not be in the queue yet. They wait before us for what changes it, as a hand-over
        accepts at once; so what is removed is chosen only when it is our turn.
        """
        if keys is not None:
            keys = {*keys, *became}
        if stage is Stage.QUEUED:
            # First, as a link that outlives its magnet brings it back.
            await self._links.forget(self._chosen(stage, keys), became)

        def removals() -> Iterator[tuple[Job, None]]:
            for chosen in self._chosen(stage, keys):
                if (job := self._outbox.get(chosen.info_hash)) is not None:
                    yield job, None

        return await self._outbox.change(removals())

    async def requeue(self, keys: Collection[str] | None) -> list[QueueItem]:
        """Move failed items back to the queue, durably, and return them as they are then.

        `keys` as in `remove`. They are tried again soon. Raises StorageError, and then all are as
        they were.
        """
        now, chosen = self._clock.now(), self._chosen(Stage.FAILED, keys)
        jobs, links = await _as_far_as_possible(
            self._outbox.change((job, job.requeued(now)) for job in chosen),
            self._links.requeue(keys),
        )
        self._requeued()
        return _items([job.requeued(now) for job in jobs], links)

    def _chosen(self, stage: Stage, keys: Collection[str] | None) -> list[Job]:
        """Return the magnets of a stage that have one of these hashes, or all."""
        jobs = self._outbox.at(stage)
        if keys is None:
            return jobs
        wanted = set(keys)
        return [job for job in jobs if wanted & {job.magnet.v1, job.magnet.v2, job.info_hash}]


def _items(jobs: Iterable[Job], links: Iterable[Job]) -> list[QueueItem]:
    return [*map(QueueItem, jobs), *(QueueItem(job, is_link=True) for job in links)]


async def _as_far_as_possible(
    first: Awaitable[list[Job]], second: Awaitable[list[Job]]
) -> tuple[list[Job], list[Job]]:
    """Change magnets and links, which are in files of their own.

    Raises StorageError only if nothing was changed: what was, has to be told.
    """
    done: list[list[Job]] = []
    failure: StorageError | None = None
    for change in (first, second):
        try:
            done.append(await change)
        except StorageError as err:
            failure = err
            done.append([])
    if failure is not None and not any(done):
        raise failure
    return done[0], done[1]
