"""What a server, a proxy or the network answers in place of qBittorrent."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import socket

import aiohttp
import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import Request, exchange as module
from custom_components.qbittorrent_resilient.core.qbittorrent.login_guard import FUTILE_SECONDS
from tests.support.core import Http, Time, TimedServer, failure, transfer
from tests.support.fake import V5_3, Dialect, FakeQBittorrent

type Inject = Callable[[FakeQBittorrent], object]


@pytest.mark.parametrize(
    ("inject", "outcome"),
    [
        (lambda server: server.faults.login_page(), ("error", False)),
        (lambda server: server.faults.answer(401, "<p>", "text/html"), ("error", False)),
        (lambda server: server.faults.answer(403, "<p>", "text/html"), ("error", False)),
        (lambda server: server.faults.answer(200), ("error", False)),
        (lambda server: server.faults.answer(200, "{}", "application/json"), ("error", False)),
        (lambda server: server.faults.answer(404, "Not Found"), ("error", False)),
        (lambda server: server.faults.answer(502, "<p>", "text/html"), ("error", False)),
        (lambda server: server.faults.answer(503, "v5.3.0"), ("error", False)),
        (lambda server: server.faults.huge(), ("error", True)),
        (lambda server: server.faults.redirect("http://127.0.0.1:9/"), ("error", False)),
        (lambda server: server.faults.cut(), ("unreachable", True)),
        (lambda server: server.faults.cut(after=True), ("unreachable", True)),
        (lambda server: server.faults.login_page("auth/login"), ("error", False)),
        (lambda server: server.faults.answer(204, endpoint="auth/login"), ("error", False)),
        (lambda server: server.faults.answer(500, endpoint="auth/login"), ("error", False)),
        (lambda server: server.faults.answer(302, endpoint="auth/login"), ("error", False)),
        (lambda server: server.faults.cut("auth/login"), ("unreachable", True)),
    ],
)
async def test_odd_start(
    newest: TimedServer, http: Http, inject: Inject, outcome: tuple[str, bool]
) -> None:
    """It says nothing about the credentials: they are tried again, after a second time later."""
    connection = http.connection(newest)
    inject(newest)
    assert await failure(connection.open()) == outcome
    assert await failure(connection.open()) == outcome
    newest.faults.clear()
    http.time.seconds += FUTILE_SECONDS
    assert await transfer(connection) == 200
    assert connection.renewals == 0


@pytest.mark.parametrize(
    "inject",
    [
        lambda server: server.faults.hang("app/version"),
        lambda server: server.faults.hang("auth/login", after=True),
        lambda server: server.faults.trickle("app/version", pause=0.5),
        lambda server: server.faults.delay(1.5, "app/version"),
        lambda server: server.freeze(),
    ],
    ids=["hang", "hang-after", "trickle", "late", "frozen"],
)
@pytest.mark.usefixtures("impatient")
async def test_no_answer_in_time(newest: TimedServer, http: Http, inject: Inject) -> None:
    connection = http.connection(newest)
    inject(newest)
    assert await failure(connection.open()) == ("timeout", True)
    newest.faults.clear()
    await newest.thaw()
    await connection.open()


async def test_late_answer_within_the_session(newest: TimedServer, http: Http) -> None:
    connection = http.connection(newest)
    await connection.open()
    newest.faults.trickle("transfer/info", times=1, pause=0.1)
    late = connection.request(Request("GET", "transfer/info", seconds=0.25))
    assert await failure(late) == ("timeout", True)
    assert await transfer(connection) == 200
    assert len(newest.logins) == 1


@pytest.mark.parametrize("limit", [9_999, 10_000])
async def test_answer_limit(newest: TimedServer, http: Http, limit: int) -> None:
    """Counted as it is once unpacked."""
    connection = http.connection(newest)
    newest.faults.huge("log/main", size=10_000)
    reading = connection.request(Request("GET", "log/main", limit=limit))
    if limit < 10_000:
        assert await failure(reading) == ("error", True)
    else:
        assert len((await reading).body) == 10_000


async def test_redirect_is_not_followed(http: Http, time: Time, newest: TimedServer) -> None:
    async with TimedServer(V5_3, time) as other:
        newest.faults.redirect(f"{other.url}/api/v2/app/version")
        assert await failure(http.connection(newest).open()) == ("error", False)
        assert other.requests == []


async def test_refused_connection(newest: TimedServer, http: Http) -> None:
    await newest.refuse()
    connection = http.connection(newest)
    assert await failure(connection.open()) == ("unreachable", False)
    await newest.listen()
    await connection.open()


async def test_name_not_found(newest: TimedServer, http: Http) -> None:
    connection = http.connection(newest, url="http://missing.example:8080")
    assert await failure(connection.open()) == ("unreachable", False)


@pytest.mark.parametrize("url", ["http://[::1", "http://"])
async def test_impossible_url(newest: TimedServer, http: Http, url: str) -> None:
    """The forms let none through; a hand-made job may have one."""
    assert await failure(http.connection(newest, url=url).open()) == ("error", False)


async def test_full_backlog(
    newest: TimedServer, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel drops the connection's first packet: nothing was sent."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        connection = http.connection(newest, url=f"http://127.0.0.1:{port}")
        assert await failure(connection.open()) == ("timeout", False)
        for one in waiting:
            one.close()


@asynccontextmanager
async def speaks(answer: bytes) -> AsyncGenerator[str]:
    """Run a server that answers each connection with these bytes and closes it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", ("error", True)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nv5.3.0", ("unreachable", True)),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\nv5.3.0",
            ("unreachable", True),
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99_999 + b"\r\n\r\n", ("error", True)),
        (b"", ("unreachable", True)),
    ],
    ids=["other-protocol", "cut-off", "bad-gzip", "long-header", "nothing"],
)
async def test_broken_http(
    newest: TimedServer, http: Http, answer: bytes, outcome: tuple[str, bool]
) -> None:
    async with speaks(answer) as url:
        assert await failure(http.connection(newest, url=url).open()) == outcome


async def test_https(http: Http, time: Time, dialect: Dialect) -> None:
    """A certificate that is not accepted is told apart, and nothing but `verify_ssl` changes it."""
    async with TimedServer(dialect, time, https=True) as server:
        assert await failure(http.connection(server).open()) == ("ssl_error", False)
        plain = server.url.replace("https:", "http:")
        assert await failure(http.connection(server, url=plain).open()) == ("unreachable", True)
        assert server.requests == []
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False), cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            assert await transfer(Http(session, time).connection(server)) == 200


async def test_https_to_an_http_port(newest: TimedServer, http: Http) -> None:
    url = newest.url.replace("http:", "https:")
    assert await failure(http.connection(newest, url=url).open()) == ("ssl_error", False)
    assert newest.requests == []
