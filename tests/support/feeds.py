"""Feeds on a real HTTP server, followed by Home Assistant's own Feedreader."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
_NAMESPACES = " ".join(
    f"xmlns:{name}={quoteattr(uri)}"
    for name, uri in {
        "torrent": "http://xmlns.ezrss.it/0.1/",
        "torznab": "http://torznab.com/schemas/2015/feed",
        "newznab": "http://www.newznab.com/DTD/2010/feeds/attributes/",
        "nyaa": "https://nyaa.si/xmlns/nyaa",
        "content": "http://purl.org/rss/1.0/modules/content/",
        "media": "http://search.yahoo.com/mrss/",
        "dc": "http://purl.org/dc/elements/1.1/",
    }.items()
)


def item(inner: str, *, title: str = "An entry", number: int = 1) -> str:
    """Return one entry; the higher its number, the newer."""
    date = format_datetime(_BEGIN + timedelta(hours=number))
    return f"<item><title>{escape(title)}</title><pubDate>{date}</pubDate>{inner}</item>"


def rss(*items: str) -> str:
    """Return a feed."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {_NAMESPACES}><channel>'
        f"<title>A feed</title><link>http://x.example/</link>{''.join(items)}</channel></rss>"
    )


class Feeds:
    """A server whose feeds a test writes."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        text = self.texts[request.match_info["name"]]
        return web.Response(text=text, content_type="application/rss+xml")

    async def follow(self, hass: HomeAssistant, name: str = "rss") -> MockConfigEntry:
        """Have Feedreader follow a feed."""
        entry = MockConfigEntry(
            domain="feedreader",
            data={"url": f"{self.url}/{name}"},
            options={"max_entries": 1000},
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        return entry

    async def look_again(self, entry: MockConfigEntry) -> None:
        """Have Feedreader look now, as it does once an hour."""
        await entry.runtime_data.async_refresh()


@asynccontextmanager
async def feeds_served() -> AsyncGenerator[Feeds]:
    feeds = Feeds()
    app = web.Application()
    app.router.add_get("/{name}", feeds.serve)
    async with TestServer(app) as server:
        feeds.url = str(server.make_url("")).rstrip("/")
        yield feeds
