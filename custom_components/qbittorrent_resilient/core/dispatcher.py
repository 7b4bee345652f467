"""The dispatcher: the one face of the core.

It takes magnets in, answers what became of each, and keeps those that wait. Whoever wants to know
what happens subscribes to it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from .backoff import Backoff
from .clock import Clock, ClockWatch
from .delivery.deliverer import Deliverer
from .delivery.delivery_pass import Outcomes
from .delivery.failover import InstancePool
from .delivery.outcome import Fate, Outcome
from .delivery.pass_state import Caller, PassContext
from .errors import StorageError
from .events import DeliveryEvent, EventItem, EventType, QueueSnapshot, of_call, summarise
from .fetching.link_outcome import LinkOutcome
from .fetching.links import LinkHandling, WebLinks
from .health.instance import InstanceMonitor
from .health.status import InstanceStatus
from .leak_news import LeakNews
from .listeners import Listeners
from .magnet import Magnet
from .outbox.job import Job, Reason, Stage
from .outbox.outbox import Outbox
from .outbox.torrent_files import TorrentFiles
from .queue_lists import QueueItem, QueueLists
from .recent_deliveries import RecentDeliveries
from .reconciliation.maintenance import recover, shift_times
from .worker import Worker

type Event = DeliveryEvent | QueueSnapshot
"""What subscribers are told: what happened to magnets, or how the queue stands now."""


class Dispatcher:
    """Delivers magnets to the first instance in line that is ok, and keeps those that wait."""

    def __init__(
        self,
        instances: Iterable[InstanceMonitor],
        outbox: Outbox,
        *,
        links: LinkHandling,
        expiry_seconds: float,
        unusable: Collection[str] = (),
        clock: Clock | None = None,
    ) -> None:
        """Deliver to `instances` in the order of their priority.

        `unusable` are the keys of instances that cannot be used now, and may have magnets.
        """
        self._pool = InstancePool(instances, unusable)
        self._outbox, self._outboxes = outbox, (outbox, links.outbox)
        self._clock = clock or Clock()
        self._clock_watch = ClockWatch(self._clock)
        self._backoff = Backoff()
        self._listeners = Listeners[Event]()
        self.recent_deliveries = RecentDeliveries(self._clock)
        context = PassContext(self._pool, outbox, asyncio.Lock(), self._clock, self._follow_clock)
        self._deliverer = Deliverer(context, released=self._publish_snapshot)
        self._worker = Worker(
            context,
            self._deliverer,
            self._backoff,
            publish=self._publish,
            expiry_seconds=expiry_seconds,
        )
        self.links = WebLinks(
            links,
            deliver=self.add,
            publish=self._publish,
            expiry_seconds=expiry_seconds,
            context=context,
        )
        self._lists = QueueLists(
            outbox, self.links, self._pool, self._clock, requeued=self._worker.wake
        )
        self._leak_news = LeakNews(self._publish)
        self._seen = {
            monitor.settings.key: (monitor.status, monitor.client.renewals)
            for monitor in self._pool
        }
        self._follow(*self._outboxes)

    def _follow(self, *outboxes: Outbox) -> None:
        for one in outboxes:
            one.subscribe(self._publish_snapshot)
        for monitor in self._pool:
            monitor.subscribe(partial(self._instance_noticed, monitor))
            if monitor.route is not None:
                monitor.route.subscribe(partial(self._leak_news.route_changed, monitor))

    def remember(self, recent: RecentDeliveries) -> None:
        """Go on with what was delivered lately, before a reload."""
        self.recent_deliveries = recent

    @property
    def instances(self) -> Sequence[InstanceMonitor]:
        """Return the instances in the order of their priority."""
        return tuple(self._pool)

    @property
    def active(self) -> InstanceMonitor | None:
        """Return the instance that the next magnet would go to."""
        return self._pool.active

    def items(self, stage: Stage) -> list[QueueItem]:
        """Return what is queued, or has failed, oldest first: magnets and web links."""
        return self._lists.items(stage)

    def reason(self, item: QueueItem) -> str:
        """Return why an item waits or has failed: a Reason or an InstanceStatus."""
        return self._lists.reason(item)

    def jobs(self, stage: Stage) -> list[Job]:
        """Return the magnets of one stage, oldest first; `items` has web links as well."""
        return self._outbox.at(stage)

    def job(self, info_hash: str) -> Job | None:
        """Return the job with this info-hash, or None."""
        return self._outbox.get(info_hash)

    def snapshot(self) -> QueueSnapshot:
        """Return how the queue stands."""
        active = self._pool.active
        return QueueSnapshot(
            queued=self._outbox.count(Stage.QUEUED) + self.links.count(Stage.QUEUED),
            failed=self._outbox.count(Stage.FAILED) + self.links.count(Stage.FAILED),
            active_instance=None if active is None else active.settings.name,
            delivering=bool(self._deliverer.busy) or self.links.busy,
            delivered=self._outbox.deliveries.written,
            last_delivery=self._outbox.deliveries.last_at,
        )

    @property
    def torrent_files(self) -> TorrentFiles:
        """Return where a torrent file has to be put before a job that refers to it is added."""
        return self._outbox.torrent_files

    async def release(self, files: Collection[str]) -> None:
        """Take note that no job will be added for torrent files that were put."""
        await self._outbox.release(files)

    def now(self) -> float:
        """Return the time that jobs are stamped with, in epoch seconds."""
        self._follow_clock()  # else a later step would be taken for one after this
        return self._clock.now()

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Tell `callback` what happens from now on; return how to end that."""
        return self._listeners.subscribe(callback)

    async def start(self) -> None:
        """Read the outbox; raises StorageError."""
        await self._outbox.load()
        await recover(self._outbox, self._pool.known, self._clock.now())
        self._outbox.deliveries.start(self._clock.now())
        await self.links.start()

    async def run(self) -> None:
        """Do in the background what no caller waits for, until stopped."""
        self._leak_news.start()
        await asyncio.gather(self._worker.run(), self.links.run())

    async def stop(self) -> None:
        """Cut deliveries off where they are: the outbox says what may be where."""
        self._worker.stop()
        await self.links.stop()
        await self._deliverer.stop()
        self._outbox.close()

    async def add(
        self,
        jobs: Sequence[Job],
        *,
        wait_for_vpn: float = 0.0,
        invalid: int = 0,
        from_queue: bool = False,
    ) -> list[Outcome]:
        """Take magnets in and deliver them; return what became of each, in their order.

        They are on disk before any server is sent one. Raises StorageError if that cannot be, and
        then none has been accepted. `invalid` is the number of texts that came with them and are
        no magnets; they are part of the event. What was delivered not long ago is not sent again.
        What comes `from_queue` is told as such.
        """

        def completed(outcomes: Outcomes) -> None:
            unreadable = EventItem(EventType.FAILED, None, reason=Reason.INVALID_MAGNET.value)
            items = of_call(outcomes.values(), self._first_for)
            self._publish([*[unreadable] * invalid, *items])

        if from_queue:
            completed = self._worker.publish_pass
        remembered = self._delivered_before(jobs)
        new = [job for job in jobs if job.info_hash not in remembered]
        if remembered:
            old = (job.file for job in jobs if job.info_hash in remembered)
            await self._outbox.release([file for file in old if file])
        if not new:
            completed({})
            return [remembered[job.info_hash] for job in jobs]
        outcomes = iter(await self._deliverer.deliver_new(new, Caller(wait_for_vpn), completed))
        return [remembered.get(job.info_hash) or next(outcomes) for job in jobs]

    async def add_with_links(
        self, jobs: Sequence[Job], links: Sequence[Job], *, wait_for_vpn: float, invalid: int
    ) -> tuple[list[Outcome], list[LinkOutcome]]:
        """Take magnets and web links in together; return what became of each, as `add` does.

        Raises StorageError if either cannot be on disk, and then none has been accepted.
        """
        try:
            kept = await self.links.accept(links)
        except BaseException:
            await self._outbox.release([job.file for job in jobs if job.file])
            raise
        fetching = asyncio.create_task(self.links.deliver(kept, wait_for_vpn=wait_for_vpn))
        try:
            outcomes = await self.add(jobs, wait_for_vpn=wait_for_vpn, invalid=invalid)
            return outcomes, await fetching
        except StorageError:
            await self.links.take_back(kept)
            raise
        finally:
            fetching.cancel()

    def _delivered_before(self, jobs: Iterable[Job]) -> dict[str, Outcome]:
        """Return the outcomes of those magnets that were delivered not long ago, by info-hash."""
        now, outcomes = self._clock.now(), dict[str, Outcome]()
        for job in jobs:
            if (before := self._outbox.delivered(job.magnet, now)) is not None:
                at = self._pool.by_key.get(before.sent_to or "")
                name = None if at is None else at.settings.name
                outcome = Outcome(job.magnet, Fate.ALREADY_DELIVERED, instance=name)
                outcomes[job.info_hash] = outcome
        return outcomes

    async def retry(self) -> list[Outcome]:
        """Do one pass over the queue now, and return what became of each job in it."""
        await self._deliverer.check_those_down()
        outcomes = await self._deliverer.deliver_queued(
            self.jobs(Stage.QUEUED), self._worker.publish_pass
        )
        return list(outcomes.values())

    async def remove(self, stage: Stage, keys: Collection[str] | None = None) -> list[QueueItem]:
        """Take items of a stage out of the queue or the failed list, durably, and return them.

        `keys` may be v1 or v2 hashes, in lower case, and keys of items; None stands for all of the
        stage. Raises StorageError, and then none has been removed.
        """
        return await self._lists.remove(stage, keys)

    async def requeue(self, keys: Collection[str] | None = None) -> list[QueueItem]:
        """Move failed items back to the queue, durably, and return them as they are then.

        `keys` as in `remove`. They are tried again soon. Raises StorageError, and then all are as
        they were.
        """
        return await self._lists.requeue(keys)

    def _instance_noticed(self, monitor: InstanceMonitor, status: InstanceStatus | None) -> None:
        """Deliver as soon as an instance is ok; look after deliveries when it was restarted."""
        before = self._seen[monitor.settings.key]
        noticed = self._seen[monitor.settings.key] = (status, monitor.client.renewals)
        if noticed == before:
            return
        status_before, _ = before
        if status is InstanceStatus.OK and status_before is not InstanceStatus.OK:
            self._backoff.clear()  # earlier failures say nothing any more
        if status is not status_before:
            self._publish_snapshot()
        self._worker.wake()

    def _follow_clock(self) -> None:
        """Where the clock was set, correct the times that were taken from it before."""
        if (step := self._clock_watch.step()) is not None:
            shift_times(self._outboxes, self._pool, step)
            self._publish_snapshot()

    def _first_for(self, magnet: Magnet) -> str | None:
        """Return the name of the first instance in line that a magnet may go to."""
        job = self._outbox.get(magnet.info_hash)
        first = next(iter(self._pool), None) if job is None else self._pool.first_for(job)
        return None if first is None else first.settings.name

    def _publish(self, items: Iterable[EventItem]) -> None:
        items = list(items)
        self.recent_deliveries.note_events(items)
        for event in summarise(items):
            self._listeners.notify(event)

    def _publish_snapshot(self) -> None:
        self._listeners.notify(self.snapshot())
