"""One HTTP exchange with one server, which every request goes through.

No cookie jar is used: aiohttp's default jar drops the cookies of hosts given as an IP address, and
a jar that keeps them mixes up two servers on one host, as cookies ignore ports. A request
carries the cookies of its session; those that an answer sets are returned with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
import re

import aiohttp
from yarl import URL

from .answer import Answer
from .cookies import changes
from .errors import TimedOutError
from .failures import read_limited, server_error
from .form import AddFiles, AddForm, AddPayload, Form, TorrentPart
from .gate import Content, Gate
from .models import ServerSettings
from .proxy import basic
from .session import Session

REQUEST_SECONDS = 10.0
"""Time limit of a small request; a busy server was seen to take 1.4 s (docs/qbittorrent.md)."""
CONNECT_SECONDS = 5.0
"""Time limit of the TCP connection; a kernel repeats a lost SYN after 1 and 3 s."""
SMALL_ANSWER = 256 * 1024
"""Bytes; longer than any right answer to a small request."""
MOST_LOCATION = 2048
"""Characters of a redirect that are looked at; browsers take as many for an address."""
_PLACE_CHARACTERS = 200
_WORD = re.compile(r"[A-Za-z._-]{1,24}")
"""Keys and tokens are longer, or have digits."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the Web API; `path` is the part of the URL below `/api/v2/`.

    `seconds` (None: REQUEST_SECONDS) limit the whole exchange, `limit` the bytes of the answer. A
    request with magnets must not arrive once it is given up; it asks the gate twice, and `confirm`.
    """

    method: str
    path: str
    form: Mapping[str, str] | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = None
    seconds: float | None = None
    limit: int = SMALL_ANSWER
    content: Content = Content.QUESTION
    files: Sequence[TorrentPart] = field(default=(), repr=False)
    confirm: Callable[[], None] | None = None

    def after(self, seconds: float) -> Request:
        """Return the request with so much of its time used up; raises TimedOutError if all is."""
        if self.seconds is None:
            return self
        if (left := self.seconds - seconds) <= 0:  # to aiohttp, that is no limit
            raise TimedOutError("what came before took all of its time")
        return replace(self, seconds=left)

    def body(self, gate: Gate | None) -> Form | AddPayload | None:
        """Return the body for one exchange; with magnets, it asks `gate` once it is connected."""
        if self.form is None:
            return None
        if self.content is not Content.MAGNETS:
            return Form(self.form)
        is_form = not self.files
        body = AddForm(self.form, gate) if is_form else AddFiles(self.form, self.files, gate)
        body.confirm = self.confirm
        return body


class Exchange:
    """Sends requests and reads answers; the caller opens and keeps the session."""

    def __init__(
        self, http: aiohttp.ClientSession, settings: ServerSettings, gate: Gate | None
    ) -> None:
        """Send through `http`, and ask `gate` before every request."""
        self._http = http
        self._settings = settings
        self._gate = gate
        self.host: str | None = None
        """The Host header; None for the host and port of the URL."""

    async def __call__(self, session: Session, request: Request) -> Answer:
        """Send one request with the cookies of `session`; return its answer, read to the end.

        Raises ServerError for every failure. Redirects are not followed.
        """
        headers = self._headers(session)
        if self._gate is not None:
            await self._gate(_content(request, tells=bool(headers) and not session.worked))
        body = request.body(self._gate)
        answered = False
        try:
            async with self._http.request(
                request.method,
                f"{self._settings.url}/api/v2/{request.path}",
                data=body,
                params=request.query,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=REQUEST_SECONDS if request.seconds is None else request.seconds,
                    sock_connect=CONNECT_SECONDS,
                ),
            ) as response:
                content = await read_limited(response, request.limit)
                answered = True
                return _answer(response, content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            failure = server_error(err)
        finally:
            if isinstance(body, AddPayload):
                body.over(answered=answered)
        raise failure  # without aiohttp's error, which holds the headers that were sent

    def _headers(self, session: Session) -> dict[str, str]:
        settings = self._settings
        headers = dict(settings.headers)
        if settings.api_key:
            headers["Authorization"] = f"Bearer {settings.api_key}"
        elif session.cookies:
            headers["Cookie"] = session.header
        if settings.has_proxy_login:
            headers["Authorization"] = basic(settings.proxy_username, settings.proxy_password)
        if self.host:
            headers["Host"] = self.host
        return headers


def _content(request: Request, *, tells: bool) -> Content:
    """Return what a request holds; `tells` if it brings credentials to a server not known yet."""
    is_question = request.content is Content.QUESTION
    return Content.SECRET if is_question and tells else request.content


def _answer(response: aiohttp.ClientResponse, content: bytes) -> Answer:
    """Return what an answer says, of its headers only what matters here."""
    headers = response.headers
    return Answer(
        response.status,
        response.content_type,
        content,
        changes(headers.getall("Set-Cookie", ()), headers.get("Date")),
        _place(response.url, headers.get("Location", "")) if 300 <= response.status < 400 else "",
        response.status == 407 or (response.status == 401 and "WWW-Authenticate" in headers),
        headers.get("Date", ""),
    )


def _place(url: URL, location: str) -> str:
    """Return scheme, host and path of a redirect; its query may hold what nobody else should see.

    So may a part of its path that is neither a plain word nor in the address that was asked: it is
    left out. The rest is cut to _PLACE_CHARACTERS, and what cannot be read is not quoted.
    """
    if not location:
        return "nowhere"
    try:
        target = url.join(URL(location[:MOST_LOCATION]))
        server = str(target.origin())
    except ValueError, TypeError:
        return "no readable address"
    known = {*url.raw_parts, ""}
    parts = target.raw_path.removeprefix("/").split("/")
    shown = (part if part in known or _WORD.fullmatch(part) else "..." for part in parts)
    place = f"{server}/{'/'.join(shown)}"
    plain = "".join(char if "!" <= char <= "~" else "?" for char in place)
    return plain if len(plain) <= _PLACE_CHARACTERS else f"{plain[:_PLACE_CHARACTERS]}..."
