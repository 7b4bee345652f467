"""Every fault there is, with secrets everywhere, and every place where one might be seen."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import fields, is_dataclass
import logging
from pprint import pformat
import traceback
from typing import Any
from unittest.mock import patch

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate, Outcome
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.intake import take_in
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from custom_components.qbittorrent_resilient.core.qbittorrent import (
    Client,
    Connection,
    dialect,
    log,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import ServerError
from tests.support.actions import add, again, call, call_silently, work
from tests.support.canaries import NAME, SECRET, Ears, assert_silent, chain, secret_link, variants
from tests.support.common import FakeClock, Start, instance
from tests.support.core import Http, Time
from tests.support.disk_faults import disk_full
from tests.support.fake.faults import Faults
from tests.support.fake.server import FakeQBittorrent

PASSWORD = f"{SECRET} &=+%/ü"
COOKIE = {"Set-Cookie": f"SID={SECRET}; HttpOnly; path=/"}


@pytest.fixture
async def server(socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Yield a server whose user has a secret name and a secret password."""
    async with FakeQBittorrent(password=PASSWORD, username=f"user-{SECRET}") as server:
        yield server


@pytest.fixture
def ears(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> Ears:
    """Listen at the most talkative level, to all loggers."""
    caplog.set_level(logging.DEBUG)
    for name in ("aiohttp", "aiohttp.client", "asyncio", "homeassistant.core"):
        caplog.set_level(logging.DEBUG, name)
    return Ears(hass, caplog)


def inject(faults: Faults, kind: str, endpoint: str | None) -> None:
    """Let a fault happen; what it says is a secret, too."""
    text = f"{SECRET}\r\n"
    match kind:
        case "hang":
            faults.hang(endpoint)
        case "hang after":
            faults.hang(endpoint, after=True)
        case "cut":
            faults.cut(endpoint)
        case "cut after":
            faults.cut(endpoint, after=True)
        case "delay":
            faults.delay(1.5, endpoint)
        case "trickle":
            faults.trickle(endpoint, pause=0.2)
        case "login page":
            faults.login_page(endpoint)
        case "redirect":
            place = f"http://{SECRET}:{SECRET}@127.0.0.1:9/login?{SECRET}={SECRET}#{SECRET}"
            faults.redirect(place, endpoint)
        case "huge":
            faults.huge(endpoint)
        case "cookie":
            faults.answer(200, text, endpoint=endpoint, headers=COOKIE)
        case "json":
            faults.answer(200, f'[{{"{SECRET}":"{SECRET}"}}]', "application/json", endpoint)
        case "no header":
            faults.answer(200, text, "application/json", endpoint, headers={"X": SECRET * 2000})
        case status:
            faults.answer(int(status), text, endpoint=endpoint, headers=COOKIE)


KINDS = [
    *("hang", "hang after", "cut", "cut after", "delay", "trickle", "login page", "redirect"),
    *("huge", "cookie", "json", "no header"),
    *map(str, (204, 400, 401, 403, 404, 405, 409, 413, 418, 429, 500, 502, 503, 504)),
]


@pytest.mark.parametrize("endpoint", [None, "torrents/add", "torrents/info"])
@pytest.mark.usefixtures("impatient")
async def test_every_fault(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    ears: Ears,
    clock: FakeClock,
    endpoint: str | None,
) -> None:
    entry = await start(instance("first", server))
    said: list[Any] = []
    for number, kind in enumerate(KINDS, 1):
        inject(server.faults, kind, endpoint)
        said.append(await add(hass, secret_link(number), max_retries=0))
        said.append(await call(hass, "get_queue"))
        server.faults.clear()
        server.clear_bans()
        clock.tick(4000)
        said.append(await call(hass, "check_health"))
        await work(entry)
    said.append(await call(hass, "get_queue"))
    assert any(SECRET in one.headers.get("Cookie", "") for one in server.requests) or endpoint
    assert SECRET.encode() in b"".join(one.body for one in server.requests_to("torrents/add"))
    assert_silent(ears, said, PASSWORD)


@pytest.mark.parametrize("kind", ["password", "API key"])
async def test_from_beginning_to_end(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    ears: Ears,
    clock: FakeClock,
    kind: str,
) -> None:
    """Good days, wrong credentials, bans, a reload, removal: with the session's cookie, too."""
    key = f"qbt_{SECRET}{'x' * 18}" if kind == "API key" else ""
    server.settings.api_key = key
    entry = await start(instance("first", server, api_key=key))
    said: list[Any] = [await add(hass, secret_link(1), "bogus", secret_link(1))]
    said.append(await add(hass, secret_link(1)))
    server.settings.password = server.settings.api_key = "changed"
    server.expire_sessions()
    said += [await add(hass, secret_link(2)), await call(hass, "check_health")]
    server.ban()
    await again(hass, entry)
    said += [await call(hass, "check_health"), await call(hass, "retry_queue")]
    clock.tick(30 * 86_400)
    await work(entry)
    said.append(await call(hass, "get_queue"))
    said.append(await call(hass, "retry_failed", all=True))
    said.append(await call(hass, "remove_magnets", all=True))
    cookies = {
        one.headers["Cookie"].partition("=")[2]
        for one in server.requests
        if "Cookie" in one.headers
    }
    assert bool(cookies) is not bool(key)
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert_silent(ears, said, PASSWORD, *cookies)


MALFORMED: list[dict[str, Any]] = [
    {"magnets": [f"magnet:?x={SECRET}"]},
    {"magnets": {secret_link(1): 1}},
    {"magnets": secret_link(1), "category": f"/{SECRET}"},
    {"magnets": secret_link(1), "tags": [f"{SECRET},x"]},
    {"magnets": secret_link(1), "tags": [{SECRET: 1}]},
    {"magnets": secret_link(1), "save_path": f"{SECRET}\n"[::-1] + "x\ny"},
    {"magnets": secret_link(1), "max_retries": SECRET},
    {"magnets": secret_link(1), "wait_for_vpn": SECRET},
    {"magnets": secret_link(1), "queue": SECRET},
    {"magnets": secret_link(1), secret_link(2): 1},
    {secret_link(1): None},
]


@pytest.mark.parametrize("data", MALFORMED, ids=map(str, range(len(MALFORMED))))
async def test_malformed_calls(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, ears: Ears, data: dict[str, Any]
) -> None:
    await start(instance("first", server))
    with pytest.raises(HomeAssistantError) as caught:
        await call_silently(hass, "add_magnets", **data)
    assert_silent(ears, [caught.value], PASSWORD)


async def test_disk_and_mistakes(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, ears: Ears
) -> None:
    """The queue cannot be written; and this program has a mistake, logged with its trace."""
    await start(instance("first", server))
    said: list[Any] = []
    with (
        disk_full(),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await call_silently(hass, "add_magnets", magnets=secret_link(1))
    said.append(caught.value)
    for method in ("find", "add", "launch_time"):
        with patch.object(Client, method, side_effect=RuntimeError("a mistake")):
            said.append(await add(hass, secret_link(2), max_retries=0))
    assert sum("a mistake" in line for line in ears.log()) >= 2
    assert_silent(ears, said, PASSWORD)


@pytest.mark.usefixtures("socket_enabled")
async def test_printed_forms() -> None:
    """What a log, a trace or a debugger prints of each object of the core."""
    magnet = Magnet.parse(secret_link(1))
    entry = Job(magnet=magnet, queued_at=1.0, sent_to="key")
    answer = dialect.Answer(200, "text/plain", SECRET.encode())
    async with (
        FakeQBittorrent(password=PASSWORD, username=f"user-{SECRET}") as server,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        http = Http(session, Time())
        settings = http.settings(server, api_key="")
        connection = Connection(session, settings)
        client = Client(connection)
        await client.add([magnet.link], entry.options)
        monitor = InstanceMonitor(settings, client)
        objects: list[Any] = [
            *(magnet, entry, answer, settings, connection, client, connection._session, monitor),
            *(take_in([secret_link(1), f"magnet:?{SECRET}"]), Outcome(magnet, Fate.QUEUED)),
            *(http.settings(server, api_key=SECRET), log.LogPart()),
        ]
    forms = [form for secret in (SECRET, NAME, PASSWORD) for form in variants(secret)]
    for one in objects:
        printed = [str(one), repr(one), f"{one}", f"{one!a}", pformat(one), "%s" % [one]]
        if is_dataclass(one):
            printed.append(
                str({part.name: getattr(one, part.name) for part in fields(one) if part.repr})
            )
        assert not [line for line in printed for form in forms if form in line.lower()], one
    assert SECRET in str(to_record(entry)), "the canary was lost on the way"


GARBAGE = [
    b"garbage\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: zz\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


async def error_at(answer: bytes) -> ServerError:
    """Return what comes of this answer to a request with a secret key."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = InstanceSettings(key="key", name="Name", url=url, api_key=SECRET)
        with pytest.raises(ServerError) as caught:
            await Client(Connection(session, settings)).vitals()
    return caught.value


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("answer", GARBAGE, ids=["no HTTP", "no length", "no chunk"])
async def test_errors_of_the_http_library_as_a_log_shows_them(answer: bytes) -> None:
    """They carry the request with its headers; none of it is printed with a trace."""
    error = await error_at(answer)
    trace = "".join(traceback.format_exception(error))
    assert SECRET not in trace + repr(error) + "".join(map(str, chain(error)))


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("answer", GARBAGE, ids=["no HTTP", "no length", "no chunk"])
async def test_errors_of_the_http_library_in_full(answer: bytes) -> None:
    """Whoever prints a cause as it is (a debugger, an error tracker) sees no key."""
    assert SECRET not in "".join(map(repr, chain(await error_at(answer))))
