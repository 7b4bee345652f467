"""A server whose list or log has no end, or takes a day to read: the others go on at once."""

import asyncio
import time

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, hashes, status_of
from tests.support.common import FakeClock, Start, info_hash, instance, link, poll
from tests.support.fake.answer import JSON, Answer, Call, Route
from tests.support.fake.api import Api
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

SECONDS = 30.0
"""One time limit, for a machine that is busy with other tests."""


def endless(server: FakeQBittorrent) -> None:
    """Let the server list ever new hybrid torrents, page for page."""

    def listed(call: Call) -> Answer:
        offset, limit = (int(call.params.get(name, "0")) for name in ("offset", "limit"))
        rows = (
            f'{{"hash":"{number:040x}","infohash_v1":"{number:040x}","infohash_v2":"{number:064x}"}}'
            for number in range(offset + 10**6, offset + 10**6 + limit)
        )
        return Answer(200, f"[{','.join(rows)}]".encode(), JSON)

    server.api._routes["torrents/info"] = Route(listed)


async def test_list_without_end(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """It is an `error`, said once, and the magnets are on the other server."""
    asyncio.get_running_loop().set_debug(False)  # it makes everything several times slower
    await start(instance("first", primary), instance("second", secondary, priority=2))
    endless(primary)
    async with asyncio.timeout(SECONDS):
        response = await add(hass, link(1), link(2))
    assert {one["instance"] for one in response["added"]} == {"Second"}
    assert hashes(response["added"]) == [info_hash(1), info_hash(2)]
    assert status_of(hass, "first") == "error"
    asked = len(primary.requests_to("torrents/info"))
    for number in range(3, 8):
        clock.tick(31)
        await poll(hass)
        assert status_of(hass, "first") == "error"
        assert (await add(hass, link(number)))["added"][0]["instance"] == "Second"
    assert len(primary.requests_to("torrents/info")) == asked
    assert not primary.adds
    primary.api = Api(primary)
    await primary.restart()
    await call(hass, "check_health")
    assert status_of(hass, "first") == "ok", "another process has another chance"
    assert (await add(hass, link(9)))["added"][0]["instance"] == "First"


async def test_log_that_takes_a_day_to_read(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """A text in it that does not end, with a million escapes."""
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.faults.answer(200, b'["' + b'\\"' * 4_000_000, JSON, "log/main")
    begun = time.thread_time()
    await poll(hass)
    assert status_of(hass, "first") == "error"
    assert time.thread_time() - begun < 2
    assert (await add(hass, link(1)))["added"][0]["instance"] == "Second"
