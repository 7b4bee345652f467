"""One link is fetched from a real web server, and each bad answer gets its own verdict."""

import asyncio
from collections.abc import AsyncGenerator
import gzip
import logging
from pathlib import Path
import ssl

from aiohttp import web
import pytest
from pytest_socket import socket_allow_hosts

from custom_components.qbittorrent_resilient.core.fetching import fetcher as module, guard
from custom_components.qbittorrent_resilient.core.fetching.addresses import Reach, reach_of
from custom_components.qbittorrent_resilient.core.fetching.fetcher import (
    MOST_BYTES,
    MOST_REDIRECTS,
    Fetched,
    NotEver,
    NotNow,
)
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Reason
from custom_components.qbittorrent_resilient.core.qbittorrent.proxy import basic
from custom_components.qbittorrent_resilient.core.torrent_file import read_torrent
from tests.support.common import info_hash, link
from tests.support.fetching import fetch, reason
from tests.support.harness.certificate import self_signed
from tests.support.torrents import torrent
from tests.support.web_host import LOGIN_PAGE, Names, WebHost, web_host

OUTSIDE = "127.0.0.2"
"""Counts as an address outside in these tests."""
DATA = torrent(1).data


@pytest.fixture
async def host() -> AsyncGenerator[WebHost]:
    async with web_host() as host:
        yield host


@pytest.fixture
async def outside(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[WebHost]:
    """Return a server outside."""
    socket_allow_hosts(["127.0.0.1", OUTSIDE], allow_unix_socket=True)
    monkeypatch.setattr(
        guard, "reach_of", lambda host: Reach.OUTSIDE if host == OUTSIDE else reach_of(host)
    )
    async with web_host(OUTSIDE) as host:
        yield host


async def test_torrent_file(host: WebHost) -> None:
    url = host.give("/a.torrent", torrent(1, tracker="udp://t.example").data)
    assert await fetch(url) == Fetched(read_torrent(torrent(1, tracker="udp://t.example").data))
    sent = host.requests[0].headers
    assert sent["User-Agent"] == "test"
    assert not sent.keys() & {"Cookie", "Authorization", "Referer"}


async def test_certificate_that_is_not_accepted(tmp_path: Path) -> None:
    """It may be renewed, and the clock of a small computer may be wrong after its start."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*self_signed(tmp_path, ["127.0.0.1"]))
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.torrent"
        assert await fetch(url) == NotNow("its certificate is not accepted")


async def test_redirect_to_magnet(host: WebHost) -> None:
    tracker = "&tr=http%3A%2F%2Ft.example%2Fannounce"
    found = await fetch(host.redirect("/dl", link(7, extra=tracker)))
    assert found == Fetched(Magnet.parse(link(7, extra=tracker)))
    assert found.found.info_hash == info_hash(7)


async def test_redirects_are_followed(host: WebHost) -> None:
    host.give(f"/{MOST_REDIRECTS}", DATA)
    for number, status in enumerate((301, 302, 303, 307, 308)):
        host.redirect(f"/{number}", f"/{number + 1}", status)
    assert (await fetch(host.url("/0"))).found.data == DATA


async def test_one_redirect_more(host: WebHost) -> None:
    for number in range(MOST_REDIRECTS + 1):
        host.redirect(f"/{number}", f"/{number + 1}")
    assert await reason(host.url("/0")) is Reason.FETCH_REFUSED
    assert host.asked(f"/{MOST_REDIRECTS}")
    assert not host.asked(f"/{MOST_REDIRECTS + 1}")


async def test_endless_redirect(host: WebHost) -> None:
    assert await reason(host.redirect("/a", "/a")) is Reason.FETCH_REFUSED
    assert len(host.requests) == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://t.example/x", "data:text/plain,x", "javascript:x"],
)
async def test_redirect_to_what_is_no_web_link(host: WebHost, location: str) -> None:
    assert await reason(host.redirect("/a", location)) is Reason.FETCH_REFUSED


async def test_redirect_to_bad_magnet(host: WebHost) -> None:
    assert await reason(host.redirect("/a", "magnet:?dn=x")) is Reason.NOT_A_TORRENT


@pytest.mark.parametrize(
    "body",
    [LOGIN_PAGE, "", "PK\x03\x04" + "x" * 100, "\0" * 1000, "d4:infod", '{"error": "no such id"}'],
    ids=["login", "empty", "zip", "zeros", "torn", "json"],
)
async def test_no_torrent(host: WebHost, body: str) -> None:
    assert await reason(host.give("/a.torrent", body)) is Reason.NOT_A_TORRENT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, Reason.NOT_A_TORRENT) for status in (204, 300, 400, 404, 410, 418)),
        *((status, Reason.FETCH_REFUSED) for status in (401, 403)),
        *((status, "passing") for status in (407, 408, 425, 429, 500, 502, 503, 504, 520)),
    ],
)
async def test_statuses(host: WebHost, status: int, expected: Reason | str) -> None:
    assert await reason(host.give("/a", LOGIN_PAGE, status=status)) == expected


@pytest.mark.parametrize(("status", "seconds"), [(429, 90.0), (503, 90.0), (500, 0.0)])
async def test_host_says_when_it_may_be_asked_again(
    host: WebHost, status: int, seconds: float
) -> None:
    url = host.give("/a", status=status, Retry_After="90")
    assert await fetch(url) == NotNow(f"HTTP {status}", seconds)


async def test_host_says_it_as_a_time_by_its_own_clock(host: WebHost) -> None:
    headers = {
        "Retry_After": "Wed, 21 Oct 2015 07:30:00 GMT",
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
    }
    assert await fetch(host.give("/a", status=429, **headers)) == NotNow("HTTP 429", 120.0)


async def test_redirect_that_leads_nowhere(host: WebHost) -> None:
    assert await reason(host.give("/a", status=302)) is Reason.FETCH_REFUSED


async def test_endless_body(host: WebHost) -> None:
    """What 10 GB would be: not more is read than a torrent file may have."""
    assert await reason(host.endless("/a")) is Reason.TOO_LARGE
    assert MOST_BYTES <= host.sent < 3 * MOST_BYTES


async def test_bomb(host: WebHost) -> None:
    assert await reason(host.bomb("/a", 64)) is Reason.TOO_LARGE


async def test_longest_body(host: WebHost, monkeypatch: pytest.MonkeyPatch) -> None:
    data = torrent(1, tracker="http://t.example/" + "x" * 1000).data
    monkeypatch.setattr(module, "MOST_BYTES", len(data))
    assert await reason(host.give("/a", data)) == "fetched"
    assert await reason(host.give("/a", gzip.compress(data), Content_Encoding="gzip")) == "fetched"
    monkeypatch.setattr(module, "MOST_BYTES", len(data) - 1)
    assert await reason(host.give("/b", data)) is Reason.TOO_LARGE
    half = len(data) // 2
    for number, zipped in enumerate(
        (
            gzip.compress(bytes(len(data))),
            gzip.compress(bytes(half)) + gzip.compress(bytes(len(data) - half)),
        )
    ):
        url = host.give(f"/c{number}", zipped, Content_Encoding="gzip")
        assert await reason(url) is Reason.TOO_LARGE


async def test_no_connection(host: WebHost) -> None:
    async with web_host() as gone:
        url = gone.url("/a")
    assert await reason(url) == "passing"
    assert await reason("http://unknown.example/a") == "passing"
    assert await reason(host.url("/a").replace("http", "https")) == "passing"


async def test_torn_body(host: WebHost) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(DATA)
        assert request.transport is not None
        request.transport.close()
        return answer

    assert await reason(host.at("/a", handle)) == "passing"


async def test_not_http() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n" * 10)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await reason(f"http://127.0.0.1:{port}/a") == "passing"


async def test_slow_host(host: WebHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs, or sends a byte now and then, has so much time in all."""
    monkeypatch.setattr(module, "FETCH_SECONDS", 0.3)

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"d")
            await asyncio.sleep(0.01)

    assert await reason(host.hang("/a")) == "passing"
    assert await reason(host.at("/b", drip)) == "passing"


async def test_cookies_are_not_kept(host: WebHost) -> None:
    host.give("/b", DATA)
    await fetch(host.give("/a", status=302, Location="/b", Set_Cookie="s=1"))
    assert "Cookie" not in host.requests[1].headers


async def test_login_stays_at_its_host(host: WebHost) -> None:
    """What stands before the host is the login there, also after a redirect, and nowhere else."""
    async with web_host() as other:
        other.give("/c", DATA)
        host.redirect("/a", "/b")
        host.redirect("/b", other.url("/c"))
        found = await fetch(host.url("/a", login="me:s%40cret@"))
    assert isinstance(found, Fetched)
    login = basic("me", "s@cret")
    assert [one.headers.get("Authorization") for one in host.requests] == [login, login]
    assert "Authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://169.254.169.254/latest/meta-data",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
        ),
        *("http://[::ffff:a9fe:a9fe]/", "http://metadata.google.internal/x", "http://224.0.0.1/"),
    ],
)
async def test_metadata_service(host: WebHost, url: str) -> None:
    assert await reason(url) is Reason.FETCH_REFUSED
    assert await reason(host.redirect("/a", url)) is Reason.FETCH_REFUSED


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
async def test_name_of_metadata_service(host: WebHost, address: str) -> None:
    names = Names(innocent_example=address)
    assert await reason("http://innocent.example/x", names) is Reason.FETCH_REFUSED
    url = host.redirect("/a", "http://innocent.example/x")
    assert await reason(url, names) is Reason.FETCH_REFUSED


async def test_from_inside_to_inside(host: WebHost, outside: WebHost) -> None:
    """An indexer at home may lead to another host there, and outside."""
    host.give("/b", DATA)
    outside.give("/c", torrent(2).data)
    names = Names(nas_example=host.address, tracker_example=OUTSIDE)
    assert await reason(host.redirect("/a", host.url("/b", host="nas.example")), names) == "fetched"
    url = host.redirect("/a", outside.url("/c", host="tracker.example"))
    assert await reason(url, names) == "fetched"


@pytest.mark.parametrize("target", ["127.0.0.1", "nas.example", "localhost"])
@pytest.mark.parametrize("source", [OUTSIDE, "tracker.example"])
async def test_from_outside_to_inside(
    host: WebHost, outside: WebHost, source: str, target: str
) -> None:
    names = Names(nas_example=host.address, localhost=host.address, tracker_example=OUTSIDE)
    host.give("/b", DATA)
    outside.redirect("/a", "/again")
    outside.redirect("/again", host.url("/b", host=target))
    assert await reason(outside.url("/a", host=source), names) is Reason.FETCH_REFUSED
    assert not host.requests
    outside.redirect("/again", outside.url("/c", host="tracker.example"))
    outside.give("/c", DATA)
    assert await reason(outside.url("/a", host=source), names) == "fetched"


async def test_name_that_moves_inside(host: WebHost, outside: WebHost) -> None:
    """The address is judged that is connected to, not what the name meant a moment before."""
    names = Names(tracker_example=[OUTSIDE, host.address])
    outside.redirect("/a", host.url("/b", host="tracker.example"))
    assert await reason(outside.url("/a", host="tracker.example"), names) is Reason.FETCH_REFUSED
    assert not host.requests


async def test_proxy(host: WebHost) -> None:
    """All is asked through it, names it knows alone included; the rules hold as far as one sees."""

    async def forward(request: web.BaseRequest) -> web.StreamResponse:
        if request.url.host == "leads.example":
            return web.Response(status=302, headers={"Location": "http://127.0.0.1/x"})
        return web.Response(body=DATA)

    asked: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(str(request.url))
        return await forward(request)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    proxy = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        assert isinstance(await fetch("http://tracker.example/a?k=1", proxy=proxy), Fetched)
        refused = await fetch("http://leads.example/a", proxy=proxy)
        assert isinstance(refused, NotEver)
        assert refused.reason is Reason.FETCH_REFUSED
        refused = await fetch("http://169.254.169.254/a", proxy=proxy)
        assert isinstance(refused, NotEver)
        assert refused.reason is Reason.FETCH_REFUSED
        assert isinstance(await fetch("http://127.0.0.1/a", proxy=proxy), Fetched)
    finally:
        await runner.cleanup()
    assert asked == ["http://tracker.example/a?k=1", "http://leads.example/a", "http://127.0.0.1/a"]
    assert await fetch("http://tracker.example/a", proxy=proxy) == NotNow("no connection")


async def test_nothing_of_a_link_is_told(host: WebHost, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    links = (
        host.redirect("/canary1", "file:///canary"),
        host.redirect("/canary2", "http://canary.example:1/canary?canary"),
        host.redirect("/canary3", "http://[canary/"),
        host.give("/canary4", "canary", status=500),
        host.give("/canary5", "canary"),
        host.give("/canary6", "canary", Content_Encoding="canary"),
    )
    urls = [f"{one.replace('127', 'u:canary@127')}?k=canary" for one in links]
    told = [repr(await fetch(url)) for url in urls]
    own = [one.getMessage() for one in caplog.records if one.name != "aiohttp.access"]
    assert "canary" not in " ".join([*told, *own])
