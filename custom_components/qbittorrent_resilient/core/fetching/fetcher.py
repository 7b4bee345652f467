"""Fetches one web link: follows its redirects by hand, and reads a magnet or a torrent file.

Nothing of a link or an answer is in an error, a log, or the name of a task.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
import re
import ssl

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from yarl import URL

from ..errors import InvalidLinkError, InvalidMagnetError, TorrentTooLargeError
from ..magnet import Magnet
from ..magnet_spelling import SCHEME
from ..outbox.files import RunBlocking
from ..outbox.job import Reason
from ..qbittorrent.proxy import basic
from ..torrent_file import MAX_TORRENT_BYTES, TorrentFile, read_torrent
from .body import BodyTooLongError, UnreadableBodyError, read_body
from .guard import Guard, guarded_connector
from .pauses import retry_after
from .web_link import WebLink

FETCH_SECONDS = 30.0
"""Time limit of it all: name look-ups, redirects and the body."""
MOST_REDIRECTS = 5
MOST_BYTES = MAX_TORRENT_BYTES
_HEADER_BYTES = 32 * 1024
_NO_UTF8 = re.compile("[\udc80-\udcff]")
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = frozenset(
    {
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_SAY_WHEN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_FORBIDDEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a link led to: a magnet, or a torrent file."""

    found: Magnet | TorrentFile


@dataclass(frozen=True, slots=True)
class NotNow:
    """It could not be fetched, for a reason that may pass; `detail` says why, without the link.

    `wait` is for how many seconds the host wants to be left alone, if it says so.
    """

    detail: str
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class NotEver:
    """It will never be what it should be."""

    reason: Reason
    detail: str


type Fetch = Fetched | NotNow | NotEver


class _RefusedError(Exception):
    """The link, or where it leads, may not be fetched; the text says why."""


class Fetcher:
    """Fetches links, each on its own: no cookie and no connection is kept."""

    def __init__(
        self,
        resolver: AbstractResolver,
        context: ssl.SSLContext,
        run_blocking: RunBlocking,
        *,
        user_agent: str,
        proxy: str | None = None,
    ) -> None:
        """Look names up in `resolver`, which the caller closes; ask through `proxy`, if any."""
        self._resolver = resolver
        self._context = context
        self._run_blocking = run_blocking
        self._user_agent = user_agent
        self._proxy = proxy

    async def fetch(self, link: WebLink) -> Fetch:
        """Return what a link leads to, or why it cannot be fetched; never raises for the link."""
        guard = Guard()
        by_proxy = self._proxy is not None
        try:
            async with (
                asyncio.timeout(FETCH_SECONDS),
                aiohttp.ClientSession(
                    connector=guarded_connector(guard, self._resolver, by_proxy=by_proxy),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=None),
                    auto_decompress=False,
                    max_line_size=_HEADER_BYTES,
                    max_field_size=_HEADER_BYTES,
                ) as http,
            ):
                return await self._follow(http, guard, link)
        except _RefusedError as err:
            return NotEver(Reason.FETCH_REFUSED, str(err))
        except BodyTooLongError, TorrentTooLargeError:
            return NotEver(Reason.TOO_LARGE, "it is longer than 10 MiB")
        except InvalidMagnetError as err:
            return NotEver(Reason.NOT_A_TORRENT, str(err))
        except UnreadableBodyError as err:
            return NotEver(Reason.NOT_A_TORRENT, f"it is {err}")
        except TimeoutError:
            return NotNow("no answer in time")
        except aiohttp.ClientConnectorCertificateError:  # which is a ValueError, too
            return NotNow("its certificate is not accepted")
        except aiohttp.InvalidURL, ValueError:
            return NotEver(Reason.FETCH_REFUSED, "it leads to what is no address")
        except aiohttp.ClientError, OSError:
            if guard.refused:
                return NotEver(Reason.FETCH_REFUSED, "it leads to an address that is not asked")
            return NotNow("no connection")

    async def _follow(self, http: aiohttp.ClientSession, guard: Guard, link: WebLink) -> Fetch:
        """Ask the link's host, and those that redirects lead to."""
        login: str | None = None
        for _ in range(MOST_REDIRECTS + 1):
            if not guard.admits(link.url.host or "", by_proxy=self._proxy is not None):
                raise _RefusedError("it leads to an address that is not asked")
            if link.url.user or link.url.password:
                login = basic(link.url.user or "", link.url.password or "")
            async with self._ask(http, link.url, login) as answer:
                if answer.status not in _REDIRECTS:
                    return await self._read(answer)
                location = _location(answer)
            if location[:7].lower() == "magnet:" or SCHEME.match(location):
                return Fetched(Magnet.parse(location))
            try:
                target = link.follow(location)
            except InvalidLinkError:
                raise _RefusedError("it leads to what is no web link") from None
            if target.url.origin() != link.url.origin():
                login = None
            guard.next_host()
            link = target
        raise _RefusedError("it redirects without end")

    def _ask(
        self, http: aiohttp.ClientSession, url: URL, login: str | None
    ) -> aiohttp.client._RequestContextManager:
        headers = {hdrs.ACCEPT_ENCODING: "identity", hdrs.USER_AGENT: self._user_agent}
        if login is not None:
            headers[hdrs.AUTHORIZATION] = login
        return http.get(
            url.with_user(None),
            headers=headers,
            allow_redirects=False,
            proxy=self._proxy,
            ssl=self._context,
        )

    async def _read(self, answer: aiohttp.ClientResponse) -> Fetch:
        """Judge an answer that is no redirect."""
        status = answer.status
        if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return NotNow(f"HTTP {status}", _wanted_pause(answer))
        if status in _FORBIDDEN:
            raise _RefusedError(f"HTTP {status}")
        if status != HTTPStatus.OK:
            return NotEver(Reason.NOT_A_TORRENT, f"HTTP {status}")
        data = await read_body(answer, MOST_BYTES)
        return Fetched(await self._run_blocking(read_torrent, data))


def _location(answer: aiohttp.ClientResponse) -> str:
    """Return where a redirect leads; bytes that are no UTF-8 are percent-encoded, as browsers do.

    aiohttp has lone surrogates for them.
    """
    location = answer.headers.get(hdrs.LOCATION, "")
    return _NO_UTF8.sub(lambda match: f"%{ord(match[0]) - 0xDC00:02X}", location)


def _wanted_pause(answer: aiohttp.ClientResponse) -> float:
    """Return for how many seconds the host wants to be left alone."""
    if answer.status not in _SAY_WHEN:
        return 0.0
    said, date = (answer.headers.get(name, "") for name in (hdrs.RETRY_AFTER, hdrs.DATE))
    return retry_after(said, date)
