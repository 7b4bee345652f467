"""Home Assistant as the crash tests have it: a home with its worker and a poll, in a world."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast, override

import aiohttp

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.delivery.outcome import Outcome
from custom_components.qbittorrent_resilient.core.dispatcher import Event
from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from custom_components.qbittorrent_resilient.core.fetching.link_outcome import LinkOutcome
from custom_components.qbittorrent_resilient.core.health.condition import (
    ConditionReading,
    VpnCondition,
)
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.witness import Watch
from custom_components.qbittorrent_resilient.core.listeners import Listeners
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection
from tests.promises.crashing.stepping import Life
from tests.promises.crashing.world import EPOCH, LEADS_TO, LifeFetcher, LifeStore, Network, World
from tests.support.common import info_hash
from tests.support.home import Home
from tests.support.sites import job_of, web_link
from tests.support.torrents import torrent

POLL_SECONDS = 30.0
ALL_DONE_SECONDS = 3600.0


class _Vpn(Watch):
    """A VPN that is up, and takes a moment to say so; until then there is no verdict."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.reading = ConditionReading(VpnState.UNKNOWN)
        self._listeners = Listeners[ConditionReading, ConditionReading]()

    def subscribe(
        self, callback: Callable[[ConditionReading, ConditionReading], None]
    ) -> Callable[[], None]:
        return self._listeners.subscribe(callback)

    @property
    @override
    def state(self) -> VpnState:
        return self.reading.state

    @property
    @override
    def reasons(self) -> Mapping[str, str]:
        return {}

    @property
    @override
    def in_doubt(self) -> bool:
        return False

    @override
    async def settle(self) -> None:
        """Know no doubt."""

    @override
    async def confirm(self) -> bool:
        return self.state is VpnState.ON

    @override
    async def round(self) -> ConditionReading:
        await asyncio.sleep(0.005)
        before, self.reading = self.reading, ConditionReading(VpnState.ON)
        self._listeners.notify(before, self.reading)
        return self.reading


class MortalHome(Home):
    """The home of a life: it has a worker and a poll, and ends with the life."""

    def __init__(self, world: World, life: Life) -> None:
        self.world = world
        loop = world.loop
        clock = Clock(now=lambda: EPOCH + loop.time(), monotonic=loop.time, sleep=asyncio.sleep)
        http = cast("aiohttp.ClientSession", Network(world, life))
        self._far_end = _Vpn(clock)
        monitors = []
        for priority, server in enumerate(world.servers, 1):
            settings = InstanceSettings(
                key=f"key{priority}",
                name=f"Server {priority}",
                url=server.url,
                username=server.settings.username,
                password=server.settings.password,
                # Without sessions, nothing but its start time tells of a restart.
                api_key=server.settings.api_key if priority == 1 else "",
                priority=priority,
                requires_vpn=server is world.behind_vpn,
            )
            client = Client(Connection(http, settings, clock))
            vpn = cast("VpnCondition", self._far_end) if settings.requires_vpn else None
            monitors.append(InstanceMonitor(settings, client, vpn=vpn, clock=clock))
        super().__init__(
            monitors,
            clock,
            store=LifeStore(world, life),
            links=LifeStore(world, life, of_links=True),
            fetcher=LifeFetcher(world, life),
            remember_seconds=world.remember_seconds,
        )
        self.dispatcher.subscribe(self._told)

    def _told(self, event: Event) -> None:
        if isinstance(event, DeliveryEvent) and event.event_type is EventType.DUPLICATE:
            self.world.said |= set(event.names)

    async def open(self) -> None:
        """Start as the integration does."""
        await self.dispatcher.start()
        if self.world.behind_vpn is not None and not self.world.vpn_is_late:
            await self._far_end.round()
        await self.check()
        self._worker = asyncio.create_task(self.dispatcher.run())
        self._poller = asyncio.create_task(self._poll())

    async def check(self) -> None:
        await asyncio.gather(*(monitor.check() for monitor in self.monitors))

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self._far_end.state is not VpnState.ON and self.world.behind_vpn is not None:
                await self._far_end.round()
            await self.check()

    async def add(self, *numbers: int, wait_for_vpn: float = 0.0, **fields: Any) -> list[Outcome]:
        """Add magnets and note which the caller was told about."""
        return await self._add(self.jobs(*numbers, **fields), wait_for_vpn)

    async def add_files(
        self, *numbers: int, wait_for_vpn: float = 0.0, **fields: Any
    ) -> list[Outcome]:
        """Add the torrents with these numbers as files."""
        return await self._add(await self._of_files(*numbers, **fields), wait_for_vpn)

    async def _of_files(self, *numbers: int, **fields: Any) -> list[Job]:
        jobs = []
        for made in map(torrent, numbers):
            name = await self.store.torrent_files.put(made.data)
            magnet = Magnet.parse(made.magnet)
            jobs.append(Job(magnet=magnet, queued_at=self.clock.now(), file=name, **fields))
        return jobs

    async def add_links(
        self,
        *numbers: int,
        magnets: tuple[int, ...] = (),
        files: tuple[int, ...] = (),
        **fields: Any,
    ) -> list[LinkOutcome]:
        """Add web links, magnets and files in one call, and note what the caller was told."""
        links = [job_of(number, self.clock.now(), **fields) for number in numbers]
        jobs = [*self.jobs(*magnets, **fields), *await self._of_files(*files, **fields)]
        for one in (*jobs, *links):
            if not one.keep:
                key = one.info_hash
                self.world.unkept |= {key, LEADS_TO.get(key, key)}
        outcomes, found = await self.dispatcher.add_with_links(
            jobs, links, wait_for_vpn=0.0, invalid=0
        )
        self.world.told |= {one.magnet.info_hash: one.fate.value for one in outcomes}
        self.world.told |= {one.key: one.outcome.fate.value for one in found}
        return found

    async def add_magnets_of_files(self, *numbers: int) -> list[Outcome]:
        """Add the magnets of these torrents."""
        now = self.clock.now()
        links = (Magnet.parse(torrent(number).magnet) for number in numbers)
        return await self._add([Job(magnet=one, queued_at=now) for one in links])

    async def _add(self, jobs: list[Job], wait_for_vpn: float = 0.0) -> list[Outcome]:
        self.world.unkept |= {one.info_hash for one in jobs if not one.keep}
        outcomes = await self.dispatcher.add(jobs, wait_for_vpn=wait_for_vpn)
        self.world.told |= {one.magnet.info_hash: one.fate.value for one in outcomes}
        return outcomes

    async def remove(self, stage: Stage, *numbers: int) -> None:
        """Remove magnets, and note that nobody may miss them."""
        wanted = {info_hash(number) for number in numbers}
        there = {job.info_hash for job in self.dispatcher.jobs(stage)}
        self.world.removing |= wanted & there
        await self.dispatcher.remove(stage, wanted)

    async def retry_failed(self, *numbers: int) -> None:
        """Move failed magnets back to the queue."""
        await self.dispatcher.requeue({info_hash(number) for number in numbers})

    async def remove_links(self, stage: Stage, *numbers: int) -> None:
        """Remove web links, and note that nobody may miss them."""
        wanted = {web_link(number).key for number in numbers}
        there = {item.key for item in self.dispatcher.items(stage)}
        self.world.removing |= wanted & there
        await self.dispatcher.remove(stage, wanted)

    async def retry_links(self, *numbers: int) -> None:
        """Move failed web links back to the queue."""
        await self.dispatcher.requeue({web_link(number).key for number in numbers})

    async def until_all_is_done(self) -> None:
        """Live until nothing is queued, and nothing is watched any more."""
        end = self.world.loop.time() + ALL_DONE_SECONDS
        under_way = (Stage.QUEUED, Stage.SETTLING, Stage.DUPLICATE_CHECK, Stage.TOMBSTONE)
        while any(self.dispatcher.items(stage) for stage in under_way):
            left = self.world.records, self.world.links
            assert self.world.loop.time() < end, f"never done: {left}"
            await asyncio.sleep(5)
        await self.dispatcher.stop()
