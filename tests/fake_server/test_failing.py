"""The fake fails as told: faults, restarts, freezing, and the record of what reached it."""

import asyncio
import ssl
import time
from unittest.mock import patch

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientSession,
    ServerDisconnectedError,
    TCPConnector,
)
import pytest

from tests.support.common import eventually
from tests.support.fake import V5_3, Dialect, FakeQBittorrent, certificate

from .conftest import H1, H2, H3, Client, link

IMPATIENT = 0.5
"""Seconds that are enough for any answer that comes at all."""


async def add(client: Client, info_hash: str) -> int:
    """Add a torrent."""
    return (await client.post("torrents/add", urls=link(info_hash))).status


async def give_up(client: Client, info_hash: str) -> None:
    """Add a torrent that no answer comes to in time."""
    with pytest.raises(TimeoutError), patch.object(client, "patience", IMPATIENT):
        await add(client, info_hash)


async def test_record(client: Client) -> None:
    """Each request is there, in order, with all that came with it."""
    server = client.server
    before = time.time()
    await client.get("torrents/info?limit=1", User_Agent="me")
    await client.post("torrents/add", urls=f"{link(H1)}\n\n {link(H2)}")
    login, listing, adding = server.requests
    assert [request.endpoint for request in (login, listing, adding)] == [
        "auth/login",
        "torrents/info",
        "torrents/add",
    ]
    assert before - 1 < listing.time < time.time() + 1
    assert (listing.method, listing.query, listing.status) == ("GET", {"limit": "1"}, 200)
    assert listing.headers["user-agent"] == "me"
    assert (adding.remote, adding.remote_port > 0) == ("127.0.0.1", True)
    assert adding.body.startswith(b"urls=magnet")
    assert server.adds == [[link(H1), link(H2)]]
    assert server.record.connections == 1
    server.record.clear()
    assert not server.requests_to("torrents/add")


async def test_refuse_and_listen(client: Client) -> None:
    """Refused at once, on the same port again later; state and sessions stay."""
    server = client.server
    server.add(link(H1))
    for _ in range(3):
        await server.refuse()
        assert not server.is_listening
        with pytest.raises(ClientConnectorError):
            await client.get("app/version")
        await server.listen()
        assert await client.hashes() == {H1}


@pytest.mark.parametrize("after", [False, True])
async def test_hang(client: Client, *, after: bool) -> None:
    """No answer; executed only where told. The next one is fine."""
    fault = client.server.faults.hang("torrents/add", times=1, after=after)
    await give_up(client, H1)
    assert client.server.hashes == ({H1} if after else set())
    assert fault.hits == 1
    assert client.server.adds == [[link(H1)]]
    assert await add(client, H2) == 200


async def test_hang_cleared(client: Client) -> None:
    """Who still waits when a hang is cleared is cut off."""
    fault = client.server.faults.hang()
    waiting = asyncio.create_task(add(client, H1))
    await eventually(lambda: fault.hits)
    fault.clear()
    with pytest.raises(ServerDisconnectedError):
        await waiting
    assert (await client.get("app/version")).status == 200


@pytest.mark.parametrize("after", [False, True])
async def test_cut(client: Client, *, after: bool) -> None:
    """The connection breaks before or after the request is executed."""
    client.server.faults.cut("torrents/add", times=1, after=after)
    with pytest.raises((ServerDisconnectedError, ConnectionResetError)):
        await add(client, H1)
    assert client.server.hashes == ({H1} if after else set())
    assert client.server.requests_to("torrents/add")[0].status is None


@pytest.mark.parametrize("after", [False, True])
async def test_delay(client: Client, *, after: bool) -> None:
    """The right answer, late; a client that gave up does not stop it."""
    client.server.faults.delay(2 * IMPATIENT, "torrents/add", times=1, after=after)
    await give_up(client, H1)
    assert client.server.hashes == ({H1} if after else set())
    await eventually(lambda: client.server.hashes == {H1})
    client.server.faults.delay(0.05, "app/version", after=after)
    assert (await client.get("app/version")).status == 200


async def test_other_answers(client: Client) -> None:
    """Answers of proxies, of broken servers, of anything."""
    faults = client.server.faults
    faults.answer(502, "<h1>Bad Gateway</h1>", "text/html", times=2)
    assert [(await client.get("app/version")).status for _ in range(3)] == [502, 502, 200]
    faults.answer(413, endpoint="torrents/add", times=1, after=True)
    assert await add(client, H1) == 413
    assert client.server.hashes == {H1}
    faults.login_page("app/version")
    page = await client.get("app/version")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (await client.get("app/webapiVersion")).status == 200
    faults.clear()
    faults.answer(200, '{"a": 1}', "application/json", "torrents/info", times=1)
    assert (await client.get("torrents/info")).json == {"a": 1}
    faults.answer(200, b"", times=1)
    assert (await client.get("app/version")).text == ""
    faults.huge("torrents/info", times=1)
    assert len((await client.get("torrents/info")).text) == 10_000_000
    faults.redirect(f"{client.server.url}/api/v2/app/webapiVersion", "app/version", times=1)
    assert (await client.get("app/version")).text == client.server.dialect.webapi


async def test_trickle(client: Client) -> None:
    """The answer comes byte by byte."""
    client.server.faults.trickle("app/version", times=2, pause=0.02)
    start = time.monotonic()
    assert (await client.get("app/version")).text == client.server.dialect.version
    assert time.monotonic() - start > 0.1
    client.patience = 0.05
    with pytest.raises(TimeoutError):
        await client.get("app/version")


async def test_freeze(client: Client) -> None:
    """What came in while frozen is executed on thawing, in order, wanted or not."""
    server = client.server
    server.freeze()
    for info_hash in (H1, H2):
        await give_up(client, info_hash)
    waiting = asyncio.create_task(add(client, H3))
    await eventually(lambda: len(server.adds) == 3)
    assert not server.hashes
    await server.thaw()
    assert [torrent.torrent_id for torrent in server.torrents] == [H1, H2, H3]
    assert await waiting == 200


async def test_killed_while_frozen(client: Client) -> None:
    """What a frozen process has not executed dies with it."""
    client.server.freeze()
    await give_up(client, H1)
    await client.server.restart()
    assert not client.server.hashes
    assert (await client.get("app/version")).status == 403


@pytest.mark.parametrize(
    ("keep", "left"), [("all", {H1, H2}), ("none", set()), ([H2.upper()], {H2})]
)
async def test_restart(client: Client, keep: str, left: set[str]) -> None:
    """Sessions, bans, log and launch time are new; torrents as told."""
    server = client.server
    server.add(link(H1), link(H2), category="films")
    launched, url = server.launch_time, server.url
    last = server.log("something")
    server.ban("127.0.0.2")
    await server.restart(keep)
    assert server.url == url
    assert (await client.get("app/version")).status == 403
    await client.login()
    assert await client.hashes() == left
    assert server.launch_time > launched
    rows = (await client.get("log/main")).json
    assert rows[0]["id"] == 0
    assert all(row["message"] != "something" for row in rows)
    assert last > 0
    assert "films" in (await client.get("torrents/categories")).json


async def test_listed_later_or_never(client: Client) -> None:
    """A yes that comes true late, or not at all."""
    torrents = client.server.torrents
    torrents.list_delay = 1
    torrents.never_listed = {H2}
    assert await add(client, H1) == 200
    assert await add(client, H2) == 200
    assert not await client.hashes()
    assert await add(client, H1) == 200
    await asyncio.sleep(1.05)
    assert await client.hashes() == {H1}


async def test_shutdown(client: Client) -> None:
    """The shutdown is answered, then the port is closed."""
    assert (await client.post("app/shutdown")).status == 200
    await eventually(lambda: not client.server.is_listening)
    with pytest.raises(ClientConnectorError):
        await client.get("app/version")


async def test_https(dialect: Dialect, socket_enabled: None) -> None:
    """Self-signed: refused, trusted by its certificate, or taken unchecked."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    trusting = ssl.create_default_context(cadata=certificate().decode())
    async with FakeQBittorrent(dialect, https=True) as server:
        assert server.url.startswith("https://127.0.0.1:")
        for check, fine in ((True, False), (trusting, True), (False, True)):
            async with ClientSession(connector=TCPConnector(ssl=check)) as session:
                client = Client(session, server)
                if not fine:
                    with pytest.raises(ClientConnectorCertificateError):
                        await client.login()
                    continue
                shown = await client.login()
                assert shown.status == dialect.login_status
                assert "; secure" in shown.headers["Set-Cookie"]


async def test_prefix(dialect: Dialect, stranger: Client) -> None:
    """Behind a proxy the server may live below a path."""
    async with FakeQBittorrent(dialect, prefix="/qbt/") as server:
        client = Client(stranger.session, server)
        assert server.url.endswith("/qbt")
        assert (await client.login()).status == dialect.login_status
        assert server.logins
        async with stranger.session.get(f"http://127.0.0.1:{server.port}/api/v2/") as response:
            assert response.status == 404


async def test_no_answer_is_lost_on_stop(stranger: Client) -> None:
    """Stopping ends what hangs; nothing is left running."""
    stranger.server.faults.hang()
    waiting = asyncio.create_task(add(stranger, H1))
    await eventually(lambda: stranger.server.adds)
    await stranger.server.stop()
    with pytest.raises((ServerDisconnectedError, ConnectionResetError)):
        await waiting


async def test_on_request(client: Client) -> None:
    """A test may look at each request right before it is executed."""
    seen: list[tuple[str, int]] = []
    server = client.server
    server.on_request = lambda request: seen.append((request.endpoint, len(server.torrents)))
    await add(client, H1)
    await client.get("app/version")
    assert seen == [("torrents/add", 0), ("app/version", 1)]


async def test_large(socket_enabled: None) -> None:
    """It lists a few of 30,000 torrents."""
    async with FakeQBittorrent(V5_3) as server, ClientSession() as session:
        client = Client(session, server)
        await client.login()
        for first in range(1, 30_001, 10_000):
            urls = "\n".join(link(f"{number:040x}") for number in range(first, first + 10_000))
            shown = await client.post("torrents/add", urls=urls)
            assert shown.json["success_count"] == 10_000
        rows = (await client.get("torrents/info?sort=infohash_v2&reverse=true&limit=100")).json
        wanted = "|".join(f"{number:040x}" for number in range(1, 1001))
        found = (await client.post("torrents/info", hashes=wanted)).json
    assert (len(rows), len(found)) == (100, 1000)
