"""The one funnel for requests: a session with one server, opened once and renewed when it is gone.

A server that lets this host in without a password, one that wants a log-in and one that takes an
API key look alike from here on. No cookie jar is used: aiohttp's default jar drops the cookies of
hosts given as an IP address, and a jar that keeps them mixes up two servers on one host, as cookies
ignore ports. Whatever cookies the answers set are sent back, to this server alone.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from ..errors import InstanceError
from ..models import Clock, InstanceSettings, InstanceStatus
from ..url import host_without_port
from . import dialect
from .dialect import Answer, LogInAnswer

REQUEST_SECONDS = 10.0
"""For small questions. A busy server was seen to take 1.4 s (QBITTORRENT_API section 4)."""
CONNECT_SECONDS = 5.0
"""For the TCP connection; a kernel repeats a lost SYN after 1 and 3 s."""
SMALL_ANSWER = 256 * 1024
"""Bytes; longer than any right answer to a small question."""
BAN_PAUSE_SECONDS = (300.0, 3600.0)
"""First and longest pause after a ban; qBittorrent's default ban lasts 3600 s."""


class Gate(Protocol):
    """Decides whether a request may be sent now."""

    async def __call__(self, *, handing_over: bool) -> None:
        """Raise InstanceError where it may not; `handing_over` marks requests with magnets."""


@dataclass(eq=False, slots=True)
class _Session:
    """What the server knows us by; a renewed session is another object."""

    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    bypass: bool = False
    """The server let us in without a log-in: another cookie is all that tells of its restart."""


class Connection:
    """Requests to one server, with its session kept alive."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: InstanceSettings,
        clock: Clock | None = None,
        *,
        gate: Gate | None = None,
        refused: bool = False,
    ) -> None:
        """Keep the HTTP session; `refused` says that these credentials were refused before.

        `gate` is asked before every single request and raises InstanceError where none may be
        sent, so that nothing can get past it.
        """
        self._http = http
        self._settings = settings
        self._clock = clock or Clock()
        self._gate = gate
        self._lock = asyncio.Lock()
        self._session: _Session | None = None
        self._attempts = 0
        self._last_failure: InstanceError | None = None
        self._host: str | None = None
        self._log_in_first = False
        """The server let us in to see its version only."""
        self._ban_pause = 0.0
        self._banned_until = 0.0
        self.refused = refused
        self.version: str | None = None
        self.renewals = 0
        """How often a session that worked was gone: each time perhaps a restart of the server."""

    async def open(self) -> None:
        """Open the session if there is none; raises InstanceError."""
        await self._current_session()

    async def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        seconds: float = REQUEST_SECONDS,
        limit: int = SMALL_ANSWER,
    ) -> Answer:
        """Send one request within the session and return its answer, read to the end.

        `seconds` bounds the whole exchange, `limit` the answer's bytes. A session that is gone is
        renewed once, together with whoever else finds it gone. Raises InstanceError.
        """
        for _ in range(2):
            session = await self._current_session()
            answer = await self._exchange(
                session, method, path, form=form, query=query, seconds=seconds, limit=limit
            )
            if answer.status == 401 and not answer.is_page:
                self._drop(session)
                raise InstanceError(
                    InstanceStatus.HOST_REJECTED, "the server's Host or Origin check refuses us"
                )
            if answer.status != 403 or answer.is_page:
                return answer
            if self._drop(session):
                self.renewals += 1
                self._log_in_first |= session.bypass
        if not self._has_password and not self._settings.api_key:
            raise InstanceError(InstanceStatus.AUTH_FAILED, "the server wants a log-in")
        raise dialect.not_qbittorrent("the server forgets each log-in at once")

    @property
    def _has_password(self) -> bool:
        return bool(self._settings.username or self._settings.password)

    def _drop(self, session: _Session) -> bool:
        """Forget a session; only the first to find it gone is told true."""
        if self._session is not session:
            return False
        self._session = None
        return True

    async def _current_session(self) -> _Session:
        """Return the session; whoever waits while another opens it shares the outcome."""
        if (session := self._session) is not None:
            return session
        attempt = self._attempts
        async with self._lock:
            if (opened_meanwhile := self._session) is not None:
                return opened_meanwhile
            if attempt != self._attempts and self._last_failure is not None:
                raise self._last_failure
            self._last_failure = None
            try:
                self._session = await self._open_session()
            except InstanceError as err:
                self._last_failure = err
                raise
            else:
                self._ban_pause = 0.0
                return self._session
            finally:
                self._attempts += 1

    async def _open_session(self) -> _Session:
        """Ask for the version without a cookie: 200 lets us in, 403 wants a log-in, 401 the Host.

        Only then is the password sent: up to 5.1 a failed Host check, from 5.2 on a wrong
        password, too, are answered by 401.
        """
        if self.refused:
            raise InstanceError(InstanceStatus.AUTH_FAILED, "the credentials were refused before")
        if self._clock.monotonic() < self._banned_until:
            raise InstanceError(InstanceStatus.BANNED, "the server has banned this address")
        session = _Session(bypass=not self._settings.api_key)
        answer = await self._exchange(session, "GET", dialect.VERSION)
        if answer.status == 401 and not answer.is_page:
            answer = await self._exchange_without_port(session)
        log_in_first = self._log_in_first and self._has_password
        if (answer.status == 403 and not answer.is_page) or log_in_first:
            if self._settings.api_key:
                self.refused = True
                raise InstanceError(InstanceStatus.AUTH_FAILED, "the API key was refused")
            if not self._has_password:
                raise InstanceError(InstanceStatus.AUTH_FAILED, "the server wants a log-in")
            session = _Session()
            await self._log_in(session)
            answer = await self._exchange(session, "GET", dialect.VERSION)
        self.version = dialect.read_version(answer)
        return session

    async def _exchange_without_port(self, session: _Session) -> Answer:
        """Try the Host header without its port: behind a port mapping only that passes."""
        before, self._host = self._host, host_without_port(self._settings.url)
        answer = await self._exchange(session, "GET", dialect.VERSION)
        if answer.status == 401:
            self._host = before
            raise InstanceError(
                InstanceStatus.HOST_REJECTED, "the server's Host or Origin check refuses us"
            )
        return answer

    async def _log_in(self, session: _Session) -> None:
        form = {"username": self._settings.username, "password": self._settings.password}
        answer = await self._exchange(session, "POST", dialect.LOG_IN, form=form)
        meaning = dialect.read_log_in(answer)
        if meaning is LogInAnswer.REFUSED:
            self.refused = True
            raise InstanceError(InstanceStatus.AUTH_FAILED, "user name or password is wrong")
        if meaning is LogInAnswer.BANNED:
            first, longest = BAN_PAUSE_SECONDS
            self._ban_pause = min(max(self._ban_pause * 2, first), longest)
            self._banned_until = self._clock.monotonic() + self._ban_pause
            raise InstanceError(InstanceStatus.BANNED, "the server has banned this address")

    async def _exchange(
        self,
        session: _Session,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        seconds: float = REQUEST_SECONDS,
        limit: int = SMALL_ANSWER,
    ) -> Answer:
        """Do one HTTP exchange; every failure becomes an InstanceError."""
        if self._gate is not None:
            await self._gate(handing_over=path == dialect.ADD)
        headers = {}
        if self._settings.api_key:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        elif session.cookies:
            headers["Cookie"] = "; ".join(
                f"{key}={value}" for key, value in session.cookies.items()
            )
        if self._host:
            headers["Host"] = self._host
        try:
            async with self._http.request(
                method,
                f"{self._settings.url}/api/v2/{path}",
                data=form,
                params=query,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS),
            ) as response:
                body = await _read(response, limit)
                self._keep_cookies(session, response)
                return Answer(response.status, response.content_type, body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            raise _instance_error(err) from err

    def _keep_cookies(self, session: _Session, response: aiohttp.ClientResponse) -> None:
        """Take over what the answer sets; another value for a known cookie can be a new session.

        Only where no log-in is needed: elsewhere a lost session shows by itself, and the cookie of
        a load balancer, which may change with every answer, is no sign of anything.
        """
        for key, morsel in response.cookies.items():
            changed = session.cookies.get(key, morsel.value) != morsel.value
            if changed and session.bypass and session is self._session:
                self.renewals += 1
            session.cookies[key] = morsel.value


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read an answer of at most `limit` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise dialect.not_qbittorrent(
                f"the answer is longer than {limit} bytes", maybe_done=response.status < 400
            )
    return bytes(body)


_STATUS_OF_ERROR: tuple[tuple[type[BaseException], InstanceStatus, bool], ...] = (
    # the error, what it says of the instance, and whether the request may have been sent;
    # the first that fits counts: aiohttp's classes derive from each other
    (aiohttp.ClientSSLError, InstanceStatus.SSL_ERROR, False),
    (aiohttp.ConnectionTimeoutError, InstanceStatus.TIMEOUT, False),
    (aiohttp.ClientConnectorError, InstanceStatus.UNREACHABLE, False),
    (aiohttp.InvalidURL, InstanceStatus.ERROR, False),
    (TimeoutError, InstanceStatus.TIMEOUT, True),
    (aiohttp.ClientResponseError, InstanceStatus.ERROR, True),
    (aiohttp.ClientPayloadError, InstanceStatus.UNREACHABLE, True),
    (aiohttp.ClientConnectionError, InstanceStatus.UNREACHABLE, True),
    (OSError, InstanceStatus.UNREACHABLE, True),
    (Exception, InstanceStatus.ERROR, True),
)


def _instance_error(err: BaseException) -> InstanceError:
    """Return what an error of the HTTP library means; its own text may hold the address."""
    status, maybe_done = next(
        (status, maybe) for kind, status, maybe in _STATUS_OF_ERROR if isinstance(err, kind)
    )
    return InstanceError(status, type(err).__name__, maybe_done=maybe_done)
