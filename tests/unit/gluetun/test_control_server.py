"""The client of the control server against a fake one: each answer, and what it sends."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from custom_components.qbittorrent_resilient.core.gluetun import (
    ControlServer,
    GluetunLook,
    GluetunSettings,
    TunnelState,
    control_server as module,
)
from tests.support.gluetun import PUBLIC_IP, STATUS, FakeGluetun, Fault, Version

UP, DOWN, RUNNING = TunnelState.UP, TunnelState.DOWN, TunnelState.RUNNING
SILENT, REFUSED, FOREIGN = TunnelState.SILENT, TunnelState.REFUSED, TunnelState.FOREIGN
KEY, USERNAME, PASSWORD = "the-key", "the-user", "the-pässword"


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def client(session: aiohttp.ClientSession, gluetun: FakeGluetun, **fields: Any) -> ControlServer:
    return ControlServer(session, GluetunSettings(url=gluetun.url, **fields))


async def test_up(gluetun: FakeGluetun, session: aiohttp.ClientSession) -> None:
    look = await client(session, gluetun).look()
    assert look == GluetunLook(UP, "198.51.100.7", "running")


@pytest.mark.parametrize("word", ["stopped", "stopping", "starting", "crashed", "completed"])
async def test_down(gluetun: FakeGluetun, session: aiohttp.ClientSession, word: str) -> None:
    gluetun.status, gluetun.public_ip = word, ""
    assert await client(session, gluetun).look() == GluetunLook(DOWN, word=word)


async def test_address_not_known(gluetun: FakeGluetun, session: aiohttp.ClientSession) -> None:
    gluetun.public_ip = ""
    assert await client(session, gluetun).look() == GluetunLook(RUNNING, word="running")


@pytest.mark.parametrize(
    ("version", "state"),
    [("v3.39.0", UP), ("v3.40.0", UP), ("v3.41.3", UP), ("latest", REFUSED)],
)
async def test_without_credentials(
    gluetun: FakeGluetun, session: aiohttp.ClientSession, version: Version, state: TunnelState
) -> None:
    gluetun.version = version
    assert (await client(session, gluetun).look()).state is state


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, REFUSED),
        ({"api_key": "another"}, REFUSED),
        ({"api_key": "ключ"}, REFUSED),
        ({"api_key": "line\r\nX-Other: 1"}, FOREIGN),
        ({"api_key": KEY}, UP),
    ],
)
async def test_key(
    gluetun: FakeGluetun, session: aiohttp.ClientSession, fields: Any, state: TunnelState
) -> None:
    gluetun.api_key = KEY
    assert (await client(session, gluetun, **fields).look()).state is state


async def test_key_for_one_route_only(gluetun: FakeGluetun, session: aiohttp.ClientSession) -> None:
    gluetun.api_key = KEY
    gluetun.keyless = {PUBLIC_IP}
    look = await client(session, gluetun, api_key=KEY).look()
    assert look == GluetunLook(REFUSED, word="running")


@pytest.mark.parametrize("password", [PASSWORD, "wrong", ""])
async def test_basic(gluetun: FakeGluetun, session: aiohttp.ClientSession, password: str) -> None:
    gluetun.username, gluetun.password = USERNAME, PASSWORD
    look = await client(session, gluetun, username=USERNAME, password=password).look()
    assert look.state is (UP if password == PASSWORD else REFUSED)


async def test_user_name_that_basic_cannot_hold(
    gluetun: FakeGluetun, session: aiohttp.ClientSession
) -> None:
    gluetun.username, gluetun.password = USERNAME, PASSWORD
    for odd in ("a:b", "\ud800", "a\r\nb"):
        look = await client(session, gluetun, username=odd, password=PASSWORD).look()
        assert look.state is REFUSED


@pytest.mark.parametrize("path", [STATUS, PUBLIC_IP, "*"])
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("html", FOREIGN),
        ("redirect", FOREIGN),
        ("garbage", FOREIGN),
        ("endless", FOREIGN),
        ("error", SILENT),
        ("cut", SILENT),
    ],
)
async def test_fault(
    gluetun: FakeGluetun,
    session: aiohttp.ClientSession,
    path: str,
    fault: Fault,
    state: TunnelState,
) -> None:
    gluetun.faults[path] = fault
    assert (await client(session, gluetun).look()).state is state
    assert set(gluetun.paths) == {STATUS, PUBLIC_IP}  # no redirect was followed


@pytest.mark.parametrize("fault", ["hang", "drip"])
@pytest.mark.parametrize("path", [STATUS, PUBLIC_IP, "*"])
async def test_no_answer_in_time(
    gluetun: FakeGluetun,
    session: aiohttp.ClientSession,
    fault: Fault,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit is one for both routes, which are asked at the same time."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 1.0)
    gluetun.faults[path] = fault
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await client(session, gluetun).look()).state is SILENT
    assert 1.0 <= loop.time() - began < 1.9


async def test_time_limit() -> None:
    """Three silent looks and the pauses between them show an outage within 10 s."""
    assert 3 * module.LOOK_SECONDS + 2 * 2.0 < 10


async def test_no_connection(gluetun: FakeGluetun, session: aiohttp.ClientSession) -> None:
    asking = client(session, gluetun)
    await gluetun.refuse()
    assert (await asking.look()).state is SILENT
    await gluetun.listen()
    assert (await asking.look()).state is UP


async def test_not_http(session: aiohttp.ClientSession) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = GluetunSettings(url=f"http://127.0.0.1:{port}")
        assert (await ControlServer(session, settings).look()).state is FOREIGN


async def test_what_is_sent(gluetun: FakeGluetun, session: aiohttp.ClientSession) -> None:
    """Two routes with GET, and secrets in their headers only."""
    asking = client(session, gluetun, api_key=KEY, username=USERNAME, password=PASSWORD)
    for number in range(1, 4):
        await asking.look()
        assert len(gluetun.requests) == 2 * number
    assert set(gluetun.paths) == {STATUS, PUBLIC_IP}
    for asked in gluetun.requests:
        assert (asked.method, asked.body) == ("GET", b"")
        headers = dict(asked.headers)
        assert headers.pop("X-API-Key") == KEY
        basic = b64decode(headers.pop("Authorization").removeprefix("Basic ")).decode()
        assert basic == f"{USERNAME}:{PASSWORD}"
        assert KEY not in f"{asked.path} {headers}"


def test_secrets_are_not_shown() -> None:
    settings = GluetunSettings(
        url="http://gluetun:8000", api_key=KEY, username=USERNAME, password=PASSWORD
    )
    assert not {KEY, USERNAME, PASSWORD} & set(repr(settings).replace("'", " ").split())
    assert "gluetun:8000" in repr(settings)
