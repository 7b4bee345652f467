"""What the tests of the engine share: time that passes only in sleeps, servers that live in it."""

import asyncio
from collections.abc import Awaitable
import socket
from typing import Any, override

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
import pytest

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.health.error_status import status_of
from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection, Request
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import ServerError
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Gate
from custom_components.qbittorrent_resilient.core.qbittorrent.login_guard import LoginGuard
from tests.support.common import link
from tests.support.fake import Dialect, FakeQBittorrent


class Time:
    """A clock whose sleep takes no time; `slept` has what was asked of it."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(now=self.now, monotonic=self.now, sleep=self.sleep)

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


class TwoClocks(Time):
    """Time whose wall clock can be set; the steady clock only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.set_by = 0.0

    @property
    @override
    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds + self.set_by, monotonic=self.now, sleep=self.sleep)


class TimedServer(FakeQBittorrent):
    """A server in the time of the test."""

    def __init__(self, dialect: Dialect, time: Time, **options: Any) -> None:
        self.time = time
        super().__init__(dialect, **options)

    def now(self) -> float:
        return self.time.now()


class Names(AbstractResolver):
    """Resolves every name to 127.0.0.1, but for `missing.example`."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host == "missing.example":
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Hold nothing."""


class Http:
    """Makes connections and clients of the engine; all share one HTTP session, as in real life."""

    def __init__(self, session: aiohttp.ClientSession, time: Time) -> None:
        self.session = session
        self.time = time

    def settings(self, server: FakeQBittorrent, **fields: Any) -> InstanceSettings:
        own = server.settings
        known = {"url": server.url, "username": own.username, "password": own.password}
        return InstanceSettings(key="key", name="Name", **(known | fields))

    def connection(
        self,
        server: FakeQBittorrent,
        *,
        gate: Gate | None = None,
        login_guard: LoginGuard | None = None,
        **fields: Any,
    ) -> Connection:
        settings = self.settings(server, **fields)
        return Connection(
            self.session, settings, self.time.clock, gate=gate, login_guard=login_guard
        )

    def client(self, server: FakeQBittorrent, **fields: Any) -> Client:
        return Client(self.connection(server, **fields))


def magnets(*numbers: int) -> list[Magnet]:
    """Return the magnets number so-and-so."""
    return [Magnet.parse(link(number)) for number in numbers]


async def transfer(connection: Connection) -> int:
    """Ask a small question and return the status of the answer."""
    return (await connection.request(Request("GET", "transfer/info"))).status


async def failure(attempt: Awaitable[object]) -> tuple[str, bool]:
    """Return what the engine decides by: the status, and whether the request may be done."""
    with pytest.raises(ServerError) as caught:
        await attempt
    return status_of(caught.value).value, caught.value.maybe_done
