"""One process of Home Assistant: what the plans of the world configure, polled at its pace."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, cast

import aiohttp

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate, Outcome
from custom_components.qbittorrent_resilient.core.dispatcher import Event
from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from custom_components.qbittorrent_resilient.core.health.condition import VpnCondition
from custom_components.qbittorrent_resilient.core.health.home import HomeAddresses
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.instance_gate import InstanceGate
from custom_components.qbittorrent_resilient.core.health.route import RouteMonitor
from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection
from custom_components.qbittorrent_resilient.core.queue_lists import QueueItem
from tests.promises.crashing.stepping import Life
from tests.promises.crashing.world import LifeStore
from tests.support.common import link
from tests.support.home import Home

from .known import PASSKEY, Known, Plan
from .names import Roads
from .server import HOME
from .world import World

LULL_SECONDS = 86_400.0
DOUBT_SECONDS = 2.0
TARGET = "far end"


class Process(Home):
    """Home Assistant from one start to its stop or its death."""

    def __init__(self, world: World, life: Life) -> None:
        """Put the core together as the shell does."""
        self.world = world
        self.life = life
        self._busy = asyncio.Event()
        self.loaded = asyncio.Event()
        """Set once actions may be called."""
        loop = world.loop
        clock = Clock(now=world.wall, monotonic=loop.time, sleep=asyncio.sleep)
        self._http = cast("aiohttp.ClientSession", Roads(world, life))
        watched = VpnMonitor([TARGET], world.ping, clock=clock)
        home = HomeAddresses(clock)
        home.tell("router", [HOME])
        condition = VpnCondition([watched], clock=clock)
        monitors = [self._monitor(plan, condition, home, clock) for plan in world.plans]
        super().__init__(
            monitors,
            clock,
            store=LifeStore(cast("Any", world), life),
            links=LifeStore(cast("Any", world.web), life),
            fetcher=world.web,
            remember_seconds=world.remember_seconds,
        )
        self.watched = watched
        self.dispatcher.subscribe(self._told)

    def _monitor(
        self, plan: Plan, vpn: VpnCondition, home: HomeAddresses, clock: Clock
    ) -> InstanceMonitor:
        server = self.world.servers[plan.server]
        settings = InstanceSettings(
            key=plan.key,
            name=f"Server {plan.server}",
            url=plan.url,
            username="" if plan.api_key else server.settings.username,
            password=plan.password,
            api_key=plan.api_key,
            priority=plan.priority,
            requires_vpn=plan.requires_vpn,
        )
        if not plan.requires_vpn:
            client = Client(Connection(self._http, settings, clock))
            return InstanceMonitor(settings, client, clock=clock)
        route = RouteMonitor(home, clock, record=self.world.routes.get(plan.key))
        route.subscribe(partial(self._remember, plan.key, route))
        gate = InstanceGate(vpn.gate)
        client = Client(Connection(self._http, settings, clock, gate=gate))
        monitor = InstanceMonitor(settings, client, vpn=vpn, route=route, clock=clock)
        gate.watch(monitor)
        return monitor

    def _remember(self, key: str, route: RouteMonitor, _before: object, _now: object) -> None:
        if not self.life.dead:
            self.world.routes[key] = route.record

    def _told(self, event: Event) -> None:
        if isinstance(event, DeliveryEvent) and event.event_type is EventType.DUPLICATE:
            names = set(event.names)
            if event.count > len(names):  # it names the first only
                for key, magnet in self.world.known.items():
                    magnet.said |= len(self.world.places(key)) > 1
            for number, magnet in enumerate(self.world.known.values(), 1):
                magnet.said |= f"Torrent {number}" in names

    async def run(self) -> None:
        """Start as the integration does, and go on until the life ends."""
        began = self.world.loop.time()
        await self.dispatcher.start()
        if self.world.loop.time() > began:
            self.world.violate("starting waits for something")
        self.loaded.set()
        self._begin(self.dispatcher.run())
        self._begin(self._poll(self.watched.round, lambda: self.watched.in_doubt))
        for monitor in self.monitors:
            self._begin(self._poll(monitor.check, partial(_doubts, monitor)))

    def _begin(self, work: Any) -> None:
        asyncio.create_task(work)  # noqa: RUF006 - the life holds all its tasks

    async def _poll(
        self, look: Callable[[], Awaitable[object]], doubts: Callable[[], bool]
    ) -> None:
        while True:
            await look()
            if self._busy.is_set():
                await asyncio.sleep(DOUBT_SECONDS if doubts() else self.world.poll_seconds)
            else:
                try:
                    async with asyncio.timeout(LULL_SECONDS):
                        await self._busy.wait()
                except TimeoutError:
                    pass

    def set_busy(self, *, busy: bool) -> None:
        """Poll at the usual pace, or seldom while nothing happens."""
        if busy:
            self._busy.set()
            self.dispatcher._worker.wake()
            self.dispatcher.links._looking.wake()
        else:
            self._busy.clear()

    @property
    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to do, and nobody is at it."""
        under_way = (Stage.SETTLING, Stage.DUPLICATE_CHECK, Stage.TOMBSTONE)
        return (
            not self.dispatcher.snapshot().delivering
            and not self.stuck()
            and not any(self.dispatcher.jobs(stage) for stage in under_way)
            and all(monitor.is_ok for monitor in self.monitors)
        )

    @property
    def lacks_credentials(self) -> bool:
        """Tell whether the user is asked for credentials."""
        return any(
            one.status is InstanceStatus.AUTH_FAILED or one.client.refused for one in self.monitors
        )

    def stuck(self) -> list[str]:
        """Return what is queued though a server could take it."""
        return [
            f"{'the link ' * item.is_link}{item.key[-6:]} ({self.dispatcher.reason(item)})"
            for item in self.dispatcher.items(Stage.QUEUED)
            if not item.is_link and any(_may_go(item.job, plan) for plan in self.world.plans)
        ] + [f"{key[-6:]} (a link)" for key in sorted(self.world.web.queued)]

    async def add(self, *numbers: int, keep: bool = True, **fields: Any) -> None:
        """Give magnets, as an automation does."""
        now, tracker = self.clock.now(), f"&tr=http%3A%2F%2Ftracker.invalid%2F{PASSKEY}"
        given = [Magnet.parse(link(number, extra=tracker)) for number in numbers]
        jobs = [Job(magnet=one, queued_at=now, keep=keep, **fields) for one in given]
        known = self.world.known
        remembered = {one.info_hash for one in given if known[one.info_hash].is_remembered}
        outcomes = await self.dispatcher.add(jobs)
        self._note(outcomes, keep=keep)
        for outcome in outcomes:
            key = outcome.magnet.info_hash
            if key in remembered and outcome.fate is not Fate.ALREADY_DELIVERED:
                self.world.violate(f"{key[-6:]} was delivered, and that is not remembered")

    async def add_links(self, *numbers: int, keep: bool = True, **fields: Any) -> None:
        """Give links that lead to magnets."""
        now, web = self.clock.now(), self.world.web
        links = [web.link(number).as_magnet() for number in numbers]
        jobs = [Job(magnet=one, queued_at=now, keep=keep, **fields) for one in links]
        _, outcomes = await self.dispatcher.add_with_links((), jobs, wait_for_vpn=0.0, invalid=0)
        self._note([one.outcome for one in outcomes if one.found], keep=keep)

    def _note(self, outcomes: Iterable[Outcome], *, keep: bool) -> None:
        """Take note of what a call was told."""
        for outcome in outcomes:
            magnet = self.world.known[outcome.magnet.info_hash]
            if outcome.fate is Fate.FAILED:
                magnet.may_be_lost |= not keep
            if outcome.fate is Fate.ALREADY_DELIVERED and not magnet.on_disk:
                self.world.violate(f"{outcome.magnet.info_hash[-6:]} was never delivered")

    async def remove(self, stage: Stage) -> None:
        """Empty the queue or the failed list, as a user does."""
        chosen = [self._led_to(item) for item in self.dispatcher.items(stage)]
        before = [magnet.may_be_lost for magnet in chosen]
        torn = {key for key in self.world.records if self.world.may_be_at(key) > 1}
        began = self.world.loop.time()
        for magnet in chosen:
            magnet.may_be_lost = True  # a kill leaves it open whether it was done
        try:
            removed = await self.dispatcher.remove(stage)
        finally:
            if not self.life.dead:
                for magnet, lost in zip(chosen, before, strict=True):
                    magnet.may_be_lost = lost
        waiting = self.world.web.waiting
        for item in removed:
            self.world.story(f"the user removes {item.key[-6:]} from {stage}")
            magnet = self._led_to(item)
            # given both ways, the other one goes on; given meanwhile, it may have come after that
            if item.is_link or item.key in waiting or magnet.given >= began:
                magnet.may_be_lost = True
            else:
                magnet.removed = self.world.loop.time()
                magnet.may_be_twice |= item.key in torn

    def _led_to(self, item: QueueItem) -> Known:
        """Return the magnet that is in a list, or that the link there leads to."""
        return self.world.known[self.world.web.leads_to.get(item.key, item.key)]


def _doubts(monitor: InstanceMonitor) -> bool:
    return monitor.in_doubt


def _may_go(job: Job, plan: Plan) -> bool:
    """Tell whether a magnet may go to an instance."""
    is_named = job.instances is None or plan.key in job.instances
    is_open = plan.requires_vpn or not job.require_vpn
    return is_named and is_open and _crashed(job) in (None, plan.key)


def _crashed(job: Job) -> str | None:
    """Return the key of the only instance that a magnet may still go to, as it crashes that."""
    return job.crash.instance if job.crash is not None and job.crash.crashes else None
