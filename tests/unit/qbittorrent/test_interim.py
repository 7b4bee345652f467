"""A server may send any number of interim answers before its own; a flood of them ends here."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
import socket
import ssl
import threading
import time

import aiohttp
import pytest

from custom_components.qbittorrent_resilient.core.fetching.guard import Guard, guarded_connector
from custom_components.qbittorrent_resilient.core.qbittorrent.resolver import (
    FollowingConnector,
    FollowingResolver,
)
from tests.support.core import Names

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nv5.3\n"


@contextmanager
def answers(piece: bytes, *, again: bool) -> Iterator[str]:
    """Run a server in a thread, which sends this to whoever asks, once or without end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(piece)
                    while again:
                        connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def following() -> aiohttp.TCPConnector:
    names = FollowingResolver(Names().resolve, Names())
    return FollowingConnector(names, ssl.create_default_context())


def guarded() -> aiohttp.TCPConnector:
    return guarded_connector(Guard(), Names(), by_proxy=False)


@asynccontextmanager
async def session(made: str) -> AsyncGenerator[aiohttp.ClientSession]:
    connector = following() if made == "servers" else guarded()
    async with aiohttp.ClientSession(connector=connector) as http:
        yield http


@pytest.mark.parametrize("made", ["servers", "web links"])
@pytest.mark.usefixtures("socket_enabled")
async def test_flood(made: str) -> None:
    """It is over at once, and nothing else had to wait for it."""
    asyncio.get_running_loop().set_debug(False)
    held = 0.0

    async def beat() -> None:
        nonlocal held
        while True:
            start = time.thread_time()
            await asyncio.sleep(0)
            held = max(held, time.thread_time() - start)

    with answers(CONTINUE * 20_000, again=True) as url:
        async with session(made) as http:
            task = asyncio.create_task(beat())
            with pytest.raises(aiohttp.ClientResponseError):
                await http.get(url, timeout=aiohttp.ClientTimeout(total=5))
            task.cancel()
    assert held < 0.05


@pytest.mark.parametrize("made", ["servers", "web links"])
@pytest.mark.usefixtures("socket_enabled")
async def test_a_few(made: str) -> None:
    """Some are as HTTP has it; the answer comes after them, even in the same piece."""
    with answers(CONTINUE * 20 + OK, again=False) as url:
        async with session(made) as http, http.get(url) as answer:
            assert (answer.status, await answer.text()) == (200, "v5.3\n")


@pytest.mark.parametrize("made", ["servers", "web links"])
@pytest.mark.usefixtures("socket_enabled")
async def test_long_answer(made: str) -> None:
    """What is read in pieces is whole."""
    body = bytes(range(256)) * 4_000
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with answers(head + body, again=False) as url:
        async with session(made) as http, http.get(url) as answer:
            assert await answer.read() == body
