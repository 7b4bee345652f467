"""Answers and lists that go on for ever: they end here, by time or by bytes, as an `error`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
import gzip
import os
from pathlib import Path
import time as real_time
from typing import Any
import zlib

import pytest

from custom_components.qbittorrent_resilient.core.health.instance import (
    ENDLESS_SECONDS,
    MOST_FAILURES,
    InstanceMonitor,
)
from custom_components.qbittorrent_resilient.core.qbittorrent import Vitals, client as module
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    EndlessAnswerError,
    TimedOutError,
)
from tests.support.common import info_hash, link
from tests.support.core import Http, Time, TimedServer, failure, magnets
from tests.support.fake import FakeQBittorrent
from tests.support.fake.answer import JSON, Answer, Call, Route

HELD = 0.25
"""Seconds of the CPU between two turns of the loop; promised are 0.05 on a machine of its own."""
MEMORY = 96 * 2**20


@asynccontextmanager
async def watched() -> AsyncGenerator[dict[str, float]]:
    """Yield how long the loop was held at most, in CPU seconds, and by how many bytes we grew."""
    seen = {"held": 0.0, "bytes": 0.0}
    start = _resident()

    async def beat() -> None:
        last = real_time.process_time()
        while True:
            await asyncio.sleep(0)
            now = real_time.process_time()
            seen["held"] = max(seen["held"], now - last)
            seen["bytes"] = max(seen["bytes"], _resident() - start)
            await asyncio.sleep(0.005)
            last = real_time.process_time()

    task = asyncio.create_task(beat())
    try:
        yield seen
    finally:
        task.cancel()


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def pours(head: bytes, piece: bytes) -> AsyncGenerator[str]:
    """Run a server that sends `head` and then `piece` for as long as anybody listens."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(64 * 2**20), 1)
DEFLATED = zlib.compress(bytes(64 * 2**20), 1)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        pytest.param(b"HTTP/1.1 200 ", b"x" * 60_000, id="status line"),
        pytest.param(OK, b"X: y\r\n" * 1_000, id="headers"),
        pytest.param(OK, b"Set-Cookie: a=b\r\n" * 1_000, id="cookies"),
        pytest.param(OK + b"X: ", b"x" * 60_000, id="header"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, id="interim answers"),
        pytest.param(OK + b"\r\n", b"x" * 60_000, id="body"),
        pytest.param(CHUNKED, b"1\r\nx\r\n" * 5_000, id="chunks"),
        pytest.param(CHUNKED + b"1;", b"x" * 60_000, id="chunk extension"),
        pytest.param(CHUNKED, b"1;" + b"x" * 4_000 + b"\r\nx\r\n", id="chunk extensions"),
        pytest.param(CHUNKED + b"0\r\n", b"X: y\r\n" * 1_000, id="trailers"),
        pytest.param(OK + b"Content-Encoding: gzip\r\n\r\n", BOMB, id="gzip"),
        pytest.param(OK + b"Content-Encoding: deflate\r\n\r\n", DEFLATED, id="deflate"),
        pytest.param(OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 60_000, id="long body"),
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_answer_without_end(
    newest: TimedServer, http: Http, head: bytes, piece: bytes
) -> None:
    """Whatever part of it is without end, it ends here, and does not fill the memory."""
    async with pours(head, piece) as url, watched() as seen:
        start = real_time.monotonic()
        status, _ = await failure(http.connection(newest, url=url).open())
        assert real_time.monotonic() - start < 20
    assert status in ("error", "timeout", "unreachable")
    assert seen["bytes"] < MEMORY


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'["' + b'\\"' * 290_000, id="580 kB of escapes"),
        pytest.param(b'["' + b'\\"' * 4_100_000, id="8 MB of escapes"),
        pytest.param(b"[" + b'"a' * 2_000_000, id="quotes"),
        pytest.param(b"[" + b"[]," * 140_000 + b"0]", id="rows of another form"),
        pytest.param(b"[" + b"[" * 4_000_000, id="brackets"),
        pytest.param(b'["' + b"," * 8_000_000 + b'"]', id="commas in a text"),
        pytest.param(b'["' + b"\\u00e9" * 1_300_000 + b'"]', id="escaped letters"),
    ],
)
@pytest.mark.parametrize("endpoint", ["log/main", "torrents/info"])
async def test_long_answer(newest: TimedServer, http: Http, endpoint: str, body: bytes) -> None:
    """It is an `error` soon, and nothing else has to wait for that."""
    client = http.client(newest)
    await client.open()
    newest.faults.answer(200, body, JSON, endpoint)
    async with watched() as seen:
        ask = client.vitals() if endpoint == "log/main" else client.find(magnets(1))
        status, _ = await failure(ask)
    assert status == "error"
    assert seen["held"] < HELD


def endless(server: FakeQBittorrent) -> None:
    """Let the server list ever new hybrid torrents, page for page."""

    def listed(call: Call) -> Answer:
        offset, limit = (int(call.params.get(name, "0")) for name in ("offset", "limit"))
        rows = [
            f'{{"hash":"{number:040x}","infohash_v1":"{number:040x}","infohash_v2":"{number:064x}"}}'
            for number in range(offset + 10**6, offset + 10**6 + limit)
        ]
        return Answer(200, f"[{','.join(rows)}]".encode(), JSON)

    server.api._routes["torrents/info"] = Route(listed)


async def test_list_without_end(newest: TimedServer, http: Http) -> None:
    """Its pages are counted; a list that is merely long is read to its end."""
    endless(newest)
    client = http.client(newest)
    async with watched() as seen:
        with pytest.raises(EndlessAnswerError):
            await client.find(magnets(1))
    assert len(newest.requests_to("torrents/info")) <= module.HYBRID_REQUESTS + 1
    assert seen["bytes"] < MEMORY


@pytest.mark.parametrize("bound", ["HYBRID_SECONDS", "HYBRID_BYTES"])
async def test_list_is_bounded_in_time_and_bytes(
    newest: TimedServer, http: Http, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    endless(newest)
    monkeypatch.setattr(module, bound, 0.2 if bound == "HYBRID_SECONDS" else 300_000)
    if bound == "HYBRID_SECONDS":
        newest.faults.delay(0.1, "torrents/info")
    with pytest.raises(EndlessAnswerError):
        await http.client(newest).find(magnets(1))
    assert len(newest.requests_to("torrents/info")) < 15


async def test_more_than_was_asked_for(newest: TimedServer, http: Http) -> None:
    """A server that ignores the limit of a page is not read page by page."""
    newest.api._routes["torrents/info"] = Route(
        lambda _: Answer(200, b"[" + b",".join([b'{"hash":"aa"}'] * 5_000) + b"]", JSON)
    )
    with pytest.raises(EndlessAnswerError):
        await http.client(newest).find(magnets(1))


async def test_long_names_are_asked_for_in_parts(
    newest: TimedServer, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is too long for many torrents is asked for again, for fewer."""
    monkeypatch.setattr(module, "LIST_ANSWER", 300_000)
    newest.add(*(link(number, name="x" * 30_000) for number in range(1, 31)))
    found = await http.client(newest).find(magnets(*range(1, 31)))
    assert found == {info_hash(number) for number in range(1, 31)}


async def test_status_of_a_server_without_end(newest: TimedServer, http: Http, time: Time) -> None:
    """It stays `error`, with the reason, although it answers checks; then it has another chance."""
    monitor = InstanceMonitor(http.settings(newest), http.client(newest), clock=time.clock)
    assert await monitor.check() == "ok"
    for pause in (ENDLESS_SECONDS[0], ENDLESS_SECONDS[0] * 2):
        monitor.report_failure(EndlessAnswerError("the list goes on without end"))
        assert monitor.status == "error"
        assert await monitor.check() == "error"
        assert monitor.reason == "the list goes on without end"
        time.seconds += pause - 1
        assert await monitor.check() == "error"
        time.seconds += 1
        assert await monitor.check() == "ok"
        assert monitor.reason is None
    monitor.report_failure(EndlessAnswerError("again"))
    await newest.restart()
    assert await monitor.check() == "ok", "another process"
    monitor.close()


async def test_failed_saves_do_not_pile_up(
    newest: TimedServer, http: Http, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many a server tells of, the latest are remembered."""
    client = http.client(newest)
    monitor = InstanceMonitor(http.settings(newest), client, clock=time.clock)
    told = 0

    async def vitals() -> Any:
        nonlocal told
        told += 15_000
        new = tuple(time.seconds + number / 1000 for number in range(told - 15_000, told))
        return Vitals("connected", new, from_the_beginning=False)

    monkeypatch.setattr(type(client), "vitals", lambda self: vitals())
    for _ in range(6):
        assert await monitor.check() == "not_saving"
        assert len(monitor._known_failures) <= MOST_FAILURES
    assert max(monitor._known_failures) == time.seconds + (told - 1) / 1000
    monitor.close()


async def test_pause_starts_anew_once_it_was_well(
    newest: TimedServer, http: Http, time: Time
) -> None:
    """Answers without end that lie weeks apart have nothing to do with each other."""
    monitor = InstanceMonitor(http.settings(newest), http.client(newest), clock=time.clock)
    for _ in range(4):
        monitor.report_failure(EndlessAnswerError("the list goes on without end"))
        time.seconds += ENDLESS_SECONDS[0] - 1
        assert await monitor.check() == "error"
        time.seconds += 1
        assert await monitor.check() == "ok"
        time.seconds += 7 * 86_400
        assert await monitor.check() == "ok"
    monitor.close()


async def test_slow_server_is_not_one_without_end(
    newest: TimedServer, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the time was over after a few pages, it was merely slow, or waited for the VPN."""
    endless(newest)
    monkeypatch.setattr(module, "HYBRID_SECONDS", 1.0)
    newest.faults.delay(5, "torrents/info")
    with pytest.raises(TimedOutError):
        await http.client(newest)._hybrids()
