"""Home Assistant stops, or is killed, in the middle of it all: nothing lost, nothing twice."""

from copy import deepcopy
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.support.actions import STORE, add, again, call, hashes, look_away, on_request, sent, work
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link, settled
from tests.support.fake.answer import Answer
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent


def numbers(*given: int) -> list[str]:
    return [info_hash(one) for one in given]


MOMENTS = {
    "look": ("torrents/info", False),
    "add": ("torrents/add", False),
    "answer": ("torrents/add", True),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_reload_in_the_middle_of_a_delivery(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    moment: str,
) -> None:
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    endpoint, after = MOMENTS[moment]
    fault = primary.faults.hang(endpoint, after=after)
    adding = hass.async_create_task(add(hass, link(1), link(2)))
    await eventually(lambda: fault.hits)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert hashes((await adding)["queued"]) == numbers(1, 2)
    primary.faults.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: primary.hashes == set(numbers(1, 2)))
    queued = "sensor.qbittorrent_resilient_queued_magnets"
    await eventually(lambda: hass.states.is_state(queued, "0"))
    assert sum(len(one) for one in primary.adds) in ({2, 4} if moment == "add" else {2})
    assert not secondary.adds
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_restart_keeps_the_queue(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    entry = await start(instance("first", primary))
    primary.torrents.never_listed = set(numbers(9))
    await add(hass, link(9))
    await primary.refuse()
    await add(hass, link(2), link(1), category="c", tags=["t"], stopped=True, save_path="/p")
    before = await call(hass, "get_queue")
    await again(hass, entry)
    after = await call(hass, "get_queue")
    assert after == before
    assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "2")
    assert hass.states.is_state("sensor.qbittorrent_resilient_failed_magnets", "1")
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: len(primary.torrents) == 2)
    assert sent(primary)[1:] == numbers(2, 1)
    for torrent in primary.torrents:
        assert (torrent.category, torrent.tags) == ("c", ("t",))
        assert (torrent.stopped, torrent.save_path) == (True, "/p")


async def _killed_at(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: Any,
    servers: tuple[FakeQBittorrent, ...],
    request: int,
    *,
    carried_out: bool,
    **wishes: Any,
) -> int | None:
    """Add ten magnets; Home Assistant is gone at a request: what it does then never happened.

    Return how many magnets it had on disk by then, or None if there was no such request.
    """
    taken: list[Any] = []
    count = 0
    offered = False

    def look(received: Received) -> Answer | None:
        nonlocal count, offered
        count += 1
        if not taken:
            offered |= received.endpoint == "torrents/add"
        if count < request:
            return None
        if not taken:
            taken.append(deepcopy(hass_storage.get(STORE)))
            return None if carried_out else Answer(503)
        return Answer(503)

    for server in servers:
        on_request(server, look)
    await add(hass, *(link(one) for one in range(1, 11)), **wishes)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for server in servers:
        look_away(server)
    if not taken:
        return None
    if taken[0] is None:
        # Servers are asked while the magnets are written; none is offered before.
        assert not offered
        hass_storage.pop(STORE, None)
    else:
        hass_storage[STORE] = taken[0]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return len(taken[0]["data"]["magnets"]) if taken[0] else 0


@pytest.mark.parametrize(("carried_out", "queue"), [(True, True), (False, True), (True, False)])
async def test_killed_at_every_request(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    carried_out: bool,
    queue: bool,
) -> None:
    """Each magnet is on one server, queued, or on the failed list: not lost, not doubled."""
    monkeypatch.setattr(batches, "ADD_MAGNETS", (4, 4))
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    servers = (primary, secondary)
    for request in range(1, 100):
        on_disk = await _killed_at(
            hass, hass_storage, entry, servers, request, carried_out=carried_out, queue=queue
        )
        if on_disk is None:
            break
        await work(entry)
        await settled(hass)
        found = await call(hass, "get_queue")
        assert found["queued"] == []
        failed = hashes(found["failed"])
        accepted = numbers(*range(1, on_disk + 1))
        assert sorted([*primary.hashes, *secondary.hashes, *failed]) == accepted
        assert not (queue and failed)
        assert await hass.config_entries.async_unload(entry.entry_id)
        for server in servers:
            server.torrents.keep_only([])
        hass_storage.pop(STORE, None)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
    assert request > 6
