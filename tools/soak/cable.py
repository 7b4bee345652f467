"""The wires between Home Assistant and the servers: they can be cut, and keep an answer back."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
import re
import threading
from typing import Any, Self, override

from tests.support.harness.forwarder import CHUNK, Forwarder
from tests.support.harness.process import free_port

_HASH = rb"([0-9a-f]{40})"
_SENT = re.compile(rb"btih(?::|%3A)" + _HASH)
_ASKED_FOR = re.compile(rb"(?:hashes=|\||%7C)" + _HASH)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_THREAD_SECONDS = 20.0

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Witness = Callable[[set[str], set[str]], None]
"""Is told of the hashes that are sent, and of those that are asked for, before they get there."""


class Trap:
    """Lies in wait for the next add: keeps its answer back, or lets something happen first."""

    def __init__(self, before: Callable[[], None] | None = None) -> None:
        """With `before`, that is called as the add comes; it is over when the add was passed on."""
        self.before = before
        self.sprung: Future[None] = Future()


class Cable(Forwarder):
    """A wire to one server, with a port of its own that stays the same."""

    def __init__(self, url: str, witness: Witness) -> None:
        """Lead to the server at `url`, once mended."""
        super().__init__(url)
        self._port = free_port()
        self._witness = witness
        self.trap: Trap | None = None

    @property
    @override
    def url(self) -> str:
        """Return the address at which Home Assistant reaches the server."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_cut(self) -> bool:
        """Return whether nobody listens."""
        return self._server is None

    @override
    async def __aenter__(self) -> Self:
        """Listen, if nobody does."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def cut(self) -> None:
        """Close everything: connections are refused from now on."""
        if self._server is not None:
            self._server.close_clients()
            await self.__aexit__(None, None, None)
            self._server = None

    @override
    async def _both_ways(self, near: Streams, far: Streams) -> None:
        """Pass on until one of the two has nothing more to say; look at what passes."""
        request = bytearray()
        trap: Trap | None = None

        async def requests() -> None:
            nonlocal trap
            while data := await near[0].read(CHUNK):
                request.extend(data)
                sent = _hashes(_SENT, request)
                self._witness(sent, _hashes(_ASKED_FOR, request))
                if sent and self.trap is not None:
                    trap, self.trap = self.trap, None
                    if trap.before is not None:
                        trap.before()
                far[1].write(data)
                await far[1].drain()
                if trap is not None and trap.before is not None and _is_whole(request):
                    trap.sprung.set_result(None)

        async def answers() -> None:
            while data := await far[0].read(CHUNK):
                request.clear()
                if trap is None:
                    near[1].write(data)
                    await near[1].drain()
                elif not trap.sprung.done():
                    trap.sprung.set_result(None)

        tasks = [asyncio.create_task(one) for one in (requests(), answers())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Wiring:
    """Runs cables in a thread of its own: nothing that the soak waits for holds them up."""

    def __init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cables", daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something there, and wait until it is done."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_THREAD_SECONDS)

    def end(self) -> None:
        """Stop the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_THREAD_SECONDS)


def _hashes(pattern: re.Pattern[bytes], request: bytearray) -> set[str]:
    return {found.decode() for found in pattern.findall(request)}


def _is_whole(request: bytearray) -> bool:
    """Tell whether a request has come to its end."""
    head, _, body = request.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return length is not None and len(body) >= int(length[1])
