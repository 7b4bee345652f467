"""Servers that hang or are slow do not add up: all are asked at once, within one time limit."""

import asyncio
from dataclasses import replace

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery.survey import DOUBTFUL_SECONDS
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.qbittorrent import exchange
from tests.promises.crashing.home import MortalHome
from tests.promises.crashing.scenario import live_through
from tests.promises.crashing.world import World
from tests.support.actions import add
from tests.support.common import Start, info_hash, instance, link
from tests.support.core import Http, Time, TimedServer
from tests.support.fake import V4_5, V5_3, Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.home import Home

pytestmark = pytest.mark.usefixtures("socket_enabled")

LIMIT = exchange.REQUEST_SECONDS
"""Seconds; a virtual clock makes these exact, but for what the servers themselves take."""
SLACK = 1.0
DIALECTS = pytest.mark.parametrize("dialect", [V4_5, V5_3], ids=lambda one: one.version)


async def took(home: MortalHome, number: int) -> float:
    """Give a magnet, see that the first server gets it, and return how long that took."""
    began = home.world.loop.time()
    (outcome,) = await home.add(number)
    assert (outcome.fate, outcome.instance) == ("added", "Server 1")
    return home.world.loop.time() - began


@DIALECTS
def test_second_server_that_hangs(dialect: Dialect) -> None:
    """It is waited for once, as one unanswered question is no verdict."""

    async def story(home: MortalHome) -> None:
        home.world.secondary.faults.hang()
        assert await took(home, 1) <= LIMIT + SLACK
        for number in (2, 3, 4):
            assert await took(home, number) <= DOUBTFUL_SECONDS + SLACK
            await asyncio.sleep(12)
        await home.dispatcher.stop()

    live_through(story, dialect, lambda world: None)


@DIALECTS
def test_server_of_unknown_state_that_hangs(dialect: Dialect) -> None:
    """It is checked first, which takes no other time than that of the asking."""

    def prepare(world: World) -> None:
        world.secondary.go()

    async def story(home: MortalHome) -> None:
        home.world.secondary.come()
        home.world.secondary.faults.hang()
        assert await took(home, 1) <= LIMIT + SLACK
        assert await took(home, 2) <= DOUBTFUL_SECONDS + SLACK
        await home.dispatcher.stop()

    live_through(story, dialect, prepare)


@DIALECTS
@pytest.mark.parametrize("seconds", [3, 8])
def test_second_server_that_is_slow(dialect: Dialect, seconds: float) -> None:
    """It answers each question in time, but all of them together take longer."""

    async def story(home: MortalHome) -> None:
        home.world.secondary.faults.delay(seconds)
        assert await took(home, 1) <= LIMIT + SLACK
        for number in (2, 3):
            assert await took(home, number) <= LIMIT + SLACK
            if 2 * seconds > LIMIT:
                assert await took(home, number + 10) <= DOUBTFUL_SECONDS + SLACK
        await home.dispatcher.stop()

    live_through(story, dialect, lambda world: None)


@DIALECTS
@pytest.mark.parametrize("with_second", [True, False])
def test_slow_server_is_not_left_out_where_there_is_no_other(
    dialect: Dialect, *, with_second: bool
) -> None:
    """A call does not wait for it, but the queue does."""

    def prepare(world: World) -> None:
        world.behind_vpn = world.primary
        if not with_second:
            world.secondary.go()

    async def story(home: MortalHome) -> None:
        home.world.primary.faults.delay(8)
        began = home.world.loop.time()
        (outcome,) = await home.add(1, require_vpn=True)
        assert home.world.loop.time() - began <= LIMIT + SLACK
        assert outcome.fate == "queued"
        await asyncio.sleep(180)
        assert home.world.primary.hashes == {info_hash(1)}
        assert not home.world.secondary.adds
        assert not home.dispatcher.jobs(Stage.QUEUED)
        await home.dispatcher.stop()

    live_through(story, dialect, prepare)


@DIALECTS
def test_what_a_slow_server_may_have(dialect: Dialect) -> None:
    """It waits for the one that it was sent to; what any other one has is said afterwards."""

    async def story(home: MortalHome) -> None:
        primary, secondary = home.world.primary, home.world.secondary
        secondary.has(2)
        await home.add(1)
        primary.faults.delay(8)
        for _ in range(3):
            await asyncio.sleep(1)
            await home.add(1)
            assert not secondary.adds
        primary.faults.clear()
        await home.check()
        secondary.faults.delay(9)
        (outcome,) = await home.add(2)
        await asyncio.sleep(100)
        if outcome.instance == "Server 1":
            assert home.world.said == {"Torrent 2"}
        else:  # one question is enough where it needs to tell no launch time
            assert outcome.fate == "already_present"
        await home.dispatcher.stop()

    live_through(story, dialect, lambda world: None)


async def test_many_that_hang(
    newest: TimedServer, http: Http, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With real connections, and a limit of one second."""
    monkeypatch.setattr(exchange, "REQUEST_SECONDS", 1.0)
    others = [TimedServer(V5_3, time) for _ in range(20)]
    monitors = []
    for number, server in enumerate((newest, *others)):
        if server is not newest:
            await server.start()
        settings = replace(
            http.settings(server), key=f"key{number}", name=f"Server {number}", priority=number
        )
        monitors.append(InstanceMonitor(settings, http.client(server), clock=time.clock))
    await asyncio.gather(*(monitor.check() for monitor in monitors))
    home = Home(monitors, time.clock)
    for server in others:
        server.faults.hang()
    loop = asyncio.get_running_loop()
    for number in (1, 2, 3):
        began = loop.time()
        (outcome,) = await home.dispatcher.add(home.jobs(number))
        assert outcome.instance == "Server 0"
        assert loop.time() - began < 8  # one after the other, they would take 20
    await home.dispatcher.stop()
    for server in others:
        server.faults.clear()
        await server.stop()


@pytest.mark.usefixtures("impatient")
async def test_with_home_assistant(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    secondary.faults.hang()
    for number in (1, 2, 3):
        response = await add(hass, link(number))
        assert response["added"][0]["instance"] == "First"
    asked = len(secondary.requests)
    await add(hass, link(4))
    assert len(secondary.requests) == asked  # it is known to hang
    secondary.faults.clear()
