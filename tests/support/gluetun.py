"""`FakeGluetun`: a real HTTP server on 127.0.0.1 that answers as gluetun's control server.

The table is that of gluetun's sources: bodies are JSON without a type of their own, so Go guesses
`text/plain; charset=utf-8`; what is refused, and how, depends on the version.
"""

import asyncio
from base64 import b64encode
from dataclasses import dataclass
import json
import socket
from typing import Literal, Self

from aiohttp import web

type Version = Literal["v3.39.0", "v3.40.0", "v3.41.3", "latest"]
type Fault = Literal["hang", "html", "endless", "drip", "redirect", "error", "cut", "garbage"]

EXIT = "198.51.100.7"
STATUS, PUBLIC_IP = "/v1/vpn/status", "/v1/publicip/ip"
_OPEN_BY_DEFAULT = (STATUS, PUBLIC_IP, "/v1/version", "/v1/dns/status", "/v1/updater/status")
_DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire; the path has its query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class FakeGluetun:
    """One control server; change its attributes at any time, read `requests`.

    `faults` are by path, "*" stands for every path. Without credentials, what is open depends on
    the version. `keyless` are routes whose role knows the key not.
    """

    def __init__(self, version: Version = "v3.41.3", *, status: str = "running") -> None:
        self.version: Version = version
        self.status: object = status
        self.public_ip: object = EXIT
        self.api_key = self.username = self.password = ""
        self.keyless: set[str] = set()
        self.faults: dict[str, Fault] = {}
        self.requests: list[Asked] = []
        self.port = 0
        self._released = asyncio.Event()
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def fields(self) -> dict[str, str]:
        """What the user enters to have it asked."""
        return {
            "gluetun_url": self.url,
            "gluetun_api_key": self.api_key,
            "gluetun_username": self.username,
            "gluetun_password": self.password,
        }

    def say(self, status: str, public_ip: str = "") -> None:
        """Be in another state from now on; the address is known while the tunnel is up only."""
        self.status, self.public_ip = status, public_ip

    @property
    def paths(self) -> list[str]:
        """What was asked, in order."""
        return [one.path for one in self.requests]

    async def listen(self) -> None:
        """Accept connections, on the same port as ever."""
        self._released = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0)
        await self._runner.setup()
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(("127.0.0.1", self.port))
        self.port = opened.getsockname()[1]
        await web.SockSite(self._runner, opened).start()

    async def refuse(self) -> None:
        """Cut all connections and refuse new ones."""
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = dict(request.headers)
        body = await request.read()
        self.requests.append(Asked(request.method, request.path_qs, headers, body))
        fault = self.faults.get(request.path, self.faults.get("*"))
        if fault is not None:
            return await self._fail(request, fault)
        return self._answer(request)

    def _answer(self, request: web.BaseRequest) -> web.Response:
        early = self.version == "v3.39.0"
        if not (early and not self._guarded) and not self._allowed(request):
            basic = self.username and "Authorization" not in request.headers
            challenge = {"WWW-Authenticate": 'Basic realm="restricted", charset="UTF-8"'}
            return _text(401, "Unauthorized\n", challenge if basic else {})
        answers = {STATUS: {"status": self.status}, PUBLIC_IP: {"public_ip": self.public_ip}}
        if request.path_qs not in answers:
            return _text(400 if early else 404, "Not Found\n")
        if request.method != "GET":
            return _text(400 if early else 405, "Method Not Allowed\n")
        return _text(200, json.dumps(answers[request.path_qs], separators=(",", ":")) + "\n")

    @property
    def _guarded(self) -> bool:
        return bool(self.api_key or self.username)

    def _allowed(self, request: web.BaseRequest) -> bool:
        """Tell whether the role of this route knows the caller."""
        if not self._guarded:
            return self.version != "latest" and request.path in _OPEN_BY_DEFAULT
        if request.path in self.keyless:
            return False
        if self.api_key:
            return request.headers.get("X-API-Key") == self.api_key
        login = b64encode(f"{self.username}:{self.password}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {login}"

    async def _fail(self, request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
        if fault == "html":
            return web.Response(
                text="<!DOCTYPE html><title>Router</title>", content_type="text/html"
            )
        if fault == "redirect":
            return web.Response(status=301, headers={"Location": f"{self.url}/v1/portforward"})
        if fault in ("error", "garbage"):
            return _text(502 if fault == "error" else 200, '{"status":')
        if fault == "hang":
            await self._released.wait()
        if fault in ("hang", "cut"):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        stream = web.StreamResponse()
        await stream.prepare(request)
        while not self._released.is_set():
            await stream.write(b" " if fault == "drip" else bytes(16 * 1024))
            await asyncio.sleep(_DRIP_SECONDS if fault == "drip" else 0)
        return stream


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=text, headers=headers)
