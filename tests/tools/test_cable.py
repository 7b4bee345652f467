"""The wire: it passes everything on, can be cut, and keeps the answer to an add back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
import threading

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.dialect import add_fields
from custom_components.qbittorrent_resilient.core.qbittorrent.form import Form
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import eventually
from tools.soak.cable import Cable, Trap, Wiring

KEY, OTHER = "a" * 40, "b" * 40
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOk."


def post(path: str, fields: Mapping[str, str]) -> bytes:
    """Return a request as the integration sends it."""
    body = Form(fields).decode()
    return f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


# Something follows the hash, so that a request without its end has it.
WISHES = AddOptions(stopped=False)
ADD = post("/api/v2/torrents/add", add_fields([f"magnet:?xt=urn:btih:{KEY}"], WISHES))
LIST = post("/api/v2/torrents/info", {"hashes": f"{KEY}|{OTHER}"})


class Far:
    """A server that answers every whole request, and what reached it."""

    def __init__(self) -> None:
        self.received = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.received += data
            if self.received.endswith((ADD, LIST)):
                writer.write(ANSWER)
        writer.close()


@pytest.fixture
async def far(socket_enabled: None) -> AsyncIterator[tuple[Far, str]]:
    far = Far()
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
    async with server:
        yield far, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def connect(cable: Cable) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(cable.url.rpartition(":")[2]))


async def test_it_passes_on_and_tells_what_passes(far: tuple[Far, str]) -> None:
    seen: list[tuple[set[str], set[str], bytes]] = []
    cable = Cable(far[1], lambda sent, asked: seen.append((sent, asked, far[0].received)))
    async with cable:
        reader, writer = await connect(cable)
        for request in (ADD, LIST):
            writer.write(request)
            assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.close()
    assert far[0].received == ADD + LIST
    assert seen == [({KEY}, set(), b""), (set(), {KEY, OTHER}, ADD)]


async def test_cut_it_refuses_and_mended_it_has_its_address_again(far: tuple[Far, str]) -> None:
    cable = Cable(far[1], lambda *_: None)
    async with cable:
        reader, writer = await connect(cable)
        await cable.cut()
        assert cable.is_cut
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await connect(cable)
        await cable.__aenter__()
        reader, writer = await connect(cable)
        writer.write(LIST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.close()


async def test_a_trap_keeps_the_answer_to_an_add_back(far: tuple[Far, str]) -> None:
    cable = Cable(far[1], lambda *_: None)
    async with cable:
        reader, writer = await connect(cable)
        cable.trap = trap = Trap()
        writer.write(LIST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        assert not trap.sprung.done()
        writer.write(ADD)
        await asyncio.wrap_future(trap.sprung)
        assert far[0].received == LIST + ADD
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        writer.close()


async def test_a_trap_acts_before_an_add_arrives_and_springs_when_it_has(
    far: tuple[Far, str],
) -> None:
    before: list[bytes] = []
    cable = Cable(far[1], lambda *_: None)
    async with cable:
        _, writer = await connect(cable)
        cable.trap = trap = Trap(lambda: before.append(far[0].received))
        writer.write(ADD[:-5])
        await eventually(lambda: before)
        assert before == [b""]
        assert not trap.sprung.done()
        writer.write(ADD[-5:])
        await asyncio.wrap_future(trap.sprung)
        writer.close()


def test_wiring_works_in_a_thread_of_its_own() -> None:
    threads: list[threading.Thread] = []

    async def work() -> None:
        threads.append(threading.current_thread())

    wiring = Wiring()
    wiring.do(work())
    wiring.end()
    assert threads != [threading.current_thread()]
