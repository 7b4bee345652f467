"""A server that lists a magnet some seconds after it was sent it, with a restart in between."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from custom_components.qbittorrent_resilient.core.dispatcher import Event
from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from tests.support.common import info_hash, link, work_once
from tests.support.core import Http, Time, TimedServer
from tests.support.fake import V5_3
from tests.support.home import Home


class LateHome(Home):
    """A home that was killed right after it had sent magnet 1 to the last of its two servers."""

    def __init__(self, http: Http, first: TimedServer, last: TimedServer) -> None:
        monitors = [
            InstanceMonitor(
                replace(http.settings(server), key=key, name=key, priority=priority),
                http.client(server),
                clock=http.time.clock,
            )
            for priority, (key, server) in enumerate({"first": first, "last": last}.items(), 1)
        ]
        super().__init__(monitors, http.time.clock)
        self.first, self.last = first, last
        self.duplicates: list[tuple[str, ...]] = []
        self.dispatcher.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, DeliveryEvent) and event.event_type is EventType.DUPLICATE:
            self.duplicates.append(event.names)

    async def go_on(self, *, noted: float, listed: float) -> None:
        """Start again; where it was sent to was noted so long ago, and it is listed after that."""
        now = self.clock.now()
        (job,) = self.jobs(1)
        self.write(job.with_intent("last", now - noted))
        self.last.torrents.list_delay = listed
        self.last.add(link(1))
        await self.dispatcher.start()
        for monitor in self.monitors:
            await monitor.check()
        await work_once(self.dispatcher)


@pytest.fixture
async def home(newest: TimedServer, http: Http, time: Time) -> AsyncGenerator[LateHome]:
    async with TimedServer(V5_3, time) as first:
        home = LateHome(http, first, newest)
        yield home
        await home.dispatcher.stop()


@pytest.mark.parametrize("listed", [0.5, 2, 4])
async def test_what_was_sent_a_moment_ago_is_waited_for(home: LateHome, listed: float) -> None:
    await home.go_on(noted=0, listed=listed)
    assert not home.first.adds
    assert home.last.hashes == {info_hash(1)}
    assert not home.duplicates


async def test_what_turns_up_after_the_wait_is_said(home: LateHome, time: Time) -> None:
    """A request may go out some seconds after it was noted where to."""
    await home.go_on(noted=9, listed=4)
    assert home.first.hashes == {info_hash(1)}
    await work_once(home.dispatcher)
    assert not home.duplicates
    time.seconds += 5
    await work_once(home.dispatcher)
    assert home.last.hashes == {info_hash(1)}
    assert home.duplicates == [("Torrent 1",)]
    time.seconds += 60
    await work_once(home.dispatcher)
    assert len(home.duplicates) == 1
    assert not home.store.records


async def test_what_never_turns_up_is_forgotten(home: LateHome, time: Time) -> None:
    await home.go_on(noted=9, listed=10**6)
    assert home.first.hashes == {info_hash(1)}
    time.seconds += 70
    for _ in range(3):
        await work_once(home.dispatcher)
    assert not home.duplicates
    assert not home.store.records
