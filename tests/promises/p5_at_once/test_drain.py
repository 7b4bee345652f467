"""The queue is delivered at once, in order, one delivery at a time, each magnet once."""

import asyncio

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.support.actions import AddsInFlight, add, call, hashes, on_request, sent, work
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    settled,
)
from tests.support.fake.answer import Answer
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent


def numbers(*given: int) -> list[str]:
    return [info_hash(one) for one in given]


async def test_drains_when_an_instance_turns_ok(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    await primary.refuse()
    await secondary.refuse()
    for number in (5, 3, 9, 1):
        await add(hass, link(number))
    await secondary.listen()
    await call(hass, "check_health")
    await eventually(lambda: len(secondary.torrents) == 4)
    assert sent(secondary) == numbers(5, 3, 9, 1)
    await eventually(
        lambda: hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")
    )
    await primary.listen()
    await call(hass, "check_health")
    await settled(hass)
    assert not primary.adds


async def test_drains_when_the_vpn_comes_back(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    clock: FakeClock,
) -> None:
    vpn.up = False
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    response = await add(hass, link(1), link(2))
    assert {one["reason"] for one in response["queued"]} == {"vpn_down"}
    assert not primary.requests
    vpn.up = True
    await call(hass, "check_health")
    await eventually(lambda: primary.hashes == set(numbers(1, 2)))


async def test_one_that_the_server_denies_holds_up_no_other(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(one) for one in range(1, 8)))
    primary.torrents.never_listed = set(numbers(4))
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: len(primary.torrents) == 6)
    await settled(hass)
    found = await call(hass, "get_queue")
    assert found["queued"] == []
    assert [(one["info_hash"], one["reason"]) for one in found["failed"]] == [
        (info_hash(4), "rejected")
    ]


async def test_one_that_the_server_chokes_on_holds_up_no_other(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))

    def look(received: Received) -> Answer | None:
        choking = any(info_hash(4) in one for one in received.magnets)
        return Answer(500, b"crash") if choking else None

    on_request(primary, look)
    response = await add(hass, *(link(one) for one in range(1, 31)))
    assert len(response["added"]) == 29
    assert [(one["info_hash"], one["reason"]) for one in response["queued"]] == [
        (info_hash(4), "error")
    ]


async def test_one_delivery_at_a_time(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
) -> None:
    await start(
        instance("open", secondary),
        instance("safe", primary, priority=2, requires_vpn=True),
        targets=(TARGET,),
    )
    adds = AddsInFlight(primary, secondary)
    for server in (primary, secondary):
        server.faults.delay(0.05, "torrents/add", after=True)
    await asyncio.gather(
        *(add(hass, link(one), require_vpn=one % 2 == 0) for one in range(1, 7)),
        call(hass, "retry_queue"),
    )
    assert secondary.hashes == set(numbers(1, 3, 5))
    assert primary.hashes == set(numbers(2, 4, 6))
    assert adds.most == 1


async def test_overlapping_calls_add_each_magnet_once(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.faults.delay(0.05, "torrents/add", after=True)
    one, other = await asyncio.gather(
        add(hass, *(link(number) for number in range(1, 61))),
        add(hass, *(link(number) for number in range(41, 101))),
    )
    assert hashes(one["added"]) == numbers(*range(1, 61))
    assert hashes(other["added"]) == numbers(*range(41, 101))
    found = [(item["info_hash"], item["status"]) for item in [*one["added"], *other["added"]]]
    assert len(set(found)) == 120  # whichever came first, the other is told that it is there
    assert {key for key, status in found if status == "added"} == set(numbers(*range(1, 101)))
    assert sorted(sent(primary)) == numbers(*range(1, 101))
    assert not secondary.adds


async def test_wishes_of_a_second_call_do_not_reach_other_magnets(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A link is given again, with another category, while its delivery is under way."""
    monkeypatch.setattr(batches, "ADD_MAGNETS", (2, 2))
    await start(instance("first", primary))
    fault = primary.faults.delay(1, "torrents/add", times=1)
    adding = hass.async_create_task(add(hass, *(link(one) for one in range(1, 5)), category="a"))
    await eventually(lambda: fault.hits)
    other = hass.async_create_task(add(hass, link(3), category="b"))
    assert len((await adding)["added"]) == 4
    assert len((await other)["added"]) == 1
    found = {torrent.torrent_id: torrent.category for torrent in primary.torrents}
    del found[info_hash(3)]  # one of its two callers has to be disappointed
    assert set(found.values()) == {"a"}


async def test_require_vpn_of_a_second_call_counts_at_once(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "ADD_MAGNETS", (2, 2))
    await start(
        instance("open", secondary),
        instance("safe", primary, priority=2, requires_vpn=True),
        targets=(TARGET,),
    )
    fault = secondary.faults.delay(1, "torrents/add", times=1)
    adding = hass.async_create_task(add(hass, *(link(one) for one in range(1, 5))))
    await eventually(lambda: fault.hits)
    other = hass.async_create_task(add(hass, link(4), require_vpn=True))
    assert len((await adding)["added"]) == 4
    ((found,)) = (await other)["added"]
    assert found["instance"] == "Safe"
    assert secondary.hashes == set(numbers(1, 2, 3))


async def test_retry_queue_twenty_times_at_once(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(one) for one in range(1, 11)))
    await primary.listen()
    primary.faults.delay(0.05, "torrents/add", after=True)
    responses = await asyncio.gather(*(call(hass, "retry_queue") for _ in range(20)))
    assert sorted(sent(primary)) == numbers(*range(1, 11))
    for response in responses:
        assert response["failed"] == response["queued"] == []
    assert sorted(hashes(responses[0]["added"])) == numbers(*range(1, 11))


async def test_expiry(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    entry = await start(instance("first", primary), options={"queue_expiry": 2})
    await primary.refuse()
    await add(hass, link(1))
    clock.tick(2 * 86_400 - 600)
    await work(entry)
    assert hashes((await call(hass, "get_queue"))["queued"]) == numbers(1)
    clock.tick(900)
    await work(entry)
    found = await call(hass, "get_queue")
    assert found["queued"] == []
    assert [(one["info_hash"], one["reason"]) for one in found["failed"]] == [
        (info_hash(1), "expired")
    ]
    assert hass.states.is_state("sensor.qbittorrent_resilient_failed_magnets", "1")
    await primary.listen()
    await call(hass, "check_health")
    await settled(hass)
    assert not primary.adds  # it is the user's turn
    await call(hass, "retry_failed", all=True)
    await eventually(lambda: primary.hashes == set(numbers(1)))


async def test_delivered_just_in_time_is_not_expired(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """It was queued long ago, but the instance has it: that it is watched still is no wait."""
    entry = await start(instance("first", primary), options={"queue_expiry": 1})
    await primary.refuse()
    await add(hass, link(1))
    clock.tick(86_400 - 30)
    await primary.listen()
    assert hashes((await call(hass, "retry_queue"))["added"]) == numbers(1)
    clock.tick(45)
    await work(entry)
    clock.tick(60)
    await work(entry)
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_wishes_of_a_second_call_count_for_what_is_yet_to_be_sent(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "ADD_MAGNETS", (2, 2))
    await start(instance("first", primary))
    fault = primary.faults.delay(1, "torrents/add", times=1)
    adding = hass.async_create_task(add(hass, *map(link, range(1, 5)), category="old"))
    await eventually(lambda: fault.hits)
    assert (await add(hass, link(4), category="new", stopped=True))["added"]
    await adding
    found = {one.torrent_id: (one.category, one.stopped) for one in primary.torrents}
    assert found == {
        info_hash(4): ("new", True),
        **{info_hash(one): ("old", False) for one in (1, 2, 3)},
    }
