"""https on a port for http, and the other way round: the form says so, whatever the port does."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import socket

from aiohttp import web
from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import exchange
from tests.support.fake.dialect import V5_3
from tests.support.fake.server import FakeQBittorrent, tls
from tests.support.flow import all_fields, begin, finish, refused, submit

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn", "refused_handshakes")

PLAIN = "This port speaks plain HTTP. Enter the URL with http://, or the port that speaks HTTPS."
SECURE = "This port speaks HTTPS. Enter the URL with https://."
CERTIFICATE = "The server's certificate was not accepted."
NOTHING = b""
PAGE = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 13\r\n"
    b"Connection: close\r\n\r\n<html></html>"
)
"""nginx: The plain HTTP request was sent to HTTPS port."""
ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
HELLO = b"\x16"


async def nothing_here(request: web.BaseRequest) -> web.Response:
    return web.Response(status=404)


@asynccontextmanager
async def port(
    *, secure: bool, other: Callable[[socket.socket], None] | bytes
) -> AsyncGenerator[int]:
    """Yield a port that speaks http or https, and treats the other one in its own way."""
    loop = asyncio.get_running_loop()
    http = web.Server(nothing_here)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    kept: list[socket.socket] = []

    async def meet(peer: socket.socket) -> None:
        while not (first := await peek(peer)):
            await asyncio.sleep(0.01)
        if (first == HELLO) is secure:
            context = tls()[0] if secure else None
            await loop.connect_accepted_socket(http, peer, ssl=context)
        elif callable(other):
            other(peer)
        else:
            await loop.sock_recv(peer, 10_000)
            await loop.sock_sendall(peer, other)
            peer.close()

    async def peek(peer: socket.socket) -> bytes:
        try:
            return peer.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return b""

    async def accept() -> None:
        async with asyncio.TaskGroup() as meetings:
            while True:
                peer, _ = await loop.sock_accept(listener)
                kept.append(peer)
                meetings.create_task(meet(peer))

    accepting = asyncio.create_task(accept())
    try:
        yield listener.getsockname()[1]
    finally:
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)
        await http.shutdown(0.1)
        for one in (listener, *kept):
            one.close()


def hold(peer: socket.socket) -> None:
    """Wait for the end of a header that never comes, as Qt does."""


async def seen(hass: HomeAssistant, url: str, error: str) -> str:
    """Return what the form says was seen at this address."""
    async with FakeQBittorrent(V5_3) as server:
        fields = all_fields(server, url=url)
        form = await refused(hass, await begin(hass), fields, base=error)
        assert not server.requests
    told: str = form["description_placeholders"]["seen"]
    return told


@pytest.mark.parametrize("other", [NOTHING, PAGE, ALERT])
async def test_http_on_a_port_for_https(hass: HomeAssistant, other: bytes) -> None:
    async with port(secure=True, other=other) as number:
        assert await seen(hass, f"http://127.0.0.1:{number}/qbt", "ssl_error") == SECURE


@pytest.mark.parametrize("other", [NOTHING, PAGE, hold])
async def test_https_on_a_port_for_http(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    other: Callable[[socket.socket], None] | bytes,
) -> None:
    monkeypatch.setattr(exchange, "CONNECT_SECONDS", 1.0)
    async with port(secure=False, other=other) as number:
        assert await seen(hass, f"https://127.0.0.1:{number}/qbt", "ssl_error") == PLAIN


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_neither(hass: HomeAssistant, scheme: str) -> None:
    async with port(secure=scheme == "http", other=NOTHING) as number:
        async with port(secure=True, other=NOTHING) as free:
            pass
        told = await seen(hass, f"{scheme}://127.0.0.1:{free}", "cannot_connect")
        assert PLAIN != told != SECURE
        assert number != free


async def test_another_page_of_the_right_scheme(hass: HomeAssistant) -> None:
    async with port(secure=False, other=NOTHING) as number:
        told = await seen(hass, f"http://127.0.0.1:{number}", "not_qbittorrent")
        assert told != SECURE


async def test_the_certificate_is_not_the_port(hass: HomeAssistant) -> None:
    async with port(secure=True, other=PAGE) as number:
        told = await seen(hass, f"https://127.0.0.1:{number}", "ssl_error")
        assert told.startswith(CERTIFICATE)


@pytest.mark.parametrize("https", [True, False])
async def test_qbittorrent_itself(hass: HomeAssistant, https: bool) -> None:
    """With what the form says, it works."""
    async with FakeQBittorrent(V5_3, https=https) as server:
        wrong = server.url.replace("https:", "http:") if https else server.url.replace(":", "s:", 1)
        fields = all_fields(server, url=wrong, verify_ssl=False)
        form = await refused(hass, await begin(hass), fields, base="ssl_error")
        assert form["description_placeholders"]["seen"] == (SECURE if https else PLAIN)
        assert not [one for one in server.requests if one.path != "/" or "Cookie" in one.headers]
        await finish(hass, await submit(hass, form, fields | {"url": server.url}))
