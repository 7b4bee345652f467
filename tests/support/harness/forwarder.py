"""Passes TCP connections on to a server, and counts what came for it."""

import asyncio
from collections.abc import Callable
import contextlib
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536


class Forwarder:
    """A port mapping: it listens on a port of its own on loopback and forwards to `url`.

    `connections` and `received` (bytes from the clients) grow until `forget`; `listener` is called
    at each connection and each piece of a request, before anything is passed on.
    """

    def __init__(self, url: str) -> None:
        """Forward to the server at `url`, once entered."""
        self._parts = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.received = 0
        self.listener: Callable[[], object] | None = None

    @property
    def url(self) -> str:
        """Return the address at which clients reach the server through this."""
        assert self._server is not None, "it is not listening"
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(self._parts._replace(netloc=f"127.0.0.1:{port}"))

    def forget(self) -> None:
        """Count from zero."""
        self.connections = self.received = 0

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close everything."""
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side has closed."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self.connections += 1
        self._tell()
        try:
            with contextlib.suppress(OSError):
                far = await asyncio.open_connection(self._parts.hostname, self._parts.port)
                try:
                    await self._both_ways((reader, writer), far)
                finally:
                    far[1].close()
        except asyncio.CancelledError:
            pass  # nobody waits for this; the stream's own callback would only complain
        finally:
            writer.close()
            self._running.discard(task)

    async def _both_ways(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Pass on until one of the two has nothing more to say."""
        ways = (self._requests(near[0], far[1]), self._answers(far[0], near[1]))
        tasks = [asyncio.create_task(one) for one in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _requests(self, near: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        while data := await near.read(CHUNK):
            self._came(data)
            far.write(data)
            await far.drain()

    async def _answers(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        while data := await far.read(CHUNK):
            if not self._goes(data):
                return
            near.write(data)
            await near.drain()

    def _came(self, data: bytes) -> None:
        """Take note of a piece of a request, before it is passed on."""
        self.received += len(data)
        self._tell()

    def _goes(self, data: bytes) -> bool:
        """Tell whether a piece of an answer is passed on; else the client is hung up on."""
        return True

    def _tell(self) -> None:
        if self.listener is not None:
            self.listener()
