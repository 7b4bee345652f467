"""The one funnel for requests: a session with one server, opened once and renewed when it is gone.

A server that lets this host in without a password, one that wants a log-in and one that takes an
API key look alike from here on. No cookie jar is used: aiohttp's default jar drops the cookies of
hosts given as an IP address, and a jar that keeps them mixes up two servers on one host, as cookies
ignore ports. Whatever cookies the answers set are sent back, to this server alone.
"""

import asyncio
from collections.abc import Mapping

import aiohttp

from ..errors import InstanceError
from ..models import Clock, InstanceSettings, InstanceStatus
from ..url import host_without_port
from . import dialect
from .dialect import Answer, LogInAnswer
from .failures import instance_error, read_limited
from .form import AddForm, Form
from .gate import Gate
from .log_ins import LogIns
from .session import Session

REQUEST_SECONDS = 10.0
"""For small questions. A busy server was seen to take 1.4 s (docs/qbittorrent.md)."""
CONNECT_SECONDS = 5.0
"""For the TCP connection; a kernel repeats a lost SYN after 1 and 3 s."""
SMALL_ANSWER = 256 * 1024
"""Bytes; longer than any right answer to a small question."""


class Connection:
    """Requests to one server, with its session kept alive."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: InstanceSettings,
        clock: Clock | None = None,
        *,
        gate: Gate | None = None,
        log_ins: LogIns | None = None,
    ) -> None:
        """Keep the HTTP session; `log_ins` say what came of these credentials before.

        `gate` is asked before every single request and raises InstanceError where none may be
        sent, so that nothing can get past it.
        """
        self._http = http
        self._settings = settings
        self._clock = clock or Clock()
        self._gate = gate
        self._lock = asyncio.Lock()
        self._session: Session | None = None
        self._doubtful: Session | None = None
        """One that was refused for another reason than its end, as far as is known."""
        self._attempts = 0
        self._last_failure: InstanceError | None = None
        self._host: str | None = None
        self._log_in_first = False
        """The server let us in to see its version only."""
        self._log_ins = log_ins or LogIns()
        self.version: str | None = None
        self.renewals = 0
        """How often a session that worked was gone: each time perhaps a restart of the server."""

    @property
    def refused(self) -> bool:
        """Tell whether the credentials were refused; they are not tried again."""
        return self._log_ins.refused

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
        seconds: float | None = None,
        limit: int = SMALL_ANSWER,
    ) -> Answer:
        """Send one request within the session and return its answer, read to the end.

        `seconds` (else REQUEST_SECONDS) bound the whole exchange, `limit` the answer's bytes. A
        session that is gone is renewed once, together with whoever else finds it gone; where that
        did not help, not again for some minutes. Raises InstanceError.
        """
        for attempt in range(2):
            try:
                session = await self._current_session()
            except InstanceError as err:  # this request was not sent, whatever opening one met
                raise InstanceError(err.status, str(err)) from None
            answer = await self._exchange(
                session, method, path, form=form, query=query, seconds=seconds, limit=limit
            )
            if _wants_another_host(answer):
                if self._drop(session):
                    self._doubtful = session
                raise InstanceError(
                    InstanceStatus.HOST_REJECTED, "the server's Host or Origin check refuses us"
                )
            if not _forbids(answer):
                return answer
            now = self._clock.monotonic()
            if self._logs_in and attempt:
                self._log_ins.in_vain(path, now)
            elif self._logs_in and self._log_ins.is_in_vain(path, now):
                break
            elif self._drop(session):
                self.renewals += 1
                self._log_in_first |= session.bypass
        if not self._has_password and not self._settings.api_key:
            raise InstanceError(InstanceStatus.AUTH_FAILED, "the server wants a log-in")
        raise dialect.not_qbittorrent("the server forgets each log-in, or something forbids this")

    @property
    def ends_with_the_process(self) -> bool:
        """Tell whether no restart of the server can go unnoticed: the session would be gone."""
        return self._logs_in and self._session is not None and not self._session.bypass

    @property
    def _has_password(self) -> bool:
        return bool(self._settings.username or self._settings.password)

    @property
    def _logs_in(self) -> bool:
        return self._has_password and not self._settings.api_key

    def _drop(self, session: Session) -> bool:
        """Forget a session; only the first to find it gone is told true."""
        if self._session is not session:
            return False
        self._session = None
        return True

    async def _current_session(self) -> Session:
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
                self._log_ins.let_in()
                return self._session
            finally:
                self._attempts += 1

    async def _open_session(self) -> Session:
        """Ask for the version without a session: 200 lets us in, 403 wants a log-in, 401 the Host.

        Only then is the password sent: up to 5.1 a failed Host check, from 5.2 on a wrong
        password, too, are answered by 401. A session that may hold still is asked with first.
        """
        self._log_ins.require_hope(self._clock.monotonic())
        session = self._doubtful or Session(bypass=not self._settings.api_key)
        answer = await self._exchange(session, "GET", dialect.VERSION)
        if _wants_another_host(answer):
            answer = await self._exchange_without_port(session)
        if _forbids(answer) and self._settings.api_key:
            raise self._log_ins.refuse("the API key was refused")
        if _forbids(answer) and not self._has_password:
            raise InstanceError(InstanceStatus.AUTH_FAILED, "the server wants a log-in")
        seen_only = self._log_in_first and answer.status == 200 and session is not self._doubtful
        if _forbids(answer) or (seen_only and self._has_password):
            session, answer = await self._log_in()
        self.version = dialect.read_version(answer)
        self._doubtful = None
        session.worked = True
        return session

    async def _exchange_without_port(self, session: Session) -> Answer:
        """Try the Host header without its port: behind a port mapping only that passes."""
        before, self._host = self._host, host_without_port(self._settings.url)
        answer = await self._exchange(session, "GET", dialect.VERSION)
        if answer.status == 401:
            self._host = before
            raise InstanceError(
                InstanceStatus.HOST_REJECTED, "the server's Host or Origin check refuses us"
            )
        return answer

    async def _log_in(self) -> tuple[Session, Answer]:
        """Open a session with user name and password; return it, and the version told in it."""
        now = self._clock.monotonic()
        if self._log_ins.is_in_vain(dialect.LOG_IN, now):
            raise dialect.not_qbittorrent("the last log-in did not help")
        if self._doubtful is not None:
            self.renewals += self._doubtful.worked
            self._doubtful = None
        session = Session()
        form = {"username": self._settings.username, "password": self._settings.password}
        try:
            answer = await self._exchange(session, "POST", dialect.LOG_IN, form=form)
            meaning = dialect.read_log_in(answer)
        except InstanceError as err:
            if err.maybe_done or err.status is InstanceStatus.ERROR:
                self._log_ins.unanswered(now)
            raise
        except asyncio.CancelledError:
            self._log_ins.unanswered(now)
            raise
        if meaning is LogInAnswer.REFUSED:
            raise self._log_ins.refuse("user name or password is wrong")
        if meaning is LogInAnswer.BANNED:
            raise self._log_ins.ban(now)
        version = await self._exchange(session, "GET", dialect.VERSION)
        if _forbids(version):
            self._log_ins.in_vain(dialect.LOG_IN, now)
            self._doubtful = session
        return session, version

    async def _exchange(
        self,
        session: Session,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        seconds: float | None = None,
        limit: int = SMALL_ANSWER,
    ) -> Answer:
        """Do one HTTP exchange; every failure becomes an InstanceError."""
        if self._gate is not None:
            await self._gate(handing_over=path == dialect.ADD)
        headers = {}
        if self._settings.api_key:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        elif session.cookies:
            headers["Cookie"] = session.header
        if self._host:
            headers["Host"] = self._host
        body = self._body(path, form)
        answered = False
        try:
            async with self._http.request(
                method,
                f"{self._settings.url}/api/v2/{path}",
                data=body,
                params=query,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=REQUEST_SECONDS if seconds is None else seconds,
                    sock_connect=CONNECT_SECONDS,
                ),
            ) as response:
                content = await read_limited(response, limit)
                answered = True
                self._keep_cookies(session, response)
                return Answer(response.status, response.content_type, content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            failure = instance_error(err)
        finally:
            if isinstance(body, AddForm):
                body.over(answered=answered)
        raise failure  # not from the error of the library, which holds the headers that were sent

    def _body(self, path: str, form: Mapping[str, str] | None) -> Form | None:
        """Return what is sent; magnets pass the gate once more when the connection is there."""
        if form is None:
            return None
        return AddForm(form, self._gate) if path == dialect.ADD else Form(form)

    def _keep_cookies(self, session: Session, response: aiohttp.ClientResponse) -> None:
        given = {name: morsel.value for name, morsel in response.cookies.items()}
        if session.take_over(given):
            self.renewals += 1
            if self._drop(session):  # opened again, it tells its version
                self._doubtful = session


def _forbids(answer: Answer) -> bool:
    """Tell whether a session is wanted; a page is not qBittorrent's."""
    return answer.status == 403 and not answer.is_page


def _wants_another_host(answer: Answer) -> bool:
    return answer.status == 401 and not answer.is_page
