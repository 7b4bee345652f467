"""Between socket and API: receives requests, applies faults, sends answers."""

import asyncio
from email.utils import formatdate
import gzip
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import ClientError, web

from .answer import Answer
from .faults import Fault, Kind
from .record import Received, parse_query

if TYPE_CHECKING:
    from .server import FakeQBittorrent

_MAX_BODY = 64 * 2**20
_GZIP_ABOVE = 1024


class Wire:
    """Handles the requests of one server."""

    def __init__(self, server: FakeQBittorrent) -> None:
        """Attach to the server."""
        self.running = asyncio.Event()
        self._server = server
        self._tasks: set[asyncio.Task[object]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one request, and be known while it lasts."""
        tasks = {task for task in (asyncio.current_task(), request.task) if task}
        self._tasks |= tasks
        try:
            return await self._serve(request)
        finally:
            self._tasks -= tasks

    async def abandon(self) -> None:
        """Stop handling all requests, whatever they wait for."""
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Receive, execute and answer one request, or fail at it as told."""
        received = await self._receive(request)
        if not received.complete:
            return _cut(request)
        await self.running.wait()
        fault = self._server.faults.take(received.endpoint)
        if fault and not fault.after and (failed := await self._fail(request, received, fault)):
            return failed
        answer = self._execute(received)
        if fault and fault.after:
            if fault.kind is Kind.TRICKLE:
                return await self._trickle(request, answer, fault)
            if failed := await self._fail(request, received, fault):
                return failed
        await self.running.wait()
        received.status = answer.status
        return self._respond(request, answer)

    async def _receive(self, request: web.BaseRequest) -> Received:
        """Record a request, then read its body."""
        server, path = self._server, request.rel_url.raw_path
        inside = path.startswith(f"{server.prefix}/")
        peer = request.transport.get_extra_info("peername") if request.transport else ("", 0)
        received = Received(
            time=server.now(),
            method=request.method,
            path=path.removeprefix(server.prefix) if inside else path,
            query=parse_query(request.rel_url.raw_query_string),
            headers=request.headers,
            remote=peer[0],
            remote_port=peer[1],
            outside=not inside,
        )
        server.record.requests.append(received)
        body = bytearray()
        try:
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > _MAX_BODY:
                    return received
        except ClientError, ConnectionError:
            return received
        received.read(bytes(body))
        return received

    def _execute(self, received: Received) -> Answer:
        """Do what the request asks for."""
        server = self._server
        if received.method not in ("GET", "HEAD", "POST"):
            return Answer(server.dialect.other_method_status, close=True)
        if received.outside:
            return Answer(404, b"<html>no such site</html>", "text/html")
        if not received.understood:
            return Answer(400, close=True)
        if (refused := server.in_front(received)) is not None:
            return refused
        server.on_request(received)
        return server.api.handle(received)

    async def _fail(
        self, request: web.BaseRequest, received: Received, fault: Fault
    ) -> web.StreamResponse | None:
        """Apply a fault; None means to go on."""
        match fault.kind:
            case Kind.HANG:
                await fault.cleared.wait()
                return _cut(request)
            case Kind.CUT:
                return _cut(request)
            case Kind.DELAY:
                await asyncio.sleep(fault.seconds)
            case Kind.ANSWER:
                received.status = fault.status
                answer = Answer(fault.status, fault.body, fault.content_type, dict(fault.headers))
                return self._respond(request, answer)
        return None

    async def _trickle(
        self, request: web.BaseRequest, answer: Answer, fault: Fault
    ) -> web.StreamResponse:
        """Send an answer byte by byte."""
        response = web.StreamResponse(status=answer.status, headers=_headers(answer))
        response.content_length = len(answer.body)
        await response.prepare(request)
        for byte in answer.body:
            await response.write(bytes([byte]))
            await asyncio.sleep(fault.seconds)
        await response.write_eof()
        return response

    def _respond(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        """Return the response for an answer."""
        if answer.close:
            return _close(request, answer.status)
        headers, body = _headers(answer), answer.body
        if len(body) > _GZIP_ABOVE and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        reason = self._server.dialect.good_reason if answer.status < 400 else None
        return web.Response(status=answer.status, reason=reason, headers=headers, body=body)


def _headers(answer: Answer) -> dict[str, str]:
    """Return the headers of an answer."""
    kind = {"Content-Type": answer.content_type} if answer.content_type else {}
    return kind | answer.headers


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _close(request: web.BaseRequest, status: int) -> web.StreamResponse:
    """Send the bare answer of the server's request parser and close."""
    if request.transport is not None:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nconnection: close\r\n"
            f"content-length: 0\r\ndate: {formatdate(usegmt=True)}\r\n\r\n"
        )
        request.transport.write(head.encode())
        request.transport.close()
    return web.Response()
