"""A fake of each version and a client that shows each answer as it is."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
import json
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar
import pytest

from tests.support.fake import Dialect, FakeQBittorrent

H1, H2, H3 = "a" * 40, "b" * 40, "c" * 40


def link(info_hash: str) -> str:
    """Return a v1 magnet link."""
    return f"magnet:?xt=urn:btih:{info_hash}"


@dataclass(slots=True)
class Shown:
    """One answer."""

    status: int
    text: str
    headers: Any
    reason: str | None = None

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


class Client:
    """Sends requests with a cookie it was told to keep."""

    def __init__(self, session: ClientSession, server: FakeQBittorrent) -> None:
        """Start without a log-in."""
        self.session = session
        self.server = server
        self.cookie = ""
        self.patience: float = 10

    async def send(self, method: str, path: str, data: Any = None, **headers: str) -> Shown:
        """Send a request and read the answer."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        url = self.server.url + (path if path.startswith("/") else f"/api/v2/{path}")
        async with self.session.request(
            method, url, data=data, headers=sent, timeout=ClientTimeout(self.patience)
        ) as response:
            return Shown(response.status, await response.text(), response.headers, response.reason)

    async def get(self, path: str, **headers: str) -> Shown:
        """Send a GET."""
        return await self.send("GET", path, None, **headers)

    async def post(self, path: str, **form: str) -> Shown:
        """Send a form."""
        return await self.send("POST", path, form)

    async def login(self, password: str = "secret") -> Shown:
        """Log in and keep the cookie."""
        shown = await self.post("auth/login", username="admin", password=password)
        if cookie := shown.headers.get("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        return shown

    async def hashes(self) -> set[str]:
        """Return what is listed."""
        return {row["hash"] for row in (await self.get("torrents/info")).json}


@pytest.fixture
async def fake(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Give a fake of each version."""
    async with FakeQBittorrent(dialect) as server:
        yield server


@pytest.fixture
async def stranger(fake: FakeQBittorrent) -> AsyncGenerator[Client]:
    """Give a client that has not logged in."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield Client(session, fake)


@pytest.fixture
async def client(stranger: Client) -> Client:
    """Give a client that has logged in."""
    await stranger.login()
    return stranger
