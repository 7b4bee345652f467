"""A call that waits for the VPN holds up no other call, not even one for the same magnet."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from tests.support.actions import add, call, hashes
from tests.support.common import (
    TARGET,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    work_once,
)
from tests.support.core import Http, Time, TimedServer
from tests.support.fake import V5_3
from tests.support.fake.server import FakeQBittorrent
from tests.support.home import Home
from tests.support.torrents import torrent

SOON = 10.0
"""Seconds that a call may take that waits for nothing; here it takes some ms."""


class AwaitedVpn:
    """A VPN that comes when the test says so."""

    def __init__(self) -> None:
        self.state = VpnState.OFF
        self.waited_for = 0
        self._over = asyncio.Event()

    async def wait_until_up(self, seconds: float) -> bool:
        if seconds:
            self.waited_for += 1
            await self._over.wait()
        return self.state is VpnState.ON

    def come(self) -> None:
        self.state = VpnState.ON
        self._over.set()

    def stay_away(self) -> None:
        self._over.set()


class TwoHomes(Home):
    """A home of two servers, of which the first requires the VPN and is down with it."""

    vpn_: AwaitedVpn
    first: TimedServer
    second: TimedServer

    async def begin_to_wait(self, *numbers: int, keep: bool = True) -> asyncio.Task[list[str]]:
        """Give magnets in a call that waits for the VPN; its result is what it is told."""
        waiting = asyncio.create_task(self._told(*numbers, wait=600, keep=keep))
        await eventually(lambda: self.vpn_.waited_for and self.store.records)
        return waiting

    async def _told(self, *numbers: int, wait: float, keep: bool) -> list[str]:
        jobs = self.jobs(*numbers, keep=keep)
        outcomes = await self.dispatcher.add(jobs, wait_for_vpn=wait)
        return [f"{one.fate} {one.instance or one.reason}" for one in outcomes]

    async def told(self, *numbers: int, keep: bool = True) -> list[str]:
        """Give magnets in a call that waits for nothing, and return what it is told, soon."""
        return await asyncio.wait_for(self._told(*numbers, wait=0, keep=keep), SOON)

    async def vpn_comes(self) -> None:
        """Let the first server be back."""
        await self.first.listen()
        await self.monitors[0].check()
        self.vpn_.come()


@pytest.fixture
async def home(newest: TimedServer, http: Http, time: Time) -> AsyncGenerator[TwoHomes]:
    async with TimedServer(V5_3, time) as second:
        monitors = []
        await newest.refuse()
        for number, server in enumerate((newest, second), 1):
            settings = replace(
                http.settings(server),
                key=f"key{number}",
                name=f"Server {number}",
                priority=number,
                requires_vpn=server is newest,
            )
            monitor = InstanceMonitor(settings, http.client(server), clock=time.clock)
            await monitor.check()
            monitors.append(monitor)
        home = TwoHomes(monitors, time.clock, vpn=(vpn := AwaitedVpn()))
        home.vpn_, home.first, home.second = vpn, newest, second
        yield home
        vpn.stay_away()
        await home.dispatcher.stop()


async def test_another_call_for_the_same_magnet_goes_on(home: TwoHomes) -> None:
    waiting = await home.begin_to_wait(1, 2)
    assert await home.told(2, 3) == ["added Server 2", "added Server 2"]
    assert not waiting.done()
    await home.vpn_comes()
    assert await waiting == ["added Server 1", "already_present Server 2"]
    assert (home.first.hashes, home.second.hashes) == (
        {info_hash(1)},
        {info_hash(2), info_hash(3)},
    )
    assert home.queued == []


async def test_calls_of_the_same_moment(home: TwoHomes) -> None:
    """The second one begins before the first has made its first step."""
    async with asyncio.timeout(SOON):
        waiting = asyncio.create_task(home._told(1, wait=600, keep=True))
        other = asyncio.create_task(home._told(1, wait=0, keep=True))
        assert await other == ["added Server 2"]
    home.vpn_.stay_away()
    assert await waiting == ["already_present Server 2"]


async def test_what_another_call_cannot_deliver_is_still_waited_for(home: TwoHomes) -> None:
    await home.second.refuse()
    waiting = await home.begin_to_wait(1)
    assert await home.told(1) == ["queued unreachable"]
    assert not waiting.done()
    await home.vpn_comes()
    assert await waiting == ["added Server 1"]
    assert len(home.first.adds) == 1


async def test_what_another_call_gives_up_is_still_waited_for(home: TwoHomes) -> None:
    """Neither is to be queued; the one that does not wait has failed."""
    await home.second.refuse()
    waiting = await home.begin_to_wait(1, keep=False)
    assert await home.told(1, keep=False) == ["failed unreachable"]
    await home.vpn_comes()
    assert await waiting == ["added Server 1"]


async def test_file_that_another_call_gives_up_is_kept_for_the_one_that_waits(
    home: TwoHomes,
) -> None:
    """It is delivered as a file, and gone when that is saved."""
    files, made = home.store.torrent_files, torrent(1)
    await home.second.refuse()

    async def job() -> Job:
        name = await files.put(made.data)
        return Job(Magnet.parse(made.magnet), home.clock.now(), keep=False, file=name)

    call = home.dispatcher.add([await job()], wait_for_vpn=600)
    waiting = asyncio.create_task(call)
    await eventually(lambda: home.vpn_.waited_for and home.store.records)
    (given_up,) = await home.dispatcher.add([await job()])
    assert given_up.fate is Fate.FAILED
    await eventually(lambda: not home.store.records)
    await home.vpn_comes()
    (outcome,) = await waiting
    assert outcome.instance == "Server 1"
    (received,) = home.first.requests_to("torrents/add")
    assert [*received.files.values()] == [made.data]
    assert not files._held.total()


async def test_calls_that_wait_both(home: TwoHomes) -> None:
    """Each magnet is sent once."""
    calls = [await home.begin_to_wait(1, 2), await home.begin_to_wait(2, 3)]
    await eventually(lambda: home.vpn_.waited_for == 2)
    await home.vpn_comes()
    told = await asyncio.gather(*calls)
    assert sorted(one for call in told for one in call) == [
        "added Server 1",
        "added Server 1",
        "added Server 1",
        "already_present Server 1",
    ]
    assert sorted(link for links in home.first.adds for link in links) == [
        link(1),
        link(2),
        link(3),
    ]
    assert not home.second.adds


async def test_the_other_call_is_under_way_when_the_wait_is_over(home: TwoHomes) -> None:
    waiting = await home.begin_to_wait(1)
    hang = home.second.faults.hang("torrents/info", times=1)
    other = asyncio.create_task(home.told(1))
    await eventually(lambda: hang.hits)
    await home.vpn_comes()
    await asyncio.sleep(0.05)
    assert not waiting.done()
    hang.clear()
    both = await other + await waiting
    assert both in (
        ["added Server 1", "already_present Server 1"],
        ["added Server 2", "already_present Server 2"],
    )
    assert len(home.first.adds) + len(home.second.adds) == 1


async def test_nothing_else_takes_what_a_call_waits_with(home: TwoHomes) -> None:
    """It asked to wait, and neither the worker nor a pass over the queue decides otherwise."""
    waiting = await home.begin_to_wait(1)
    await work_once_beside(home)
    (outcome,) = await asyncio.wait_for(home.dispatcher.retry(), SOON)
    assert outcome.fate == "queued"
    assert not home.second.adds
    assert home.dispatcher.snapshot().delivering
    home.vpn_.stay_away()
    assert await waiting == ["added Server 2"]


async def work_once_beside(home: TwoHomes) -> None:
    """Let the worker look, without waiting for what is under way."""
    await home.dispatcher._worker.reconcile()
    await home.dispatcher._worker.drain()


async def test_stopped_while_it_waits(home: TwoHomes) -> None:
    waiting = await home.begin_to_wait(1)
    hang = home.second.faults.hang("torrents/info", times=1)
    other = asyncio.create_task(home.told(1))
    await eventually(lambda: hang.hits)
    await home.dispatcher.stop()
    assert await waiting == await other == ["queued unreachable"]
    hang.clear()
    assert not home.dispatcher.snapshot().delivering


async def test_killed_while_it_waits(home: TwoHomes) -> None:
    """It was sent nowhere, so it is uncertain nowhere, and goes on at once."""
    await home.begin_to_wait(1)
    assert "sent_to" not in home.store.records[info_hash(1)]
    await home.second.refuse()
    await home.monitors[1].check()
    later = home.new_dispatcher()
    await later.start()
    await home.vpn_comes()
    await work_once(later)
    assert home.first.hashes == {info_hash(1)}


async def test_the_action_answers(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
) -> None:
    """As above, with Home Assistant and its own clock."""
    vpn.up = False
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    rounds = vpn.rounds
    waiting = asyncio.create_task(add(hass, link(1), wait_for_vpn=600))
    await eventually(lambda: vpn.rounds > rounds)
    async with asyncio.timeout(SOON):
        response = await add(hass, link(1))
    assert response["added"][0]["instance"] == "Second"
    assert not waiting.done()
    vpn.up = True
    await call(hass, "check_health")
    response = await waiting
    assert hashes(response["added"]) == [info_hash(1)]
    assert response["added"][0]["status"] == "already_present"
