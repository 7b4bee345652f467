"""Where magnets are when the answer to an add was lost: asked for, never guessed."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core import portions
from custom_components.qbittorrent_resilient.core.models import Clock
from tests.actions import (
    Arrivals,
    add,
    again,
    call,
    look_away,
    on_request,
    sent,
    status_of,
    stored,
    work,
)
from tests.common import FakeClock, Start, eventually, info_hash, instance, link
from tests.fake.answer import Answer
from tests.fake.record import Received
from tests.fake.server import FakeQBittorrent


def _two(primary: FakeQBittorrent, secondary: FakeQBittorrent) -> tuple[Any, Any]:
    return instance("first", primary), instance("second", secondary, priority=2)


LOST: dict[str, Callable[[FakeQBittorrent], Any]] = {
    "cut": lambda one: one.faults.cut("torrents/add", after=True),
    "no answer": lambda one: one.faults.hang("torrents/add", after=True),
    "late": lambda one: one.faults.delay(2, "torrents/add", after=True),
    "half": lambda one: one.faults.trickle("torrents/add"),
    "gateway error": lambda one: one.faults.answer(
        504, "Gateway Timeout", endpoint="torrents/add", after=True
    ),
    "page": lambda one: one.faults.answer(
        200, "<html></html>", "text/html", "torrents/add", after=True
    ),
    "empty": lambda one: one.faults.answer(200, "", endpoint="torrents/add", after=True),
    "odd JSON": lambda one: one.faults.answer(
        200, "[1]", "application/json", "torrents/add", after=True
    ),
}


@pytest.mark.parametrize("name", LOST)
async def test_lost_answer_of_an_add_that_was_carried_out(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
    name: str,
) -> None:
    await start(*_two(primary, secondary))
    LOST[name](primary)
    response = await add(hass, link(1), link(2))
    assert [(one["instance"], one["status"]) for one in response["added"]] == [
        ("First", "added"),
        ("First", "added"),
    ]
    assert len(primary.adds) == 1
    assert not secondary.adds


async def _lose(server: FakeQBittorrent) -> None:
    """Have the server carry the next add out, and fall silent with it."""
    server.faults.cut("torrents/add", after=True, times=1)

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            server.faults.cut()

    on_request(server, look)


async def test_lost_answer_and_silence_is_uncertain(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    entry = await start(*_two(primary, secondary))
    await _lose(primary)
    response = await add(hass, link(1))
    assert response["queued"] == [
        {"info_hash": info_hash(1), "name": "Torrent 1", "reason": "uncertain"}
    ]
    for _ in range(3):
        clock.tick(280)
        await work(entry)
        assert (await call(hass, "retry_queue"))["queued"][0]["reason"] == "uncertain"
    assert (await call(hass, "get_queue"))["queued"][0]["reason"] == "uncertain"
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "uncertain"
    assert not secondary.adds
    clock.tick(70)
    await work(entry)
    assert secondary.hashes == {info_hash(1)}
    assert (await call(hass, "get_queue"))["queued"] == []


async def test_server_that_comes_back_has_it(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await start(*_two(primary, secondary))
    await _lose(primary)
    await add(hass, link(1))
    clock.tick(800)
    primary.faults.clear()
    (one,) = (await call(hass, "retry_queue"))["added"]
    assert (one["instance"], one["status"]) == ("First", "already_present")
    clock.tick(800)
    await call(hass, "retry_queue")
    assert len(primary.adds) == 1
    assert not secondary.adds


async def test_server_that_wakes_up_is_given_a_moment(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """It answers first, and carries out what it was sent right after."""
    await start(instance("first", primary))
    await _lose(primary)
    await add(hass, link(1))
    look_away(primary)
    primary.torrents.delete([info_hash(1)])
    primary.faults.clear()
    looked: list[float] = []

    def look(received: Received) -> None:
        if received.endpoint == "torrents/info" and received.form.get("hashes"):
            looked.append(clock.ahead)
            if len(looked) == 2:
                primary.add(link(1))

    on_request(primary, look)
    (one,) = (await call(hass, "retry_queue"))["added"]
    assert one["status"] == "already_present"
    assert looked[1] - looked[0] >= 1
    assert len(primary.adds) == 1


async def test_server_that_comes_back_without_it_gets_it_again(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await start(*_two(primary, secondary))
    await _lose(primary)
    await add(hass, link(1))
    primary.faults.clear()
    await primary.restart(keep="none")
    look_away(primary)
    await call(hass, "check_health")
    await eventually(lambda: primary.hashes)
    assert sent(primary) == [info_hash(1), info_hash(1)]
    assert not secondary.adds


async def test_frozen_at_the_moment_of_the_add(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It carries out every add when it wakes up, given up or not."""
    monkeypatch.setattr(portions, "ADD_MAGNETS", (5, 5))
    entry = await start(*_two(primary, secondary))

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            primary.freeze()

    Arrivals(primary, look)
    given = [info_hash(one) for one in range(1, 13)]
    response = await add(hass, *(link(one) for one in range(1, 13)))
    uncertain = [one["info_hash"] for one in response["queued"] if one["reason"] == "uncertain"]
    assert uncertain[:5] == given[:5]
    assert not set(uncertain) & secondary.hashes
    assert primary.hashes == set()
    primary.record.requests = [*primary.record.requests]
    await primary.thaw()
    await call(hass, "check_health")
    await eventually(lambda: not entry.runtime_data.queue.data.queued)
    assert sorted([*primary.hashes, *secondary.hashes]) == given
    assert set(given[:5]) <= primary.hashes


async def test_without_queue_the_second_call_remembers_the_uncertainty(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    entry = await start(*_two(primary, secondary))
    await _lose(primary)
    for _ in range(2):
        (one,) = (await add(hass, link(1), queue=False))["failed"]
        assert one["reason"] == "unreachable"
        assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    assert not secondary.adds
    clock.tick(901)
    await work(entry)
    (one,) = (await add(hass, link(1), queue=False))["added"]
    assert (one["instance"], one["status"]) == ("Second", "added")


def _fall_silent(server: FakeQBittorrent) -> None:
    """Carry the next add out, and answer nothing any more from then on."""
    server.faults.cut("torrents/add", after=True, times=1)

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            server.faults.cut()

    on_request(server, look)


async def test_part_of_a_refused_request_waits_as_well(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
) -> None:
    """The whole was refused; then the server hangs with a half of it."""
    entry = await start(*_two(primary, secondary))
    primary.faults.answer(500, "no", endpoint="torrents/add", times=1)

    def look(received: Received) -> None:
        if len(primary.requests_to("torrents/add")) == 2:
            primary.freeze()

    Arrivals(primary, look)
    response = await add(hass, link(1), link(2), max_retries=0)
    assert [one["reason"] for one in response["queued"]] == ["uncertain"]
    (waits,) = response["queued"]
    assert entry.runtime_data.courier.queue.get(waits["info_hash"]).sent_to == "first"
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
    entry = await start(*_two(primary, secondary))
    _fall_silent(primary)
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
    monkeypatch.setattr(portions, "ADD_MAGNETS", (1, 1))
    entry = await start(*_two(primary, secondary))
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
        await start(*_two(primary, secondary))
    _fall_silent(primary)
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "uncertain"

    def jump(received: Received) -> None:
        nonlocal ahead
        ahead = 3600.0

    on_request(secondary, jump)
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
    await start(*_two(primary, secondary))

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
    entry = await start(*_two(primary, secondary))
    primary.faults.cut("torrents/add")
    assert [one["instance"] for one in (await add(hass, link(1)))["added"]] == ["Second"]
    assert entry.runtime_data.courier.queue.get(info_hash(1)).suspects == ("first",)
    primary.faults.clear()
    primary.add(link(1))
    await call(hass, "check_health")
    await work(entry)
    news = hass.states.get("event.qbittorrent_resilient_magnets")
    assert news is not None
    assert news.attributes["event_type"] == "duplicate"
