"""Servers that are slow or big: others are used, nothing hangs, nothing is lost or doubled."""

import asyncio
from collections.abc import AsyncGenerator

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, again, call, hashes, sent, status_of
from tests.support.common import Start, eventually, info_hash, instance, link
from tests.support.fake.server import FakeQBittorrent

TEN_THOUSAND = 10_000
PATIENCE = 60.0
"""Seconds in which what is not to hang has to be over; the limits of requests are 1 s here."""


@pytest.fixture
async def crowded(socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Yield a server that lists 30,000 torrents."""
    async with FakeQBittorrent() as server:
        server.add(*(link(number) for number in range(1, 30_001)))
        yield server


async def test_ten_thousand_queued_and_as_many_more_while_they_are_drained(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """All are on exactly one server, and were sent once."""
    asyncio.get_running_loop().set_debug(False)  # it makes everything several times slower
    await start(instance("first", primary), instance("second", secondary, priority=2))
    await primary.refuse()
    await secondary.refuse()
    await call(hass, "check_health")
    early = [info_hash(number) for number in range(1, TEN_THOUSAND + 1)]
    late = [info_hash(number) for number in range(TEN_THOUSAND + 1, 2 * TEN_THOUSAND + 1)]
    response = await add(hass, *(link(number) for number in range(1, TEN_THOUSAND + 1)))
    assert hashes(response["queued"]) == early
    assert hashes((await call(hass, "get_queue"))["queued"]) == early

    await primary.listen()
    await secondary.listen()
    await call(hass, "check_health")
    await eventually(lambda: len(primary.torrents) + len(secondary.torrents) > 100, 30)
    response = await add(
        hass, *(link(number) for number in range(TEN_THOUSAND + 1, 2 * TEN_THOUSAND + 1))
    )
    assert hashes([*response["added"], *response["queued"]]) == late

    def drained() -> bool:
        state = hass.states.get("sensor.qbittorrent_resilient_queued_magnets")
        return state is not None and state.state == "0"

    await eventually(drained, 90)
    assert sorted(sent(primary, secondary)) == [*early, *late]
    assert sorted([*primary.hashes, *secondary.hashes]) == [*early, *late]
    assert (await call(hass, "get_queue")) == {"queued": [], "failed": []}


@pytest.mark.usefixtures("impatient")
async def test_a_byte_a_second(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """It is a timeout; the other server is used; start, actions and stop do not hang."""
    primary.faults.trickle(pause=1)
    async with asyncio.timeout(PATIENCE):
        entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    async with asyncio.timeout(PATIENCE):
        response = await add(hass, link(1))
    assert response["added"] == [
        {
            "info_hash": info_hash(1),
            "name": "Torrent 1",
            "instance": "Second",
            "status": "added",
        }
    ]
    async with asyncio.timeout(PATIENCE):
        checked = await call(hass, "check_health")
    assert checked["instances"] == {"First": "timeout", "Second": "ok"}
    await secondary.refuse()
    async with asyncio.timeout(PATIENCE):
        await again(hass, entry)
        response = await add(hass, link(2))
    assert hashes(response["queued"]) == [info_hash(2)]
    primary.faults.clear()
    await call(hass, "check_health")
    await eventually(lambda: primary.torrents.find(info_hash(2)))
    assert sent(primary, secondary) == [info_hash(1), info_hash(2)]
    async with asyncio.timeout(PATIENCE):
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("impatient")
async def test_a_byte_a_second_from_the_add_on(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """The add was carried out; its answer takes too long, and the list tells."""
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.faults.trickle("torrents/add", pause=1)
    async with asyncio.timeout(PATIENCE):
        response = await add(hass, *map(link, range(1, 61)))
    assert {(one["instance"], one["status"]) for one in response["added"]} == {("First", "added")}
    assert hashes(response["added"]) == [info_hash(number) for number in range(1, 61)]
    assert len(sent(primary)) == 60
    assert not secondary.adds


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("seconds", [0.3, 1.5], ids=["within the limit", "beyond it"])
@pytest.mark.parametrize("after", [False, True], ids=["then done", "done at once"])
async def test_each_add_takes_long(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    seconds: float,
    *,
    after: bool,
) -> None:
    """Added all the same, once, and on no second server."""
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.faults.delay(seconds, "torrents/add", after=after)
    numbers = range(1, 121)
    response = await add(hass, *map(link, numbers))
    primary.faults.clear()
    assert not response["failed"]
    expected = {info_hash(number) for number in numbers}
    assert {*hashes(response["added"]), *hashes(response["queued"])} == expected
    await call(hass, "check_health")
    await call(hass, "retry_queue")
    await eventually(lambda: primary.hashes == expected, 30)
    assert not secondary.adds
    assert seconds > 1 or sorted(sent(primary)) == sorted(expected)


async def test_few_of_a_list_of_thirty_thousand(
    hass: HomeAssistant, start: Start, crowded: FakeQBittorrent
) -> None:
    """Nothing asks for the whole list: a check asks for none of it, an add for what it brings."""
    entry = await start(instance("first", crowded))
    await call(hass, "check_health")
    assert not crowded.requests_to("torrents/info")
    given = [link(number) for number in (1, 30_000, 30_001, 30_002)]
    response = await add(hass, *given)
    statuses = [one["status"] for one in response["added"]]
    assert statuses == ["already_present"] * 2 + ["added"] * 2
    await again(hass, entry)
    assert status_of(hass, "first") == "ok"
    questions = [one.params for one in crowded.requests_to("torrents/info")]
    assert 0 < len({repr(one) for one in questions}) <= 6
    for asked in questions:
        few = 0 < len(asked.get("hashes", "").split("|")) <= 4 and asked.get("hashes")
        assert few or 0 < int(asked["limit"]) <= 200
    assert not any("maindata" in one.path for one in crowded.requests)
