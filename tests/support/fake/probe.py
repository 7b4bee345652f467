"""A client that notes what it is answered, leaving out what differs from run to run."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
import json
import re
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

type See = Callable[[bytes], object]
type Control = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """A server to probe: real or fake."""

    url: str
    username: str
    password: str
    settle_time: float
    restart: Control
    freeze: Control
    thaw: Control


def whole(body: bytes) -> object:
    """See the whole text."""
    return body.decode()


def nothing(body: bytes) -> object:
    """See nothing of the body."""
    return None


def size_class(body: bytes) -> object:
    """See only whether there is a body."""
    return bool(body)


def keys(body: bytes) -> object:
    """See the names in a JSON object, or in the first of a list."""
    data = json.loads(body)
    return sorted(data[0] if isinstance(data, list) else data)


def value(*names: str) -> See:
    """See some values of a JSON object."""
    return lambda body: {name: json.loads(body).get(name, "missing") for name in names}


def column(*names: str) -> See:
    """See some fields of the rows of a JSON list, in their order."""
    return lambda body: [tuple(row[name] for name in names) for row in json.loads(body)]


def hashes(body: bytes) -> object:
    """See every hash of what is listed, in any order."""
    names = ("hash", "infohash_v1", "infohash_v2")
    return sorted(tuple(row[name] for name in names) for row in json.loads(body))


def ids(body: bytes) -> object:
    """See which torrents are listed, in any order."""
    return sorted(row["hash"] for row in json.loads(body))


class Probe:
    """Sends requests, with the session cookie it was given, and notes the answers."""

    def __init__(self, target: Target, session: ClientSession) -> None:
        """Start without a log-in."""
        self.target = target
        self.cookie = ""
        self.encoding = ""
        self.notes: list[tuple[object, ...]] = []
        self._session = session

    async def get(self, path: str, see: See = whole, **headers: str) -> bytes:
        """Send a GET."""
        return await self.send("GET", path, see=see, headers=headers)

    async def post(
        self, path: str, form: Mapping[str, str] | None = None, see: See = whole, **headers: str
    ) -> bytes:
        """Send a form."""
        return await self.send("POST", path, data=form or {}, see=see, headers=headers)

    async def login(self, password: str | None = None, **headers: str) -> None:
        """Log in, with the right password unless told otherwise."""
        form = {"username": self.target.username, "password": password or self.target.password}
        await self.send("POST", "auth/login", data=form, headers=headers)

    async def add(self, urls: str, **fields: str) -> None:
        """Add torrents, stopped."""
        form = {"urls": urls, "paused": "true", "stopped": "true"} | fields
        await self.post("torrents/add", form)

    async def settle(self) -> None:
        """Give the server the time to list what was added."""
        await asyncio.sleep(self.target.settle_time)

    async def send(
        self,
        method: str,
        path: str,
        *,
        data: object = None,
        see: See = whole,
        headers: Mapping[str, str] | None = None,
        skip: Sequence[str] = (),
        seconds: float = 10,
    ) -> bytes:
        """Send anything; note the answer or the failure, return the body."""
        sent = {name.replace("_", "-"): text for name, text in (headers or {}).items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        shown = {name: text for name, text in sent.items() if name != "Cookie"}
        details = f"{data if isinstance(data, dict) else ''} {shown or ''}".strip()
        asked = method, path, self._mask(re.sub(r"qbt_\w+", "KEY", details))[:300]
        url = self.target.url + (path if path.startswith("/") else f"/api/v2/{path}")
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                headers=sent,
                skip_auto_headers=skip,
                allow_redirects=False,
                timeout=ClientTimeout(seconds),
            ) as response:
                body = await response.read()
        except (ClientError, TimeoutError) as error:
            self.notes.append((*asked, type(error).__name__))
            return b""
        seen = str(see(body) if response.status < 400 else whole(body))
        self.notes.append((*asked, *self._outline(response), self._mask(seen)))
        return body

    def _outline(self, response: ClientResponse) -> tuple[object, ...]:
        """Keep the cookie for the next requests; return what is comparable of the head."""
        cookie = response.headers.get("Set-Cookie", "")
        if cookie:
            pair = cookie.partition(";")[0]
            self.cookie = "" if pair.endswith("=") else pair
        shown = re.sub(r"=[^;]{20,}?(?=;|$)", "=*", cookie)
        shown = re.sub(r"expires=[^;]*", "expires=*", shown)
        closes = response.headers.get("Connection", "").lower() == "close"
        kind = response.headers.get("Content-Type")
        self.encoding = response.headers.get("Content-Encoding", "")
        return response.status, response.reason, kind, self._mask(shown), closes

    def _mask(self, seen: str) -> str:
        """Replace the server's port, wherever it appears in a text."""
        return seen.replace(self.target.url.rpartition(":")[2], "PORT")


def only(names: Sequence[str]) -> See:
    """See some fields of all rows of a JSON list, sorted."""

    def see(body: bytes) -> object:
        rows: list[dict[str, Any]] = json.loads(body)
        return sorted(tuple(str(row[name]) for name in names) for row in rows)

    return see
