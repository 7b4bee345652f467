"""Home Assistant as the crash tests have it: the core with its worker and a poll, in a world."""

import asyncio
from typing import Any, cast

import aiohttp

from custom_components.qbittorrent_resilient.core.courier import Courier
from custom_components.qbittorrent_resilient.core.entry import Entry, Stage
from custom_components.qbittorrent_resilient.core.health import InstanceMonitor
from custom_components.qbittorrent_resilient.core.models import Clock, InstanceSettings, VpnState
from custom_components.qbittorrent_resilient.core.news import Happening, News
from custom_components.qbittorrent_resilient.core.outcome import Outcome
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection
from custom_components.qbittorrent_resilient.core.queue import MagnetQueue
from custom_components.qbittorrent_resilient.core.vpn import VpnMonitor
from tests.common import info_hash
from tests.core.common import magnets
from tests.core.stepping import Life
from tests.core.world import EPOCH, Books, Network, World

POLL_SECONDS = 30.0
ALL_DONE_SECONDS = 3600.0


class _Vpn:
    """A VPN that is up, and takes a moment to say so."""

    state = VpnState.ON

    async def wait_until_up(self, seconds: float) -> bool:
        await asyncio.sleep(0.5)
        return True


class Home:
    """What a life has: monitors, a courier, its worker, and a poll."""

    def __init__(self, world: World, life: Life) -> None:
        self.world = world
        loop = world.loop
        clock = Clock(now=lambda: EPOCH + loop.time(), monotonic=loop.time, sleep=asyncio.sleep)
        self.clock = clock
        http = cast("aiohttp.ClientSession", Network(world, life))
        self.monitors = []
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
            self.monitors.append(InstanceMonitor(settings, client, clock=clock))
        self.courier = Courier(
            self.monitors,
            cast("VpnMonitor", _Vpn()),
            MagnetQueue(Books(world, life)),
            expiry_seconds=21 * 86_400,
            clock=clock,
        )
        self.courier.listener = self._told

    def _told(self, news: News) -> None:
        if news.happening is Happening.DUPLICATE:
            self.world.said |= set(news.names)

    async def open(self) -> None:
        """Start as the integration does."""
        await self.courier.start()
        await self._check()
        self._worker = asyncio.create_task(self.courier.run())
        self._poller = asyncio.create_task(self._poll())

    async def _check(self) -> None:
        before = [monitor.is_ok for monitor in self.monitors]
        await asyncio.gather(*(monitor.check() for monitor in self.monitors))
        if [one.is_ok for one in self.monitors] != before:
            self.courier.instance_ready()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self._check()

    async def add(self, *numbers: int, **fields: Any) -> list[Outcome]:
        """Add magnets and note which the caller was told about."""
        now = self.clock.now()
        entries = [Entry(magnet=one, queued_at=now, **fields) for one in magnets(*numbers)]
        self.world.unkept |= {one.info_hash for one in entries if not one.keep}
        outcomes = await self.courier.add(entries)
        self.world.told |= {one.magnet.info_hash: one.fate.value for one in outcomes}
        return outcomes

    async def remove(self, stage: Stage, *numbers: int) -> None:
        """Do what the action remove_magnets does."""
        chosen = self._chosen(stage, *numbers)
        self.world.removing |= {one.info_hash for one in chosen}
        await self.courier.queue.change((one, None) for one in chosen)

    async def retry_failed(self, *numbers: int) -> None:
        """Do what the action retry_failed does."""
        now = self.courier.now()
        chosen = self._chosen(Stage.FAILED, *numbers)
        await self.courier.queue.change((one, one.again(now)) for one in chosen)
        self.courier.wake()

    def _chosen(self, stage: Stage, *numbers: int) -> list[Entry]:
        wanted = {info_hash(number) for number in numbers}
        return [one for one in self.courier.queue.at(stage) if one.info_hash in wanted]

    async def until_all_is_done(self) -> None:
        """Live until nothing is queued, and nothing is watched any more."""
        end = self.world.loop.time() + ALL_DONE_SECONDS
        under_way = (Stage.QUEUED, Stage.SETTLING, Stage.WATCHED, Stage.DISCLAIMED)
        while any(self.courier.queue.count(stage) for stage in under_way):
            assert self.world.loop.time() < end, f"never done: {self.world.records}"
            await asyncio.sleep(5)
        await self.courier.stop()
