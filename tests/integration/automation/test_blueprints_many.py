"""The blueprints for webhook and feed under load: what was answered with success is not lost."""

import asyncio
from http import HTTPStatus
from pathlib import Path
import time
from typing import Any
from urllib.parse import quote

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.qbittorrent_resilient.doors import webhook
from tests.support.actions import call
from tests.support.automations import Calls
from tests.support.blueprints import FORM, URL, WEBHOOK, run, runs, texts
from tests.support.common import Start, eventually, info_hash, instance, link
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.timeout(300)

MANY = 5_000
POSTS, ENTRIES = 320, 600
PATIENCE = 240.0
"""Seconds for all of them on a busy machine; it is 5 to 60."""
TRACKERS = "".join(
    f"&tr={quote(f'http://tracker{n}.example:6969/announce', safe='')}" for n in range(4)
)


def long_link(number: int) -> str:
    return link(number, extra=TRACKERS)


def expected(count: int) -> set[str]:
    return {info_hash(number) for number in range(1, count + 1)}


def links(count: int) -> list[str]:
    return [long_link(number) for number in range(1, count + 1)]


async def on_the_books(hass: HomeAssistant) -> set[str]:
    """Return what is queued, or has failed."""
    books = await call(hass, "get_queue")
    return {one["info_hash"] for some in ("queued", "failed") for one in books[some]}


async def at_rest(hass: HomeAssistant) -> None:
    """Wait until the automation has ended."""
    await eventually(lambda: not runs(hass), PATIENCE)
    await hass.async_block_till_done()


async def ready(hass: HomeAssistant, start: Start, server: FakeQBittorrent) -> MockConfigEntry:
    hass.loop.set_debug(False)  # it doubles the time
    assert await async_setup_component(hass, "webhook", {})
    assert await async_setup_component(hass, "persistent_notification", {})
    entry: MockConfigEntry = await start(instance("first", server))
    return entry


# aiohttp takes no form with more than 1,000 fields, and a bare link is taken apart into six.
BODIES: dict[str, tuple[int, dict[str, Any]]] = {
    "list": (MANY, {"json": {"magnets": links(MANY)}}),
    "lines": (MANY, {"json": {"magnets": "\n".join(links(MANY))}}),
    "one line": (MANY, {"json": {"magnets": " ".join(links(MANY))}}),
    "glued": (MANY, {"json": "".join(links(MANY))}),
    "form": (MANY, {"data": {"magnets": "\r\n".join(links(MANY))}}),
    "fields": (1_000, {"data": [("magnets", one) for one in links(1_000)]}),
    "bare": (150, {"data": "\n".join(links(150)), "headers": FORM}),
    "bare and glued": (150, {"data": "".join(links(150)), "headers": FORM}),
}


@pytest.mark.parametrize("body", BODIES)
async def test_many_links_in_one_post(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
    body: str,
) -> None:
    count, sent = BODIES[body]
    await ready(hass, start, primary)
    calls = await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    answer = await client.post(URL, **sent)
    assert answer.status == HTTPStatus.OK
    await at_rest(hass)
    assert primary.hashes == expected(count)
    assert texts(calls) == [f"Magnets taken: {count} added, 0 queued, 0 failed."]


async def test_many_posts_at_once(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await ready(hass, start, primary)
    calls = await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    answers = await asyncio.gather(
        *(client.post(URL, json={"magnets": [one]}) for one in links(POSTS))
    )
    assert {one.status for one in answers} == {HTTPStatus.OK}
    await at_rest(hass)
    assert primary.hashes == expected(POSTS)
    assert len(calls) == POSTS


async def test_many_posts_while_no_server_takes_them(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await ready(hass, start, primary)
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    await primary.refuse()
    client = await hass_client_no_auth()
    await asyncio.gather(*(client.post(URL, data=one, headers=FORM) for one in links(POSTS)))
    await at_rest(hass)
    assert await on_the_books(hass) == expected(POSTS)


async def test_many_new_entries_of_a_feed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """Feedreader tells of all of them in one go."""
    await ready(hass, start, primary)
    calls = await run(hass, tmp_path, "add_from_feed")
    for number in range(1, ENTRIES + 1):
        entry = {"feed_url": "http://x.example/rss", "title": "x", "link": long_link(number)}
        hass.bus.async_fire("feedreader", entry)
    await eventually(lambda: len(calls) == ENTRIES, PATIENCE)
    await at_rest(hass)
    assert primary.hashes == expected(ENTRIES)


async def test_many_links_in_one_entry(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await ready(hass, start, primary)
    calls = await run(hass, tmp_path, "add_from_feed")
    text = "".join(f"<p><a href='{one}'>x</a></p>" for one in links(MANY))
    entry = {"feed_url": "http://x.example/rss", "title": "x", "content": [{"value": text}]}
    hass.bus.async_fire("feedreader", entry)
    await eventually(lambda: calls, PATIENCE)
    await at_rest(hass)
    assert primary.hashes == expected(MANY)
    assert texts(calls) == [f"Magnets taken: {MANY} added, 0 queued, 0 failed."]


def notes(hass: HomeAssistant) -> list[str]:
    """Return the texts of the notifications in Home Assistant's own list."""
    return [one["message"] for one in hass.data["persistent_notification"].values()]


async def test_what_is_refused_is_told(
    hass: HomeAssistant,
    start: Start,
    phone: Calls,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Without a phone, too; and what stands beside it is taken."""
    await ready(hass, start, primary)
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    await client.post(URL, json={"magnets": ["nothing"]})
    await at_rest(hass)
    text = "None of them is valid, or they could not be stored. The log has the reason."
    assert notes(hass) == [text]
    assert [one.data["message"] for one in phone] == [text]
    long = ["\U000e0001" * 30_000, f"{link(2)}&x={'y' * 300_000}"]
    await client.post(URL, json={"magnets": [link(1), *long, *links(MANY)[2:]]})
    await at_rest(hass)
    assert primary.hashes == expected(MANY) - {info_hash(2)}
    assert f"{MANY - 1} added, 0 queued, " in phone[1].data["message"]


async def test_posts_while_the_integration_is_loaded_again(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    entry = await ready(hass, start, primary)
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    assert await hass.config_entries.async_unload(entry.entry_id)
    async with asyncio.TaskGroup() as group:
        post = group.create_task(client.post(URL, json={"magnets": [link(1)]}))
        await eventually(lambda: waits(hass))
        assert await hass.config_entries.async_setup(entry.entry_id)
    assert (post.result().status, primary.hashes) == (HTTPStatus.OK, expected(1))


async def test_posts_while_the_integration_is_not_loaded(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error is answered, and the one who posts knows that it has to be posted again."""
    entry = await ready(hass, start, primary)
    calls = await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    assert await hass.config_entries.async_unload(entry.entry_id)
    monkeypatch.setattr(webhook, "LOADED_SECONDS", 0.01)
    answer = await client.post(URL, json={"magnets": [link(1)]})
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "error" in await answer.json()
    assert (calls, runs(hass)) == ([], 0)


async def test_entries_while_the_integration_is_loaded_again(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    entry = await ready(hass, start, primary)
    calls = await run(hass, tmp_path, "add_from_feed")
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire("feedreader", {"title": "x", "link": link(1)})
    await eventually(lambda: waits(hass))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: calls)
    assert primary.hashes == expected(1)


def waits(hass: HomeAssistant) -> bool:
    """Tell whether somebody waits for the integration to be loaded."""
    return bool(hass.data["dispatcher"].get(SIGNAL_CONFIG_ENTRY_CHANGED))


async def test_a_post_of_a_megabyte_of_blanks_holds_nothing_up(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await ready(hass, start, primary)
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    began = time.monotonic()
    await client.post(URL, json={"magnets": " " * 1_000_000 + "\n" * 100_000 + link(1)})
    await at_rest(hass)
    assert primary.hashes == expected(1)
    assert time.monotonic() - began < 60  # it is about 1 s; a quadratic search takes hours
