"""An instance that is removed and set up again under load has another key, and what it had."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.dispatcher import Event
from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from tests.support.actions import add, call, fall_silent, look_away, work
from tests.support.common import (
    FakeClock,
    Start,
    first_and_second,
    info_hash,
    instance,
    link,
    settled,
    work_once,
)
from tests.support.core import Http, Time, TimedServer
from tests.support.fake import V5_3
from tests.support.fake.server import FakeQBittorrent
from tests.support.home import Home


class Servers:
    """Two servers; the first was sent magnet 1 under a key that is gone since."""

    def __init__(self, http: Http, first: TimedServer, second: TimedServer) -> None:
        self.http, self.first, self.second = http, first, second
        self.home = Home([], http.time.clock)
        (job,) = self.home.jobs(1)
        self.home.write(job.with_intent("gone", self.home.clock.now()))
        self.first.add(link(1))
        self.told: list[tuple[EventType, tuple[str, ...]]] = []

    async def begin(self, **servers: TimedServer) -> list[InstanceMonitor]:
        """Go on with these servers, by their keys, as after a reload."""
        self.home.monitors = [
            InstanceMonitor(
                replace(self.http.settings(server), key=key, name=key.capitalize()),
                self.http.client(server),
                clock=self.home.clock,
            )
            for key, server in servers.items()
        ]
        self.home.new_dispatcher().subscribe(self._hear)
        await self.home.dispatcher.start()
        return self.home.monitors

    def _hear(self, event: Event) -> None:
        if isinstance(event, DeliveryEvent):
            self.told.append((event.event_type, event.names))

    @property
    def duplicates(self) -> list[tuple[str, ...]]:
        return [names for kind, names in self.told if kind is EventType.DUPLICATE]


@pytest.fixture
async def servers(newest: TimedServer, http: Http, time: Time) -> AsyncGenerator[Servers]:
    async with TimedServer(V5_3, time) as second:
        servers = Servers(http, newest, second)
        yield servers
        await servers.home.dispatcher.stop()


async def test_set_up_again_before_it_is_delivered(servers: Servers) -> None:
    """The one that is set up anew has not been checked when the other one gets it."""
    again, second = await servers.begin(again=servers.first, second=servers.second)
    await second.check()
    await work_once(servers.home.dispatcher)
    assert servers.second.hashes == {info_hash(1)}
    await again.check()
    await work_once(servers.home.dispatcher)
    assert servers.duplicates == [("Torrent 1",)]
    await work_once(servers.home.dispatcher)
    assert len(servers.duplicates) == 1


async def test_set_up_again_after_it_was_delivered(servers: Servers) -> None:
    (second,) = await servers.begin(second=servers.second)
    await second.check()
    await work_once(servers.home.dispatcher)
    assert servers.second.hashes == {info_hash(1)}
    assert not servers.duplicates
    await servers.home.dispatcher.stop()
    for monitor in await servers.begin(again=servers.first, second=servers.second):
        await monitor.check()
    await work_once(servers.home.dispatcher)
    assert servers.duplicates == [("Torrent 1",)]


async def test_one_that_has_nothing_is_cleared(servers: Servers, time: Time) -> None:
    servers.first.torrents.delete([info_hash(1)])
    for monitor in await servers.begin(again=servers.first, second=servers.second):
        await monitor.check()
    await work_once(servers.home.dispatcher)
    assert len(servers.first.adds) + len(servers.second.adds) == 1
    time.seconds += 100
    await work_once(servers.home.dispatcher)
    assert not servers.duplicates


async def test_with_home_assistant(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    entry = await start(*first_and_second(primary, secondary))
    fall_silent(primary)
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "uncertain"
    hass.config_entries.async_remove_subentry(entry, "first")
    await settled(hass)
    await work(entry)
    assert secondary.hashes == primary.hashes == {info_hash(1)}
    look_away(primary)
    primary.faults.clear()
    data = instance("again", primary)
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(dict(data["data"])),
            subentry_type="instance",
            title="Again",
            unique_id=None,
        ),
    )
    await settled(hass)
    await call(hass, "check_health")
    await work(entry)
    await work(entry)
    state = hass.states.get("event.qbittorrent_resilient_magnets")
    assert state
    told = state.attributes
    assert (told["event_type"], told["instance"], told["names"]) == (
        "duplicate",
        "Again",
        ["Torrent 1"],
    )


async def test_set_up_again_after_the_other_one_has_saved_it(servers: Servers, time: Time) -> None:
    """It is out of the queue, and kept only because the first may have it."""
    _, second = await servers.begin(gone=servers.first, second=servers.second)
    fall_silent(servers.first)
    await second.check()
    for _ in range(2):
        time.seconds += 1000
        await work_once(servers.home.dispatcher)
    assert servers.second.hashes == {info_hash(1)}
    await servers.home.dispatcher.stop()
    servers.first.faults.clear()
    for monitor in await servers.begin(again=servers.first, second=servers.second):
        await monitor.check()
    await work_once(servers.home.dispatcher)
    assert servers.duplicates == [("Torrent 1",)]


@pytest.mark.parametrize("seconds", [30, 70])
async def test_removed_and_set_up_again_later(servers: Servers, time: Time, seconds: int) -> None:
    """Between the two it is known for a minute that a removed one may have it."""
    _, second = await servers.begin(gone=servers.first, second=servers.second)
    fall_silent(servers.first)
    await second.check()
    for _ in range(2):
        time.seconds += 1000
        await work_once(servers.home.dispatcher)
    servers.first.faults.clear()
    await servers.home.dispatcher.stop()
    (second,) = await servers.begin(second=servers.second)
    await second.check()
    time.seconds += seconds
    await work_once(servers.home.dispatcher)
    await servers.home.dispatcher.stop()
    for monitor in await servers.begin(again=servers.first, second=servers.second):
        await monitor.check()
    await work_once(servers.home.dispatcher)
    assert servers.duplicates == ([("Torrent 1",)] if seconds < 60 else [])


async def test_set_up_again_while_it_waits(servers: Servers) -> None:
    """Without the first it was suspected, and had not been delivered when that was back."""
    await servers.begin(second=servers.second)
    (job,) = servers.home.jobs(1)
    servers.home.write(job.suspecting(["gone"]))
    again, second = await servers.begin(again=servers.first, second=servers.second)
    await second.check()
    await work_once(servers.home.dispatcher)
    assert servers.second.hashes == {info_hash(1)}
    await again.check()
    await work_once(servers.home.dispatcher)
    assert servers.duplicates == [("Torrent 1",)]
