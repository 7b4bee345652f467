"""The blueprints that add magnets: from a text field, a feed, a webhook."""

from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.support.actions import add_forms, call
from tests.support.automations import Calls
from tests.support.blueprints import WEBHOOK, run, texts
from tests.support.common import Start, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent


async def text_field(hass: HomeAssistant) -> None:
    config = {"input_text": {"paste": {"max": 255}}}
    assert await async_setup_component(hass, "input_text", config)


async def write(hass: HomeAssistant, value: str) -> None:
    await hass.services.async_call(
        "input_text", "set_value", {"entity_id": "input_text.paste", "value": value}, blocking=True
    )
    await settled(hass)


async def test_add_from_input_text(
    hass: HomeAssistant,
    start: Start,
    phone: Calls,
    primary: FakeQBittorrent,
    tmp_path: Path,
) -> None:
    """Cleared once it is taken; other text is left alone, and so is a link that is none."""
    await start(instance("first", primary))
    await text_field(hass)
    calls = await run(
        hass, tmp_path, "add_from_input_text", text="input_text.paste", category="linux"
    )
    await write(hass, f"{link(1)} {link(2)}")
    assert primary.hashes == {info_hash(1), info_hash(2)}
    assert {one["category"] for one in add_forms(primary)} == {"linux"}
    assert hass.states.is_state("input_text.paste", "")
    assert texts(calls) == ["Magnets taken: 2 added, 0 queued, 0 failed."]
    assert [one.data["title"] for one in phone] == ["Magnets taken"]
    await write(hass, "something else")
    assert hass.states.is_state("input_text.paste", "something else")
    await write(hass, "magnet:?bogus")
    assert hass.states.is_state("input_text.paste", "magnet:?bogus")
    assert len(calls) == 2
    assert texts(calls)[1].startswith("No magnet was taken: None of them is valid")


async def test_add_from_input_text_queued(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """What is queued is taken, too; without a category the server's default holds."""
    await start(instance("first", primary, defaults={"category": "own"}))
    await text_field(hass)
    calls = await run(hass, tmp_path, "add_from_input_text", text="input_text.paste")
    await primary.refuse()
    await write(hass, link(1))
    assert hass.states.is_state("input_text.paste", "")
    assert texts(calls) == ["Magnets taken: 0 added, 1 queued, 0 failed."]
    await primary.listen()
    await call(hass, "retry_queue")
    assert [one["category"] for one in add_forms(primary)] == ["own"]


def entry_of(feed: str, **fields: Any) -> dict[str, Any]:
    return {"feed_url": feed, "title": "Debian 13 netinst"} | fields


async def test_add_from_feed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """Wherever an entry has its link."""
    await start(instance("first", primary))
    calls = await run(hass, tmp_path, "add_from_feed")
    escaped = link(4).replace("&", "&amp;")
    for fields in (
        {"link": link(1)},
        {"link": "http://x.example/1", "links": [{"href": link(2), "rel": "enclosure"}, {}]},
        {"torrent_magneturi": link(3)},
        {"summary": f'See <a href="{escaped}">this</a>, and {link(5)} as well.'},
        {"content": [{"value": f"<p>{link(6)}</p>"}], "link": link(6)},
        {"link": "http://x.example/2.torrent", "summary": "No link"},
        {},
    ):
        hass.bus.async_fire("feedreader", entry_of("http://x.example/rss", **fields))
    await settled(hass)
    assert primary.hashes == {info_hash(number) for number in range(1, 7)}
    links = [each for one in add_forms(primary) for each in one["urls"].splitlines()]
    names = [parse_qs(one.removeprefix("magnet:?")).get("dn") for one in links]
    assert ["Torrent 4"] in names
    assert len(calls) == 5


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, {1, 2, 3}),
        ({"feed_url": "http://one.example/rss"}, {1, 2}),
        ({"title_pattern": "debian|arch"}, {1, 3}),
        ({"feed_url": "http://one.example/rss", "title_pattern": "DEBIAN"}, {1}),
    ],
)
async def test_feeds_and_titles(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    inputs: dict[str, str],
    expected: set[int],
) -> None:
    await start(instance("first", primary))
    await run(hass, tmp_path, "add_from_feed", **inputs)
    one, two = "http://one.example/rss", "http://two.example/rss"
    for number, feed, title in ((1, one, "Debian 13"), (2, one, "Fedora"), (3, two, "Arch")):
        hass.bus.async_fire("feedreader", entry_of(feed, title=title, link=link(number)))
    await settled(hass)
    assert primary.hashes == {info_hash(number) for number in expected}


async def test_feed_requires_the_vpn_where_it_is_wanted(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await start(instance("first", primary))
    calls = await run(hass, tmp_path, "add_from_feed", require_vpn=True)
    hass.bus.async_fire("feedreader", entry_of("http://x.example/rss", link=link(1)))
    await settled(hass)
    assert primary.hashes == set()
    assert texts(calls) == ["Magnets taken: 0 added, 1 queued, 0 failed."]


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"magnets": [link(1), link(2)]}},
        {"json": {"magnets": f"{link(1)}\n{link(2)}"}},
        {"json": [link(1), link(2)]},
        {"json": f"{link(1)} {link(2)}"},
        {"data": {"magnets": f"{link(1)}\r\n{link(2)}"}},
        {"data": [("magnets", link(1)), ("magnets", link(2))]},
    ],
)
async def test_add_by_webhook(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
    body: dict[str, Any],
) -> None:
    await start(instance("first", primary))
    assert await async_setup_component(hass, "webhook", {})
    calls = await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    answer = await client.post("/api/webhook/not-to-be-guessed", **body)
    assert answer.status == HTTPStatus.OK
    await settled(hass)
    assert primary.hashes == {info_hash(1), info_hash(2)}
    assert texts(calls) == ["Magnets taken: 2 added, 0 queued, 0 failed."]


async def test_bare_link_by_webhook(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """As `curl -d` posts it: with its name and trackers, though it looks like a form."""
    await start(instance("first", primary))
    assert await async_setup_component(hass, "webhook", {})
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    tracker = "http%3A%2F%2Ft.example%2Fa%3Fkey%3D1"
    bare = link(1, name="A%26B+C", extra=f"&tr={tracker}&tr={tracker}2")
    await client.post("/api/webhook/not-to-be-guessed", data=bare, headers=form)
    await settled(hass)
    assert primary.hashes == {info_hash(1)}
    (sent,) = (one["urls"] for one in add_forms(primary))
    assert parse_qs(sent.removeprefix("magnet:?")) == parse_qs(bare.removeprefix("magnet:?"))


async def test_nothing_valid_by_webhook(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await start(instance("first", primary))
    assert await async_setup_component(hass, "persistent_notification", {})
    calls = await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    bodies: list[dict[str, Any]] = [{"json": {}}, {"json": []}, {"data": {}}, {"data": {"a": "b"}}]
    for body in bodies:
        await client.post("/api/webhook/not-to-be-guessed", **body)
        await settled(hass)
    assert len(calls) == len(bodies)
    assert all(one.startswith("No magnet was taken") for one in texts(calls))
    await client.post(
        "/api/webhook/not-to-be-guessed", json={"magnets": [link(1), "http://x.example/a.torrent"]}
    )
    await settled(hass)
    assert texts(calls)[-1] == "Magnets taken: 1 added, 0 queued, 0 failed."
    await client.post("/api/webhook/not-to-be-guessed", json=[link(1), "magnet:?xt=urn:btih:1"])
    await settled(hass)
    assert texts(calls)[-1] == "Magnets taken: 1 added, 0 queued, 1 failed (invalid magnet)."


@pytest.mark.parametrize(("local_only", "expected"), [(None, set()), (False, {info_hash(1)})])
async def test_webhook_from_the_internet(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    local_only: bool | None,
    expected: set[str],
) -> None:
    await start(instance("first", primary))
    assert await async_setup_component(hass, "webhook", {})
    inputs = WEBHOOK | ({} if local_only is None else {"local_only": local_only})
    await run(hass, tmp_path, "add_from_webhook", **inputs)
    client = await hass_client_no_auth()
    monkeypatch.setattr("aiohttp.web_request.BaseRequest.remote", "203.0.113.9")
    await client.post("/api/webhook/not-to-be-guessed", json={"magnets": [link(1)]})
    await settled(hass)
    assert primary.hashes == expected
