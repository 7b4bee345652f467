"""A web server that gives what real ones give: files, redirects, and all that is neither."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
import gzip
import socket
from typing import Any, override

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOGIN_PAGE = "<!DOCTYPE html><html><form action='/login'><input type=password></form></html>"


class WebHost:
    """Serves what tests put at its paths; `requests` has what was asked."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = 0
        self.requests: list[web.BaseRequest] = []
        self.sent = 0
        """Bytes of endless answers that somebody took."""
        self._at: dict[str, Handler] = {}
        self._closing = asyncio.Event()

    def url(self, path: str, *, host: str | None = None, login: str = "") -> str:
        """Return the address of a path."""
        return f"http://{login}{host or self.address}:{self.port}{path}"

    def at(self, path: str, handler: Handler) -> str:
        """Have a path handled so; return its address."""
        self._at[path] = handler
        return self.url(path)

    def give(self, path: str, body: bytes | str = b"", *, status: int = 200, **headers: str) -> str:
        """Answer so at a path; `headers` have underscores. Return its address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body

        async def handle(_: web.Request) -> web.StreamResponse:
            return web.Response(body=data, status=status, headers=named)

        return self.at(path, handle)

    def redirect(self, path: str, location: str, status: int = 302) -> str:
        """Redirect a path; return its address."""
        return self.give(path, status=status, Location=location)

    def endless(self, path: str, piece: bytes = b"x" * 65536, **headers: str) -> str:
        """Answer at a path without end; return its address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def handle(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers=named)
            await answer.prepare(request)
            while True:
                await answer.write(piece)
                self.sent += len(piece)

        return self.at(path, handle)

    def bomb(self, path: str, megabytes: int) -> str:
        """Answer at a path with a few bytes that decompress to so many megabytes."""
        return self.give(path, gzip.compress(bytes(megabytes << 20)), Content_Encoding="gzip")

    def hang(self, path: str) -> str:
        """Never answer at a path; return its address."""

        async def handle(_: web.Request) -> web.StreamResponse:
            await self._closing.wait()
            return web.Response(status=500)

        return self.at(path, handle)

    def asked(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(one.path == path for one in self.requests)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        handler = self._at.get(request.path)
        if handler is None:
            return web.Response(status=404, text="<html>Not found</html>")
        return await handler(request)  # type: ignore[arg-type]

    def close(self) -> None:
        """Let go of what hangs."""
        self._closing.set()

    async def open(self) -> web.ServerRunner:
        """Listen from now on; return what ends that."""
        runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, self.address, self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner


@asynccontextmanager
async def web_host(address: str = "127.0.0.1") -> AsyncGenerator[WebHost]:
    """Run a web server."""
    host = WebHost(address)
    runner = await host.open()
    try:
        yield host
    finally:
        host.close()
        await runner.cleanup()


class Names(AbstractResolver):
    """Knows the names that a test tells; each look-up takes the next of its answers."""

    def __init__(self, **names: str | list[str]) -> None:
        self.answers = {
            name.replace("_", "."): [told] if isinstance(told, str) else told
            for name, told in names.items()
        }

    @override
    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        if (answers := self.answers.get(host)) is None:
            raise OSError("no such name")
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        """Hold nothing."""
