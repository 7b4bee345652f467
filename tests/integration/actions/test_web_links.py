"""Web links in the place of magnets, through the actions: fetched, delivered, or said why not."""

import asyncio
from collections import Counter
import threading
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.qbittorrent_resilient.core.fetching import rounds
from custom_components.qbittorrent_resilient.core.fetching.lanes import BEGIN_AT_ONCE, Lanes
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from tests.support.actions import add, again, call, call_silently, hashes, queue, reasons, sent
from tests.support.common import Start, eventually, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.torrents import torrent
from tests.support.web_host import LOGIN_PAGE, WebHost

ON = {"fetch_links": True}


async def test_redirect_to_magnet(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    await start(instance("first", primary), options=ON)
    tracker = "&tr=http%3A%2F%2Ft.example%2Fannounce"
    response = await add(hass, host.redirect("/dl", link(7, extra=tracker)), category="linux")
    assert response["added"] == [
        {
            "info_hash": info_hash(7),
            "name": "Torrent 7",
            "instance": "First",
            "status": "added",
        }
    ]
    assert not response["failed"]
    assert not response["queued"]
    assert sent(primary) == [info_hash(7)]
    assert primary.requests_to("torrents/add")[0].form["category"] == "linux"
    assert await queue(hass) == {"queued": [], "failed": []}
    again = await add(hass, host.url("/dl"))
    assert [one["status"] for one in again["added"]] == ["already_present"]
    assert sent(primary) == [info_hash(7)]


async def test_torrent_file(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    """Its hash is known; where it is with its magnet in one call, it is added once."""
    await start(instance("first", primary), options=ON)
    made = torrent(1)
    url = host.give("/a.torrent", made.data)
    response = await add(hass, url, made.magnet, url)
    assert {*hashes(response["added"])} == {made.info_hash}
    statuses = sorted(one["status"] for one in response["added"])
    assert statuses == ["added", "already_present"]
    assert host.asked("/a.torrent") == 1
    assert len(primary.requests_to("torrents/add")) == 1


async def test_bad_ones_have_no_effect_on_others(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    await start(instance("first", primary), options=ON)
    given = [
        link(1),
        host.give("/login.torrent", LOGIN_PAGE),
        host.url("/gone.torrent"),
        host.give("/zip.torrent", b"PK\x03\x04" + bytes(100)),
        host.endless("/large.torrent"),
        host.bomb("/bomb.torrent", 64),
        host.redirect("/endless.torrent", "/endless.torrent"),
        host.redirect("/file.torrent", "file:///etc/passwd"),
        "http://169.254.169.254/latest/meta-data",
        host.give("/later.torrent", status=503),
        host.redirect("/good", link(2)),
    ]
    response = await add(hass, *given)
    assert {*hashes(response["added"])} == {info_hash(1), info_hash(2)}
    assert reasons(response["queued"]) == [(None, "later.torrent", "fetch")]
    assert [(one["index"], one["name"], one["reason"]) for one in response["failed"]] == [
        (1, "login.torrent", "not_a_torrent"),
        (2, "gone.torrent", "not_a_torrent"),
        (3, "zip.torrent", "not_a_torrent"),
        (4, "large.torrent", "too_large"),
        (5, "bomb.torrent", "too_large"),
        (6, "endless.torrent", "fetch_refused"),
        (7, "file.torrent", "fetch_refused"),
        (8, "meta-data", "fetch_refused"),
    ]
    assert all(one["info_hash"] is None for one in response["failed"])
    for sensor, count in (("queued", "1"), ("failed", "8")):
        name = f"sensor.qbittorrent_resilient_{sensor}_magnets"
        await eventually(lambda name=name, count=count: hass.states.is_state(name, count))
    waiting = await queue(hass)
    assert reasons(waiting["queued"]) == [(None, "later.torrent", "fetch")]
    assert waiting["queued"][0]["attempts"] == 1
    assert len(waiting["failed"]) == 8
    assert all(one["failed_at"] for one in waiting["failed"])


async def test_not_to_be_queued(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    await start(instance("first", primary), options=ON)
    later, never = host.give("/later", status=503), host.give("/never", LOGIN_PAGE)
    response = await add(hass, later, never, queue=False)
    assert [(one["name"], one["reason"]) for one in response["failed"]] == [
        ("later", "fetch"),
        ("never", "not_a_torrent"),
    ]
    assert await queue(hass) == {"queued": [], "failed": []}
    with pytest.raises(HomeAssistantError):
        await call_silently(hass, "add_magnets", magnets=[never], queue=False)


async def test_slow_host_holds_up_no_other(
    hass: HomeAssistant,
    names: None,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What can be fetched is delivered while another host hangs; that one is given up in time."""
    monkeypatch.setattr(rounds, "CALL_SECONDS", 4.0)
    await start(instance("first", primary), options=ON)
    hanging = [host.hang(f"/{number}") for number in range(20)]
    host.redirect("/good", link(1))
    good = host.url("/good", host="localhost")
    calling = asyncio.create_task(add(hass, *hanging, good))
    await eventually(lambda: sent(primary) == [info_hash(1)])
    assert not calling.done()
    response = await calling
    assert hashes(response["added"]) == [info_hash(1)]
    assert [one["reason"] for one in response["queued"]] == ["fetch"] * 20


async def test_late_fetch_is_delivered_after_the_call(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "CALL_SECONDS", 0.2)
    await start(instance("first", primary), options=ON)
    url = host.hang("/slow")
    response = await add(hass, url)
    assert reasons(response["queued"]) == [(None, "slow", "fetch")]
    host.redirect("/slow", link(1))
    host.close()  # the first request is answered by an error
    await settled(hass)
    assert sent(primary) == []
    assert reasons((await queue(hass))["queued"]) == [(None, "slow", "fetch")]
    response = await call(hass, "retry_queue")
    assert hashes(response["added"]) == [info_hash(1)]
    assert sent(primary) == [info_hash(1)]


async def test_given_up_by_one_call_and_queued_by_another(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a call was told to wait is not given up with the call that fetches it."""
    monkeypatch.setattr(rounds, "CALL_SECONDS", 1.0)
    await start(instance("first", primary), options=ON)
    url = host.hang("/slow")
    impatient = asyncio.create_task(add(hass, url, queue=False))
    await eventually(lambda: host.asked("/slow") == 1)
    patient = asyncio.create_task(add(hass, url))
    assert reasons((await impatient)["queued"]) == [(None, "slow", "fetch")]
    assert reasons((await patient)["queued"]) == [(None, "slow", "fetch")]
    assert reasons((await queue(hass))["queued"]) == [(None, "slow", "fetch")]


async def test_not_to_be_queued_beside_one_that_waits(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not fetched has failed, even if it is said so late."""
    monkeypatch.setattr(rounds, "CALL_SECONDS", 1.0)
    entry = await start(instance("first", primary), options=ON)
    may_deliver, links = asyncio.Event(), entry.runtime_data.dispatcher.links
    deliver = links._hand_over._deliver

    async def deliver_late(*args: Any, **more: Any) -> Any:
        await may_deliver.wait()
        return await deliver(*args, **more)

    monkeypatch.setattr(links._hand_over, "_deliver", deliver_late)
    gone = host.url("/gone.torrent")
    calling = asyncio.create_task(
        add(
            hass,
            host.redirect("/good", link(1)),
            host.give("/later", status=500),
            gone,
            queue=False,
        )
    )
    await eventually(lambda: links._hand_over.under_way)
    await eventually(lambda: host.asked("/later") and host.asked("/gone.torrent"))
    await asyncio.sleep(1.5)
    may_deliver.set()
    response = await calling
    assert hashes(response["added"]) == [info_hash(1)]
    assert reasons(response["failed"]) == [
        (None, "later", "fetch"),
        (None, "gone.torrent", "not_a_torrent"),
    ]
    assert await queue(hass) == {"queued": [], "failed": []}


async def test_given_to_be_queued_while_it_is_delivered_for_a_call_that_does_not(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = await start(instance("first", primary), options=ON)
    may_deliver, links = asyncio.Event(), entry.runtime_data.dispatcher.links
    deliver = links._hand_over._deliver

    async def deliver_late(*args: Any, **more: Any) -> Any:
        await may_deliver.wait()
        return await deliver(*args, **more)

    monkeypatch.setattr(links._hand_over, "_deliver", deliver_late)
    url = host.redirect("/a", link(1))
    impatient = asyncio.create_task(add(hass, url, queue=False))
    await eventually(lambda: links._hand_over.under_way)
    patient = asyncio.create_task(add(hass, url))
    (key,) = links._hand_over.under_way
    await eventually(lambda: (job := links.job(key)) is not None and job.keep)
    primary.faults.cut()
    may_deliver.set()
    await impatient
    assert not (await patient)["failed"]
    assert len((await queue(hass))["queued"]) == 1
    primary.faults.clear()
    await call(hass, "retry_queue")
    await eventually(lambda: sent(primary) == [info_hash(1)])


async def test_removed_right_before_it_is_delivered(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = await start(instance("first", primary), options=ON)
    files = entry.runtime_data.dispatcher.torrent_files
    removed: list[Any] = []
    write = files._write

    def remove_meanwhile(name: str, data: bytes) -> None:
        write(name, data)
        action = call(hass, "remove_magnets", all=True)
        removed.append(asyncio.run_coroutine_threadsafe(action, hass.loop).result())

    monkeypatch.setattr(files, "_write", remove_meanwhile)
    response = await add(hass, host.give("/a.torrent", torrent(1).data))
    assert removed == [{"removed": [None]}]
    assert reasons(response["failed"]) == [(None, "a.torrent", "removed")]
    await settled(hass)
    assert sent(primary) == []
    assert await queue(hass) == {"queued": [], "failed": []}
    assert not files._folder.sizes()


async def test_many_hold_up_nothing(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thousands are prepared in a thread, and begun a few at a time, by a call and at a start."""
    monkeypatch.setattr(rounds, "CALL_SECONDS", 0.2)
    turn, turns = 0, Counter[int]()
    threads: set[int] = set()
    as_magnet, at = WebLink.as_magnet, Lanes.at

    def noted(link: WebLink) -> Magnet:
        threads.add(threading.get_ident())
        return as_magnet(link)

    def lane(lanes: Lanes, host: str) -> Any:
        turns[turn] += 1
        return at(lanes, host)

    async def take_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(WebLink, "as_magnet", noted)
    monkeypatch.setattr(Lanes, "at", lane)
    entry = await start(instance("first", primary), options=ON)
    counting = asyncio.create_task(take_turns())
    given = [f"http://127.0.0.1:1/{number}?passkey={'x' * 64}" for number in range(2000)]
    await add(hass, *given)
    assert threading.get_ident() not in threads
    assert turns.total() == len(given)
    assert max(turns.values()) <= BEGIN_AT_ONCE
    turns.clear()
    await again(hass, entry)
    await eventually(lambda: turns.total() >= len(given))
    counting.cancel()
    assert max(turns.values()) <= BEGIN_AT_ONCE
