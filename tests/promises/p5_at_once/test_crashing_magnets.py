"""A magnet that crashes its server harms nothing else: it is found out and put aside."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from tests.promises.crashing.home import MortalHome
from tests.promises.crashing.scenario import live_through
from tests.promises.crashing.world import Machine, World
from tests.support.actions import add, again, call, hashes, on_request, sent, work
from tests.support.common import FakeClock, Start, first_and_second, info_hash, link, settled
from tests.support.fake import V4_5, V5_1, V5_3, Dialect
from tests.support.fake.answer import Answer
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled")

DOWN_SECONDS = 2.0
AGE = 1_700_000_000
DIALECTS = pytest.mark.parametrize("dialect", [V4_5, V5_1, V5_3], ids=lambda one: one.version)


def requests_with(server: Machine, number: int) -> list[int]:
    """Return how many magnets were in each request that had this one."""
    return [len(links) for links in server.adds if any(info_hash(number) in one for one in links)]


def dies(server: Machine, down: float = DOWN_SECONDS) -> None:
    """Have the process die, with what was not saved, and be restarted."""
    server.power_cut()
    if down:
        server.go()
        server._loop.call_later(down, server.restart_and_come)


def dies_behind_a_proxy(server: Machine) -> None:
    """The same, where something else answers in the meantime."""
    server.power_cut()
    fault = server.faults.answer(502, "<html>", "text/html")

    def back() -> None:
        fault.clear()
        server._begin_process()

    server._loop.call_later(DOWN_SECONDS, back)


def at_adds_of(
    *numbers: int, happens: Callable[[Machine], object] = dies
) -> Callable[[Machine], None]:
    """Return what makes something happen to a server at each add that has one of these."""

    def prepare(server: Machine) -> None:
        def look(received: Received) -> None:
            links = received.form.get("urls", "")
            if any(info_hash(one) in links for one in numbers):
                happens(server)

        server.after = look

    return prepare


def failures(home: MortalHome) -> dict[str, str]:
    """Return the failed list: reasons by info-hash."""
    return {one.info_hash: one.reason for one in home.dispatcher.jobs(Stage.FAILED)}


@DIALECTS
@pytest.mark.parametrize("with_second", [True, False])
@pytest.mark.parametrize(
    "happens",
    [dies, lambda server: dies(server, 0), dies_behind_a_proxy],
    ids=["2 s", "0 s", "502"],
)
def test_good_ones_arrive_and_the_bad_one_is_put_aside(
    dialect: Dialect, happens: Callable[[Machine], object], *, with_second: bool
) -> None:
    def prepare(world: World) -> None:
        for server in world.servers:
            at_adds_of(2, happens=happens)(server)
        if not with_second:
            world.secondary.go()

    async def story(home: MortalHome) -> None:
        world, failed = home.world, list[DeliveryEvent]()
        home.dispatcher.subscribe(
            lambda event: (
                failed.append(event)
                if isinstance(event, DeliveryEvent) and event.event_type is EventType.FAILED
                else None
            )
        )
        await home.add(1, 2, 3)
        await asyncio.sleep(60)
        assert {info_hash(1), info_hash(3)} <= world.primary.hashes | world.secondary.hashes
        await asyncio.sleep(120)
        assert failures(home) == {info_hash(2): "crashes_server"}
        assert [event.reason for event in failed] == ["crashes_server"]
        assert requests_with(world.primary, 2) == [3, 1, 1, 1]
        assert not requests_with(world.secondary, 2)
        assert not home.dispatcher.jobs(Stage.QUEUED)
        assert {info_hash(1), info_hash(3)} <= world.primary.hashes | world.secondary.hashes
        await home.dispatcher.stop()

    live_through(story, dialect, prepare)


def test_some_bad_ones_among_many() -> None:
    bad = (10, 60)

    async def story(home: MortalHome) -> None:
        world, good = home.world, {info_hash(one) for one in range(1, 101) if one not in bad}
        await home.add(*range(1, 101))
        await asyncio.sleep(60)
        assert world.primary.hashes | world.secondary.hashes == good
        await asyncio.sleep(120)
        assert failures(home) == dict.fromkeys(map(info_hash, bad), "crashes_server")
        assert world.primary.hashes | world.secondary.hashes == good
        await home.dispatcher.stop()

    live_through(story, V5_3, lambda world: at_adds_of(*bad)(world.primary))


def test_what_is_given_meanwhile_is_not_held_up() -> None:
    async def story(home: MortalHome) -> None:
        await home.add(2)
        for number in range(10, 20):
            await asyncio.sleep(3)
            await home.add(number)
        given = {info_hash(number) for number in range(10, 20)}
        assert given == home.world.primary.hashes | home.world.secondary.hashes
        await asyncio.sleep(90)
        assert given == home.world.primary.hashes | home.world.secondary.hashes
        assert failures(home) == {info_hash(2): "crashes_server"}
        assert requests_with(home.world.primary, 2) == [1, 1, 1]
        await home.dispatcher.stop()

    live_through(story, V5_3, lambda world: at_adds_of(2)(world.primary))


@DIALECTS
def test_network_that_is_cut_at_each_add_proves_nothing(dialect: Dialect) -> None:
    """The process lives on, so nothing has crashed."""
    cuts = 6

    def prepare(world: World) -> None:
        server = world.primary

        def look(received: Received) -> None:
            if received.endpoint == "torrents/add" and len(server.adds) <= cuts:
                server.torrents.delete([info_hash(1)])  # it has never arrived
                server.go()
                server._loop.call_later(2, server.come)

        server.after = look

    async def story(home: MortalHome) -> None:
        await home.add(1)
        await asyncio.sleep(300)
        assert home.world.primary.hashes == {info_hash(1)}
        assert len(home.world.primary.adds) == cuts + 1
        assert not failures(home)
        assert home.world.records == {}
        await home.dispatcher.stop()

    live_through(story, dialect, prepare)


@DIALECTS
@pytest.mark.parametrize("times", [1, 2])
def test_server_that_is_restarted_by_its_user(dialect: Dialect, times: int) -> None:
    """Right after a request, and once more; nothing is made of that in the end."""

    def prepare(world: World) -> None:
        def look(received: Received) -> None:
            if received.endpoint == "torrents/add" and len(world.primary.adds) <= times:
                dies(world.primary)

        world.primary.after = look

    async def story(home: MortalHome) -> None:
        await home.add(1)
        await home.add(2)
        await asyncio.sleep(50)
        assert {
            info_hash(1),
            info_hash(2),
        } == home.world.primary.hashes | home.world.secondary.hashes
        await asyncio.sleep(100)
        assert not failures(home)
        assert home.world.records == {}
        await home.dispatcher.stop()

    live_through(story, dialect, prepare)


def test_server_that_never_comes_back() -> None:
    """After the 15 minutes its magnets go to the next one, where each is alone in its request."""

    async def story(home: MortalHome) -> None:
        await home.add(1, 2, 3)
        await asyncio.sleep(800)
        assert not home.world.secondary.adds
        await asyncio.sleep(150)
        assert home.world.secondary.hashes == {info_hash(number) for number in (1, 2, 3)}
        assert [len(links) for links in home.world.secondary.adds] == [1, 1, 1]
        await home.dispatcher.stop()

    live_through(story, V5_3, lambda world: at_adds_of(2, happens=Machine.go)(world.primary))


@DIALECTS
@pytest.mark.parametrize("seconds", [0.0, 0.3, 8.0])
def test_server_that_crashes_after_it_has_listed_it(dialect: Dialect, seconds: float) -> None:
    """It says that it has them all, and dies a moment later, with what it had no time to save."""

    def later(server: Machine) -> None:
        server._loop.call_later(seconds, dies, server)

    async def story(home: MortalHome) -> None:
        primary = home.world.primary
        await home.add(1, 2, 3)
        given = {info_hash(1), info_hash(3)}
        for number in range(10, 25):
            await asyncio.sleep(60)
            await home.add(number)
            given.add(info_hash(number))
        await asyncio.sleep(60)
        assert failures(home) == {info_hash(2): "crashes_server"}
        assert requests_with(primary, 2)[-3:] == [1, 1, 1]
        assert len(primary.adds) < 40
        assert not requests_with(home.world.secondary, 2)
        assert given == primary.hashes | home.world.secondary.hashes
        await asyncio.sleep(120)
        assert home.world.records.keys() == {info_hash(2)}
        await home.dispatcher.stop()

    live_through(story, dialect, lambda world: at_adds_of(2, happens=later)(world.primary))


@DIALECTS
@pytest.mark.parametrize("times", [1, 2])
def test_restart_that_loses_what_was_listed_proves_nothing(dialect: Dialect, times: int) -> None:
    """They are there again at once when it is back and that was noticed."""

    async def story(home: MortalHome) -> None:
        primary, given = home.world.primary, {info_hash(number) for number in range(1, 11)}
        await home.add(*range(1, 11))
        for _ in range(times):
            await asyncio.sleep(5)
            dies(primary)
            await asyncio.sleep(100)
            assert primary.hashes == given
        await asyncio.sleep(120)
        assert home.world.records == {}
        await home.dispatcher.stop()

    live_through(story, dialect, lambda world: None)


@pytest.mark.parametrize("again", ["retry_failed", "add"])
def test_given_again_it_has_one_more_try(again: str) -> None:
    """A feed gives the same magnets again and again."""

    async def story(home: MortalHome) -> None:
        primary = home.world.primary
        await home.add(2)
        await asyncio.sleep(120)
        assert failures(home) == {info_hash(2): "crashes_server"}
        before = len(primary.adds)
        await getattr(home, again)(2)
        await asyncio.sleep(120)
        assert failures(home) == {info_hash(2): "crashes_server"}
        assert len(primary.adds) == before + 1
        primary.heal()
        await getattr(home, again)(2)
        await asyncio.sleep(120)
        assert primary.hashes == {info_hash(2)}
        assert not home.world.secondary.adds
        await home.dispatcher.stop()

    live_through(story, V5_3, lambda world: at_adds_of(2)(world.primary))


async def test_with_home_assistant(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    """It is counted over restarts of Home Assistant, and said on the failed list."""
    entry = await start(*first_and_second(primary, secondary))
    dying: list[asyncio.Task[None]] = []

    def look(received: Received) -> Answer | None:
        if info_hash(2) not in received.form.get("urls", ""):
            return None
        dying.append(hass.loop.create_task(primary.refuse()))
        return Answer(200, b"Ok.")

    on_request(primary, look)
    response = await add(hass, link(1), link(2), link(3))
    assert hashes(response["queued"]) == [info_hash(number) for number in (1, 2, 3)]
    for process in range(6):
        await asyncio.gather(*dying)
        await settled(hass)
        await again(hass, entry)
        await primary.restart(keep="all")
        primary.launch_time = AGE + process  # no two processes start in the same second
        await call(hass, "check_health")
        for _ in range(3):
            await work(entry)
            clock.tick(20)
    books = await call(hass, "get_queue")
    assert books["queued"] == []
    assert [(one["info_hash"], one["reason"]) for one in books["failed"]] == [
        (info_hash(2), "crashes_server")
    ]
    assert sent(primary).count(info_hash(2)) == 4
    assert {info_hash(1), info_hash(3)} <= primary.hashes
    assert not secondary.adds
