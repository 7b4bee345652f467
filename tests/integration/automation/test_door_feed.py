"""Feeds as sites and indexers write them, read by Home Assistant's own Feedreader over HTTP."""

from collections.abc import AsyncGenerator
from html import escape
from pathlib import Path
from urllib.parse import quote

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from tests.support.blueprints import run, texts
from tests.support.common import Start, eventually, info_hash, instance, link, settled
from tests.support.delivered import delivered, torrent
from tests.support.fake.server import FakeQBittorrent
from tests.support.feeds import Feeds, feeds_served, item, rss

TRACKERS = ["http://t.example/a?key=1&x=2", "udp://t.example:6969"]
MAGNET = (
    f"magnet:?xt=urn:btih:{1:040x}&dn=Big%20%22Buck%22%20%26%20Bunny's%20%5B1080p%5D"
    + "".join(f"&tr={quote(one, safe='')}" for one in TRACKERS)
)
WRITTEN = escape(MAGNET)
BARE = f"magnet:?xt=urn:btih:{info_hash(1)}"
PAGE = "<link>http://x.example/page/1</link>"
FILE = '<enclosure url="http://x.example/1.torrent" type="application/x-bittorrent" length="1"/>'

ITEMS = {
    "link": f"<link>{WRITTEN}</link>",
    "enclosure": f'{PAGE}<enclosure url="{WRITTEN}" length="1" type="application/x-bittorrent"/>',
    "guid": f'{PAGE}<guid isPermaLink="false">{WRITTEN}</guid>',
    "guid that is the link": f"<guid>{WRITTEN}</guid>",
    "description": f"{PAGE}<description>{WRITTEN}</description>",
    "prose": f"{PAGE}<description>Take {WRITTEN} while it is there.</description>",
    "HTML": f"{PAGE}<description>{escape(f'<p><a href="{WRITTEN}">Magnet</a></p>')}</description>",
    "CDATA": f'{PAGE}<description><![CDATA[<a href="{WRITTEN}">x</a>]]></description>',
    "bare in CDATA": f"{PAGE}<description><![CDATA[{MAGNET}]]></description>",
    "content": f'<content:encoded><![CDATA[<a href="{WRITTEN}">x</a>]]></content:encoded>',
    "comments": f"{PAGE}<comments>{WRITTEN}</comments>",
    "magnetURI": f"{PAGE}{FILE}<torrent:magnetURI><![CDATA[{MAGNET}]]></torrent:magnetURI>",
    "magneturi": f"{PAGE}<magneturi>{WRITTEN}</magneturi>",
    "any name": f"{PAGE}<dc:whatever>{WRITTEN}</dc:whatever>",
    "torznab": f'{PAGE}<torznab:attr name="seeders" value="1"/>'
    f'<torznab:attr name="magneturl" value="{WRITTEN}"/>',
    "newznab": f'{PAGE}<newznab:attr name="magneturl" value="{WRITTEN}"/>',
    "several times": f"<link>{WRITTEN}</link><guid>{escape(BARE)}</guid>"
    f"<description>{escape(BARE)}</description><torrent:infoHash>{info_hash(1)}</torrent:infoHash>",
    "the poorer first": f"<link>{escape(BARE)}</link><guid>{escape(BARE)}</guid>"
    f"<description>{WRITTEN}</description>",
    "upper case": f"<link>{WRITTEN.replace('magnet:', 'MAGNET:')}</link>",
}


@pytest.fixture
async def feeds(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Feeds]:
    monkeypatch.setenv("no_proxy", "*")
    async with feeds_served() as served:
        yield served


@pytest.mark.parametrize("name", ITEMS)
async def test_every_field(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    feeds: Feeds,
    name: str,
) -> None:
    """The link arrives whole, once, and nothing else; entries without one are left alone."""
    await start(instance("first", primary))
    calls = await run(hass, tmp_path, "add_from_feed")
    none = item(f"{PAGE}{FILE}<description>Torrent</description>", title="None", number=2)
    feeds.texts["rss"] = rss(item(ITEMS[name]), none, item(f"<guid>{info_hash(3)}</guid>"))
    await feeds.follow(hass)
    await settled(hass)
    assert texts(calls) == ["Magnets taken: 1 added, 0 queued, 0 failed."]
    assert delivered(primary) == {torrent(MAGNET)}


@pytest.mark.parametrize(
    "inner",
    [
        f"<torrent:infoHash>{info_hash(1).upper()}</torrent:infoHash>",
        f"<nyaa:infoHash>{info_hash(1)}</nyaa:infoHash>",
        "<info_hash>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB</info_hash>",
        f"<btih> {info_hash(1)} </btih>",
        f'<torznab:attr name="infohash" value="{info_hash(1)}"/>',
        f'<guid isPermaLink="false">urn:btih:{info_hash(1)}</guid>',
        f"<link>{BARE}</link>",
    ],
)
async def test_only_a_hash(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    feeds: Feeds,
    inner: str,
) -> None:
    """The entry's title is the name."""
    await start(instance("first", primary))
    await run(hass, tmp_path, "add_from_feed")
    feeds.texts["rss"] = rss(item(inner, title="Debian & more"))
    await feeds.follow(hass)
    await settled(hass)
    assert delivered(primary) == {(info_hash(1), "Debian & more", ())}


async def test_atom(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path, feeds: Feeds
) -> None:
    await start(instance("first", primary))
    await run(hass, tmp_path, "add_from_feed")
    feeds.texts["rss"] = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><entry><title>B</title>'
        f'<id>urn:x:1</id><updated>2026-11-01T00:00:00Z</updated><link href="http://x.example/1"/>'
        f'<link rel="enclosure" type="application/x-bittorrent" href="{WRITTEN}"/></entry></feed>'
    )
    await feeds.follow(hass)
    await settled(hass)
    assert delivered(primary) == {torrent(MAGNET)}


async def test_new_entries(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path, feeds: Feeds
) -> None:
    """What is new at the next look; the feed itself or the title may rule entries out."""
    await start(instance("first", primary))
    calls = await run(
        hass, tmp_path, "add_from_feed", title_pattern="debian", feed_url=f"{feeds.url}/rss"
    )
    feeds.texts["rss"] = rss(item(f"<link>{link(1)}</link>".replace("&", "&amp;"), title="Debian"))
    feeds.texts["other"] = feeds.texts["rss"].replace(info_hash(1), info_hash(9))
    await feeds.follow(hass, "other")
    feed = await feeds.follow(hass)
    await eventually(lambda: len(calls) == 1)
    feeds.texts["rss"] = rss(
        *(
            item(f"<link>{escape(link(n))}</link>", title=title, number=n)
            for n, title in ((1, "Debian"), (2, "debian 13"), (3, "Arch"))
        )
    )
    await feeds.look_again(feed)
    await settled(hass)
    assert primary.hashes == {info_hash(1), info_hash(2)}


async def test_entries_that_came_while_home_assistant_started(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path, feeds: Feeds
) -> None:
    """Feedreader tells of them before any automation follows it, and never again."""
    hass.set_state(CoreState.not_running)
    await start(instance("first", primary))
    feeds.texts["rss"] = rss(item(f"<link>{WRITTEN}</link>"))
    await feeds.follow(hass)
    await run(hass, tmp_path, "add_from_feed")
    await hass.async_start()
    await settled(hass)
    assert delivered(primary) == {torrent(MAGNET)}


async def test_what_a_feed_says_is_not_rendered(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path, feeds: Feeds
) -> None:
    await start(instance("first", primary))
    await run(hass, tmp_path, "add_from_feed")
    title = "{{ states('x') }} [1, 2] %0a &tr=udp://evil.example #"
    feeds.texts["rss"] = rss(item(f"<info_hash>{info_hash(1)}</info_hash>", title=title))
    await feeds.follow(hass)
    await settled(hass)
    assert delivered(primary) == {(info_hash(1), title, ())}


@pytest.mark.parametrize(("wanted", "expected"), [(False, []), (True, ["No magnet was taken"])])
async def test_web_links(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    feeds: Feeds,
    wanted: bool,
    expected: list[str],
) -> None:
    """They are handed over if the user says so; the option that fetches them is off here."""
    await start(instance("first", primary))
    assert await async_setup_component(hass, "persistent_notification", {})
    calls = await run(hass, tmp_path, "add_from_feed", web_links=wanted)
    feeds.texts["rss"] = rss(item(f"{PAGE}{FILE}"))
    await feeds.follow(hass)
    await settled(hass)
    assert [one.partition(":")[0] for one in texts(calls)] == expected
    assert primary.hashes == set()
