"""Where magnets are when the answer to an add was lost: asked for, never guessed."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from custom_components.qbittorrent_resilient.core.qbittorrent.client import SECOND_LOOK_SECONDS
from tests.support.actions import (
    Arrivals,
    add,
    call,
    fall_silent,
    look_away,
    on_request,
    sent,
    work,
)
from tests.support.common import (
    FakeClock,
    Start,
    eventually,
    first_and_second,
    info_hash,
    instance,
    link,
)
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

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
    await start(*first_and_second(primary, secondary))
    LOST[name](primary)
    response = await add(hass, link(1), link(2))
    assert [(one["instance"], one["status"]) for one in response["added"]] == [
        ("First", "added"),
        ("First", "added"),
    ]
    assert len(primary.adds) == 1
    assert not secondary.adds


async def test_lost_answer_and_silence_is_uncertain(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    entry = await start(*first_and_second(primary, secondary))
    fall_silent(primary)
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
    await start(*first_and_second(primary, secondary))
    fall_silent(primary)
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
    fall_silent(primary)
    await add(hass, link(1))
    look_away(primary)
    primary.torrents.delete([info_hash(1)])
    primary.faults.clear()
    clock.tick(60)
    looked: list[float] = []

    def look(received: Received) -> None:
        if received.endpoint == "torrents/info" and received.form.get("hashes"):
            looked.append(clock.ahead)
            if len(looked) == 2:
                primary.add(link(1))

    on_request(primary, look)
    (one,) = (await call(hass, "retry_queue"))["added"]
    assert one["status"] == "already_present"
    assert looked[1] - looked[0] == pytest.approx(SECOND_LOOK_SECONDS)
    assert len(primary.adds) == 1


async def test_server_that_comes_back_without_it_gets_it_again(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await start(*first_and_second(primary, secondary))
    fall_silent(primary)
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
    monkeypatch.setattr(batches, "ADD_MAGNETS", (5, 5))
    entry = await start(*first_and_second(primary, secondary))

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
    entry = await start(*first_and_second(primary, secondary))
    fall_silent(primary)
    for _ in range(2):
        (one,) = (await add(hass, link(1), queue=False))["failed"]
        assert one["reason"] == "unreachable"
        assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    assert not secondary.adds
    clock.tick(901)
    await work(entry)
    (one,) = (await add(hass, link(1), queue=False))["added"]
    assert (one["instance"], one["status"]) == ("Second", "added")
