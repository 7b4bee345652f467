"""Many calls at once, and in the middle of a delivery: each magnet once, an answer for all."""

import asyncio
from collections.abc import AsyncGenerator, Collection
import random

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.support.actions import Response, add, call, hashes, sent, work
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link, settled
from tests.support.fake.dialect import Dialect
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent
from tests.support.moments import MOMENTS, complaints, held_at

pytestmark = [pytest.mark.usefixtures("socket_enabled", "vpn"), pytest.mark.few_dialects]

QUEUED = "sensor.qbittorrent_resilient_queued_magnets"


@pytest.fixture
async def server(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return the first server in line, of each version."""
    async with FakeQBittorrent(dialect) as server:
        yield server


def numbers(given: Collection[int]) -> list[str]:
    return [info_hash(one) for one in given]


def told(response: Response) -> list[str]:
    """Return the magnets of which an answer speaks."""
    lists = ("added", "queued", "failed", "skipped")
    return [key for name in lists for key in hashes(response[name])]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("second_fails", [False, True])
async def test_ten_calls_that_overlap_at_random(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    secondary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    *,
    second_fails: bool,
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(batches, "ADD_MAGNETS", (chance.choice((2, 5, 50)), 50))
    await start(instance("first", server), instance("second", secondary, priority=2))
    server.faults.delay(0.01, "torrents/add")
    if second_fails:
        secondary.faults.answer(500, "no", endpoint="torrents/info")
    wanted = [chance.sample(range(1, 41), chance.randint(1, 30)) for _ in range(10)]
    calls = []
    for one in wanted:
        calls.append(asyncio.create_task(add(hass, *(link(number) for number in one))))
        await asyncio.sleep(chance.choice((0, 0, 0.005, 0.02)))
    for one, response in zip(wanted, await asyncio.gather(*calls), strict=True):
        assert sorted(told(response)) == sorted(numbers(one))
        assert len(response["added"]) == len(one)
    everything = sorted(numbers({number for one in wanted for number in one}))
    assert sorted(sent(server)) == everything
    assert not secondary.adds


@pytest.mark.parametrize("seed", range(2))
async def test_ten_calls_that_overlap_while_the_server_goes(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    secondary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """Every call is answered, and in the end each magnet is on one server."""
    chance = random.Random(seed)
    monkeypatch.setattr(batches, "ADD_MAGNETS", (3, 3))
    entry = await start(instance("first", server), instance("second", secondary, priority=2))
    server.faults.delay(0.005, "torrents/add")
    wanted = [chance.sample(range(1, 41), 20) for _ in range(10)]
    calls = [
        asyncio.create_task(add(hass, *(link(number) for number in one), max_retries=0))
        for one in wanted
    ]
    await eventually(lambda: len(server.adds) > chance.randint(1, 5))
    await server.refuse()
    for one, response in zip(wanted, await asyncio.gather(*calls), strict=True):
        assert sorted(told(response)) == sorted(numbers(one))
    await server.listen()
    await call(hass, "check_health")
    await work(entry)
    await eventually(lambda: hass.states.is_state(QUEUED, "0"))
    everything = sorted(numbers({number for one in wanted for number in one}))
    assert sorted([*server.hashes, *secondary.hashes]) == everything


async def test_retry_queue_while_the_worker_drains(
    hass: HomeAssistant, start: Start, clock: FakeClock, server: FakeQBittorrent
) -> None:
    await start(instance("first", server))
    await server.refuse()
    await add(hass, *(link(one) for one in range(1, 21)))
    await server.listen()
    fault = server.faults.delay(0.1, "torrents/add", after=True)
    await call(hass, "check_health")
    await eventually(lambda: fault.hits)
    responses = await asyncio.gather(*(call(hass, "retry_queue") for _ in range(20)))
    assert sorted(sent(server)) == numbers(range(1, 21))
    for response in responses:
        assert sorted(hashes(response["added"])) == numbers(range(1, 21))
        assert response["queued"] == response["failed"] == []


async def test_retry_queue_while_an_add_is_under_way(
    hass: HomeAssistant, start: Start, clock: FakeClock, server: FakeQBittorrent
) -> None:
    await start(instance("first", server))
    fault = server.faults.delay(0.1, "torrents/add", after=True)
    adding = [asyncio.create_task(add(hass, link(one), link(one + 1))) for one in range(1, 11)]
    await eventually(lambda: fault.hits)
    retries = [call(hass, "retry_queue") for _ in range(20)]
    async with asyncio.timeout(30):
        responses = await asyncio.gather(*retries)
        answers = await asyncio.gather(*adding)
    assert sorted(sent(server)) == numbers(range(1, 12))
    for response in responses:
        assert response["queued"] == response["failed"] == []
    for number, answer in enumerate(answers, 1):
        assert hashes(answer["added"]) == numbers((number, number + 1))


@pytest.mark.parametrize("moment", MOMENTS)
async def test_actions_in_the_middle_of_a_delivery(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    moment: str,
) -> None:
    """They answer, and break nothing; one that was removed in time is gone from the books."""
    await start(instance("first", primary))
    primary.torrents.never_listed = set(numbers([9]))
    await add(hass, link(9))
    primary.torrents.never_listed = set()
    async with held_at(moment, primary, cut=False) as held:
        adding = asyncio.create_task(add(hass, link(1), link(2)))
        await asyncio.wait_for(held.reached.wait(), 30)
        books = await call(hass, "get_queue")
        queued = [] if moment in ("closing", "closed") else numbers((1, 2))
        assert hashes(books["queued"]) == queued
        assert hashes(books["failed"]) == numbers([9])
        removing = asyncio.create_task(call(hass, "remove_magnets", info_hashes=[info_hash(1)]))
        again = asyncio.create_task(call(hass, "retry_failed", all=True))
        await asyncio.sleep(0.05)  # what they write may have to wait for what is held
        held.go.set()
        async with asyncio.timeout(30):
            response, removed, retried = await asyncio.gather(adding, removing, again)
    assert removed["removed"] == queued[:1]
    assert hashes(retried["queued"]) == numbers([9])
    assert sorted(told(response)) == numbers((1, 2))
    await settled(hass)
    await eventually(lambda: hass.states.is_state(QUEUED, "0"))
    await eventually(lambda: {info_hash(2), info_hash(9)} <= primary.hashes)
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    assert len(sent(primary)) == len(set(sent(primary))) + 1  # only the one that failed before
    assert (info_hash(1) in primary.hashes) is (moment not in ("look", "note", "noted"))
    assert complaints(caplog) == []


async def test_removed_magnet_is_not_sent_again(
    hass: HomeAssistant, start: Start, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    """The user was told that it is gone from the queue; the further try must not bring it back."""
    await start(instance("first", primary))
    async with held_at("add", primary) as held:
        adding = asyncio.create_task(add(hass, link(1), link(2)))
        await asyncio.wait_for(held.reached.wait(), 30)
        assert (await call(hass, "remove_magnets", info_hashes=[info_hash(1)]))["removed"]
        held.go.set()
        await adding
    await eventually(lambda: info_hash(2) in primary.hashes)
    assert primary.hashes == {info_hash(2)}


async def _make_uncertain(hass: HomeAssistant, server: FakeQBittorrent, *given: int) -> None:
    """Let magnets be sent to a server that carries them out and is gone."""

    def end(received: Received) -> None:
        if received.endpoint == "torrents/add":
            server.faults.cut()

    server.on_request = end
    server.faults.cut("torrents/add", times=1, after=True)
    response = await add(hass, *(link(one) for one in given), max_retries=0)
    assert {one["reason"] for one in response["queued"]} == {"uncertain"}
    assert sorted(hashes(response["queued"])) == numbers(given)


async def test_instance_removed_while_magnets_are_uncertain_on_it(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    """They move on at once: nobody is left to be asked."""
    entry = await start(instance("first", server), instance("second", secondary, priority=2))
    await _make_uncertain(hass, server, 1, 2)
    await work(entry)
    assert not secondary.adds
    assert hass.config_entries.async_remove_subentry(entry, "first")
    await eventually(lambda: secondary.hashes == set(numbers((1, 2))))
    await eventually(lambda: hass.states.is_state(QUEUED, "0"))
    assert sorted(sent(secondary)) == numbers((1, 2))
    clock.tick(3600)
    await work(entry)
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_last_instance_removed_while_magnets_are_uncertain_on_it(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
) -> None:
    """They wait for any other one, not for the one that is gone."""
    entry = await start(instance("first", server))
    await _make_uncertain(hass, server, 1, 2)
    assert hass.config_entries.async_remove_subentry(entry, "first")
    await settled(hass)
    await call(hass, "retry_queue")
    found = (await call(hass, "get_queue"))["queued"]
    assert [(one["info_hash"], one["reason"]) for one in found] == [
        (key, "no_instance") for key in numbers((1, 2))
    ]
    # They do not wait for ever: at last they are on the failed list.
    clock.tick(22 * 86_400)
    await work(entry)
    assert hashes((await call(hass, "get_queue"))["failed"]) == numbers((1, 2))
