"""Mixed real-world texts through each door: what is a link arrives whole, and nothing else does."""

import asyncio
from http import HTTPStatus
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.support.blueprints import URL, WEBHOOK, run
from tests.support.common import Start, eventually, instance, settled
from tests.support.delivered import delivered
from tests.support.fake.server import FakeQBittorrent
from tests.support.feeds import feeds_served, item, rss
from tests.support.mixed_links import Links

SEEDS = range(3)
TITLE = "A title"


@pytest.mark.parametrize("seed", SEEDS)
async def test_posts(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
    seed: int,
) -> None:
    """An answer is an error if, and only if, nothing was in the post."""
    hass.loop.set_debug(False)
    await start(instance("first", primary))
    assert await async_setup_component(hass, "persistent_notification", {})
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_client_no_auth()
    posts, links = [], Links(seed)
    for _ in range(60):
        before = len(links.expected)
        posts.append((links.post(), len(links.expected) - before))
    answers = await asyncio.gather(*(client.post(URL, **body) for body, _ in posts))
    for answer, (body, count) in zip(answers, posts, strict=True):
        told = await answer.json()
        assert (told.get("added", 0), told.get("failed", 0)) == (count, 0), body
        assert answer.status == (HTTPStatus.OK if count else HTTPStatus.UNPROCESSABLE_ENTITY)
    assert delivered(primary) == links.expected


@pytest.mark.parametrize("seed", SEEDS)
async def test_feeds(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """A torrent without a name gets the entry's title."""
    monkeypatch.setenv("no_proxy", "*")
    hass.loop.set_debug(False)
    await start(instance("first", primary))
    calls = await run(hass, tmp_path, "add_from_feed")
    links = Links(seed)
    items = [item(links.entry(), title=TITLE, number=number) for number in range(60)]
    async with feeds_served() as feeds:
        feeds.texts["rss"] = rss(*items)
        await feeds.follow(hass)
        await eventually(lambda: len(calls) == len(items), 60)
        await settled(hass)
    named = {(digits, name or TITLE, trackers) for digits, name, trackers in links.expected}
    assert delivered(primary) == named


async def test_texts(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """A text helper is empty after each that had a link; the others stay."""
    await start(instance("first", primary))
    limits = {"input_text": {"paste": {"max": 255}}}
    assert await async_setup_component(hass, "input_text", limits)
    await run(hass, tmp_path, "add_from_input_text", text="input_text.paste")
    links = Links(0)
    for _ in range(80):
        before = set(links.expected)
        text = links.text()
        if len(text) > 255 or "\n" in text:  # the state has no more than that
            links.expected = before
            continue
        data = {"entity_id": "input_text.paste", "value": text}
        await hass.services.async_call("input_text", "set_value", data, blocking=True)
        await settled(hass)
        state = hass.states.get("input_text.paste")
        assert state
        assert state.state == ("" if links.expected != before else text), text
    assert links.expected
    assert delivered(primary) == links.expected
