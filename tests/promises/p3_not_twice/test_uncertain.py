"""Where a magnet may be besides, in the rarer ways to lose an answer; and what follows from it."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.support.actions import (
    Arrivals,
    add,
    again,
    call,
    fall_silent,
    look_away,
    on_request,
    status_of,
    stored,
    work,
)
from tests.support.common import FakeClock, Start, first_and_second, info_hash, link
from tests.support.fake.answer import Answer
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent


async def test_part_of_a_refused_request_waits_as_well(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
) -> None:
    """The whole was refused; then the server hangs with a half of it."""
    entry = await start(*first_and_second(primary, secondary))
    primary.faults.answer(500, "no", endpoint="torrents/add", times=1)

    def look(received: Received) -> None:
        if len(primary.requests_to("torrents/add")) == 2:
            primary.freeze()

    Arrivals(primary, look)
    response = await add(hass, link(1), link(2), max_retries=0)
    assert [one["reason"] for one in response["queued"]] == ["uncertain"]
    (waits,) = response["queued"]
    assert entry.runtime_data.dispatcher.job(waits["info_hash"]).sent_to == "first"
    await call(hass, "retry_queue")
    primary.record.requests = [*primary.record.requests]
    await primary.thaw()
    assert not primary.hashes & secondary.hashes


async def test_server_that_is_unfit_is_asked_all_the_same(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """It answers; that it is disconnected is no reason to give the magnet to another."""
    entry = await start(*first_and_second(primary, secondary))
    fall_silent(primary)
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "uncertain"
    look_away(primary)
    primary.faults.clear()
    primary.connection_status = "disconnected"
    clock.tick(40)
    await call(hass, "check_health")
    await work(entry)
    clock.tick(1000)
    await call(hass, "check_health")
    assert status_of(hass, "first") == "disconnected"
    await work(entry)
    assert primary.hashes == {info_hash(1)}
    assert not secondary.hashes
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_note_does_not_grow_old_in_a_long_pass(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    hass_storage: dict[str, Any],
) -> None:
    """Its 15 min begin with its own request, not with the first of the pass."""
    monkeypatch.setattr(batches, "ADD_MAGNETS", (1, 1))
    entry = await start(*first_and_second(primary, secondary))
    reached = asyncio.Event()

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            clock.tick(25)
            if len(primary.requests_to("torrents/add")) == 40:
                reached.set()
                primary.freeze()

    Arrivals(primary, look)
    adding = hass.async_create_task(add(hass, *(link(number) for number in range(1, 41))))
    await reached.wait()
    await again(hass, entry)
    await adding
    note = stored(hass_storage)[info_hash(40)]
    assert note["sent_to"] == "first"
    assert clock.make().now() - note["sent_at"] < 60
    await call(hass, "check_health")
    await work(entry)
    assert not secondary.hashes


async def test_clock_that_is_set_while_a_pass_looks(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """The quarter of an hour is not over because the clock says so."""
    ahead = 0.0
    make = clock.make

    def jumping() -> Clock:
        one = make()
        return Clock(now=lambda: one.now() + ahead, monotonic=one.monotonic, sleep=one.sleep)

    with patch("custom_components.qbittorrent_resilient.runtime.Clock", jumping):
        await start(*first_and_second(primary, secondary))
    fall_silent(primary)
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "uncertain"

    def step(received: Received) -> None:
        nonlocal ahead
        ahead = 3600.0

    on_request(secondary, step)
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "uncertain"
    assert ahead
    assert not secondary.hashes


async def test_refused_session_is_no_lost_answer(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
) -> None:
    """The add was answered by 403, so nothing was done; then opening a session hangs."""
    await start(*first_and_second(primary, secondary))

    def look(received: Received) -> Answer | None:
        if received.endpoint != "torrents/add":
            return None
        primary.faults.hang()
        return Answer(403, b"Forbidden")

    on_request(primary, look)
    response = await add(hass, link(1))
    primary.faults.clear()
    assert [one["instance"] for one in response["added"]] == ["Second"]


async def test_request_that_may_still_be_on_its_way_is_remembered(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """It is not listed, so another server gets it; but should it turn up, the user is told."""
    entry = await start(*first_and_second(primary, secondary))
    primary.faults.cut("torrents/add")
    assert [one["instance"] for one in (await add(hass, link(1)))["added"]] == ["Second"]
    assert entry.runtime_data.dispatcher.job(info_hash(1)).suspects == ("first",)
    primary.faults.clear()
    primary.add(link(1))
    await call(hass, "check_health")
    await work(entry)
    news = hass.states.get("event.qbittorrent_resilient_magnets")
    assert news is not None
    assert news.attributes["event_type"] == "duplicate"


async def test_list_that_cannot_be_understood_refuses_nothing(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """It lists torrents without their hashes, which could be any, after it took the magnet."""
    entry = await start(*first_and_second(primary, secondary))

    def look(received: Received) -> Answer | None:
        if received.endpoint == "torrents/info" and primary.adds:
            return Answer(200, b'[{"name":"Torrent 1"}]', "application/json")
        return None

    on_request(primary, look)
    response = await add(hass, link(1))
    assert [one["reason"] for one in response["queued"]] == ["uncertain"]
    assert not response["failed"]
    assert not secondary.adds
    look_away(primary)
    await work(entry)
    assert primary.hashes == {info_hash(1)}
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    assert len(primary.adds) == 1
    assert not secondary.adds
