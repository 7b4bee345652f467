"""What one server or one magnet must not hold up, in virtual time."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import client
from tests.promises.crashing.home import MortalHome
from tests.promises.crashing.scenario import live_through
from tests.promises.crashing.world import World
from tests.support.common import info_hash
from tests.support.fake import V5_3
from tests.support.fake.answer import Answer
from tests.support.fake.record import Received

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize("retries", [0, 3, 10])
def test_server_that_swallows_adds_holds_up_no_other_for_long(retries: int) -> None:
    """It answers small questions, so nothing is wrong with it; only one request is waited for."""

    def prepare(world: World) -> None:
        world.behind_vpn = world.secondary
        world.secondary.go()
        world.primary.faults.hang("torrents/add")

    async def story(home: MortalHome) -> None:
        loop = home.world.loop
        await home.add(9, require_vpn=True)
        adding = asyncio.create_task(home.add(1, 2, max_retries=retries))
        await asyncio.sleep(5)
        home.world.secondary.come()
        begun = loop.time()
        await home.check()
        while info_hash(9) not in home.world.secondary.hashes:
            await asyncio.sleep(0.5)
        assert loop.time() - begun <= client.ADD_SECONDS + 1
        await home.dispatcher.stop()
        await adding

    live_through(story, V5_3, prepare)


@pytest.mark.parametrize("bad", [{10}, {10, 60}, {5, 20, 40, 60, 70, 90}])
def test_bad_magnets_hold_up_no_other(bad: set[int]) -> None:
    """Something in front of the server refuses each request that names one of them."""

    def prepare(world: World) -> None:
        world.secondary.go()
        handle = world.primary.api.handle

        def look(received: Received) -> Answer:
            links = received.form.get("urls", "")
            if received.endpoint == "torrents/add" and any(info_hash(one) in links for one in bad):
                return Answer(403, b"<html>blocked</html>", "text/html")
            return handle(received)

        world.primary.api.handle = look

    async def story(home: MortalHome) -> None:
        await home.add(*range(1, 101), max_retries=0)
        assert home.world.primary.hashes == {
            info_hash(one) for one in range(1, 101) if one not in bad
        }
        await home.dispatcher.stop()

    live_through(story, V5_3, prepare)
