"""Fixtures for the tests of the engine."""

import asyncio
from collections.abc import AsyncGenerator

import aiohttp
import pytest

from tests.core.common import Http, Names, Time, TimedServer
from tests.fake import V5_3, Dialect


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Permit sockets; the test plugin limits connections to 127.0.0.1."""


@pytest.fixture
def time() -> Time:
    """Return time that passes only in sleeps."""
    return Time()


@pytest.fixture
async def http(time: Time) -> AsyncGenerator[Http]:
    """Return what connects to servers."""
    asyncio.get_running_loop().set_debug(False)  # it makes everything several times slower
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=Names()), cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Http(session, time)


@pytest.fixture
async def server(dialect: Dialect, time: Time) -> AsyncGenerator[TimedServer]:
    """Return a server of each version."""
    async with TimedServer(dialect, time) as server:
        yield server


@pytest.fixture
async def newest(time: Time) -> AsyncGenerator[TimedServer]:
    """Return a server of the newest version, where the version does not matter."""
    async with TimedServer(V5_3, time) as server:
        yield server
