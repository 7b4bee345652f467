"""Fixtures for the tests of the engine."""

from collections.abc import AsyncGenerator

import aiohttp
import pytest

from tests.support.core import Http, Names, Time, TimedServer
from tests.support.fake import V5_3, Dialect
from tests.support.gluetun import FakeGluetun


@pytest.fixture
def time() -> Time:
    """Return time that passes only in sleeps."""
    return Time()


@pytest.fixture
async def http(time: Time, socket_enabled: None) -> AsyncGenerator[Http]:
    """Return what connects to servers."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=Names()), cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Http(session, time)


@pytest.fixture
async def server(dialect: Dialect, time: Time, socket_enabled: None) -> AsyncGenerator[TimedServer]:
    """Return a server of each version."""
    async with TimedServer(dialect, time) as server:
        yield server


@pytest.fixture
async def newest(time: Time, socket_enabled: None) -> AsyncGenerator[TimedServer]:
    """Return a server of the newest version, where the version does not matter."""
    async with TimedServer(V5_3, time) as server:
        yield server


@pytest.fixture
async def gluetun(socket_enabled: None) -> AsyncGenerator[FakeGluetun]:
    """Return a gluetun whose tunnel is up."""
    async with FakeGluetun() as gluetun:
        yield gluetun
