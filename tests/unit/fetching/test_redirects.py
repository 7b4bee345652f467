"""Where redirects lead, in the bytes that real servers write."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import ssl
from typing import Any
from urllib.parse import quote

import pytest

from custom_components.qbittorrent_resilient.core.fetching.fetcher import Fetcher
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from tests.support.common import info_hash, link
from tests.support.web_host import Names, web_host

pytestmark = pytest.mark.usefixtures("socket_enabled")


@asynccontextmanager
async def redirects(location: str) -> AsyncGenerator[str]:
    """Run a server that redirects there; lone surrogates stand for bytes that are no UTF-8."""
    there = location.encode(errors="surrogateescape")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % there)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"


async def fetch(url: str) -> Any:
    fetcher = Fetcher(Names(), ssl.create_default_context(), asyncio.to_thread, user_agent="test")
    return await fetcher.fetch(WebLink.parse(url))


@pytest.mark.parametrize(
    ("location", "name"),
    [
        pytest.param(link(7, name="caf\udce9"), "caf\ufffd", id="no UTF-8"),
        pytest.param(link(7, name="café"), "café", id="UTF-8"),
        pytest.param(quote(link(7), safe=""), "Torrent 7", id="percent-encoded"),
        pytest.param(link(7).replace("magnet:?", "MAGNET:///?"), "Torrent 7", id="slashes"),
    ],
)
async def test_magnet_in_any_spelling(location: str, name: str) -> None:
    async with redirects(location) as url:
        fetched = await fetch(url)
    assert isinstance(fetched.found, Magnet)
    assert (str(fetched.found), fetched.found.name) == (info_hash(7), name)


async def test_path_that_is_no_utf8() -> None:
    """It is asked for byte by byte as it was told."""
    async with web_host() as host, redirects(host.url("/caf\udce9")) as url:
        await fetch(url)
    assert [one.raw_path for one in host.requests] == ["/caf%E9"]
