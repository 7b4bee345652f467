"""A server that moves is followed at once, whatever the usual resolver remembers."""

import asyncio
from collections.abc import AsyncGenerator
import socket
import ssl
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
import pytest
from pytest_socket import socket_allow_hosts

from custom_components.qbittorrent_resilient.core.qbittorrent import resolver as module
from custom_components.qbittorrent_resilient.core.qbittorrent.resolver import (
    FollowingConnector,
    FollowingResolver,
)
from tests.support.core import Http, Time, TimedServer, failure, transfer

HOST = "qbit.example"
OLD, NEW = "127.0.0.2", "127.0.0.1"
"""The fake listens on the new address only; nothing does on the old one."""


class Book(AbstractResolver):
    """Knows an address of one name; `asked` counts."""

    def __init__(self, address: str | None) -> None:
        self.address = address
        self.asked = 0
        self.hangs = False

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.address is None or host != HOST:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=self.address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Hold nothing."""


class Books:
    """The usual resolver, which remembers, the system, which knows, and the client in between."""

    def __init__(self, http: Http) -> None:
        self.usual, self.system, self.http = Book(NEW), Book(NEW), http


@pytest.fixture
async def books(time: Time, socket_enabled: None) -> AsyncGenerator[Books]:
    socket_allow_hosts([OLD, NEW])  # for this test; the plugin sets it anew for the next
    usual, system = Book(NEW), Book(NEW)
    names = FollowingResolver(usual.resolve, system)
    connector = FollowingConnector(names, ssl.create_default_context())
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        books = Books(Http(session, time))
        books.usual, books.system = usual, system
        yield books
    await names.close()


async def test_usually_the_system_is_not_asked(newest: TimedServer, books: Books) -> None:
    connection = books.http.connection(newest, url=f"http://{HOST}:{newest.port}")
    assert await transfer(connection) == 200
    assert (books.usual.asked, books.system.asked) == (1, 0)


async def test_server_that_moved(newest: TimedServer, books: Books) -> None:
    """The first request after the DNS has followed succeeds; nothing was sent elsewhere."""
    connection = books.http.connection(newest, url=f"http://{HOST}:{newest.port}")
    books.usual.address = books.system.address = OLD
    assert await failure(connection.open()) == ("unreachable", False)
    books.system.address = NEW
    assert await transfer(connection) == 200
    await newest.restart()  # all connections are closed
    assert await transfer(connection) == 200
    assert connection.renewals == 1


async def test_name_that_is_there_again(newest: TimedServer, books: Books) -> None:
    """While a container is made anew, its name is missing; that is remembered, too."""
    connection = books.http.connection(newest, url=f"http://{HOST}:{newest.port}")
    books.usual.address = books.system.address = None
    assert await failure(connection.open()) == ("unreachable", False)
    books.system.address = NEW
    assert await transfer(connection) == 200


async def test_name_that_only_the_usual_way_finds(newest: TimedServer, books: Books) -> None:
    """As with mDNS in a container: what the system does not know changes nothing."""
    books.system.address = None
    connection = books.http.connection(newest, url=f"http://{HOST}:{newest.port}")
    assert await transfer(connection) == 200
    await newest.refuse()
    assert await failure(transfer(connection)) == ("unreachable", False)
    await newest.listen()
    assert await transfer(connection) == 200


async def test_system_that_forgets_the_name(newest: TimedServer, books: Books) -> None:
    """After a move the usual way counts again, as soon as the system knows nothing."""
    connection = books.http.connection(newest, url=f"http://{HOST}:{newest.port}")
    books.usual.address = OLD
    assert await transfer(connection) == 200
    books.usual.address, books.system.address = NEW, None
    books.http.session.connector.clear_dns_cache()  # type: ignore[union-attr]
    await newest.restart()
    assert await transfer(connection) == 200


async def test_down_is_down(newest: TimedServer, books: Books) -> None:
    """A server that is where it was is tried once."""
    connection = books.http.connection(newest, url=f"http://{HOST}:{newest.port}")
    await connection.open()
    await newest.refuse()
    assert await failure(transfer(connection)) == ("unreachable", False)
    assert books.system.asked == 1


async def test_address_has_no_name(newest: TimedServer, books: Books) -> None:
    await newest.refuse()
    assert await failure(books.http.connection(newest).open()) == ("unreachable", False)
    assert books.system.asked == 0


async def test_dns_that_hangs(
    newest: TimedServer, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds up one question for a while, and one thread at most for a name."""
    monkeypatch.setattr(module, "LOOK_UP_SECONDS", 0.2)
    connection = books.http.connection(newest, url=f"http://{HOST}:{newest.port}")
    await connection.open()
    await newest.refuse()
    books.system.hangs = True
    for _ in range(3):
        assert await failure(transfer(connection)) == ("unreachable", False)
    assert books.system.asked == 1


async def test_few_look_ups_at_a_time() -> None:
    """However many names lead nowhere."""
    system = Book(None)
    system.hangs = True
    names = FollowingResolver(system.resolve, system)

    async def missing(host: str) -> list[ResolveResult]:
        raise OSError(host)

    names._usual = missing
    waiting = [asyncio.create_task(names.resolve(f"n{number}")) for number in range(50)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert system.asked == module.LOOK_UPS_AT_ONCE
    await names.close()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not names._running
