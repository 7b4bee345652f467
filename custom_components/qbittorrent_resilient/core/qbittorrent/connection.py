"""The session with one server: opened once, and renewed when it is gone.

Callers need not know whether the server lets this host in without a password, wants a login or
takes an API key. Cookies that answers set are sent back, to this server only.
"""

import asyncio
import time

import aiohttp

from . import dialect
from .answer import Answer
from .dialect import LoginAnswer
from .errors import (
    AnswerTooLongError,
    HostRejectedError,
    LoginError,
    ProtocolError,
    ProxyAuthError,
    ServerError,
)
from .exchange import Exchange, Request
from .gate import Content, Gate
from .login_guard import LoginGuard
from .models import ServerSettings, SteadyClock
from .session import Session
from .url import host_without_port

HEARD_SECONDS = 5.0
"""How long ago a server may have answered in its session when magnets are sent to it."""
_ASK_VERSION = Request("GET", dialect.VERSION)


class Connection:
    """Requests to one server, with its session kept alive."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: ServerSettings,
        clock: SteadyClock = time,
        *,
        gate: Gate | None = None,
        login_guard: LoginGuard | None = None,
    ) -> None:
        """Send through `http`, which must have no cookie jar of its own.

        `gate` is asked before every request, and raises GateClosedError if it may not be sent.
        `login_guard` knows of earlier logins with these credentials.
        """
        self._settings = settings
        self._clock = clock
        self._exchange = Exchange(http, settings, gate)
        self._lock = asyncio.Lock()
        self._session: Session | None = None
        self._doubtful: Session | None = None
        """A session that may still hold, although a request was refused or its cookies changed."""
        self._attempts = 0
        self._last_failure: ServerError | None = None
        self._login_first = False
        """The server let us in without a login, but only to see its version."""
        self._login_guard = login_guard or LoginGuard()
        self.version: str | None = None
        self.renewals = 0
        """How often a working session was lost, each time perhaps by a restart of the server."""

    @property
    def refused(self) -> bool:
        """Tell whether the credentials were refused; they are not tried again."""
        return self._login_guard.refused

    @property
    def ends_with_the_process(self) -> bool:
        """Tell whether every restart of the server is noticed, as the session ends with it."""
        return self._logs_in and self._session is not None and not self._session.bypass

    async def open(self) -> None:
        """Open the session if there is none; raises ServerError."""
        await self._current_session()

    async def request(self, request: Request) -> Answer:
        """Send one request within the session and return its answer, read to the end.

        A session that is gone is renewed once, for all callers that find it gone. If that does not
        help, it is not renewed again for some minutes. Raises ServerError.
        """
        for attempt in range(2):
            try:
                session = await self._current_session()
            except ServerError as err:
                raise _unsent(err) from None
            answer = await self._answer_to(session, request)
            if _wants_another_host(answer):
                if self._drop(session):
                    self._doubtful = session
                raise HostRejectedError("the server's Host or Origin check refuses us")
            if not _forbids(answer):
                return answer
            now = self._clock.monotonic()
            if self._logs_in and attempt:
                self._login_guard.record_futile(request.path, now)
            elif self._logs_in and self._login_guard.is_futile(request.path, now):
                break
            elif self._drop(session):
                self.renewals += 1
                self._login_first |= session.bypass
        if not self._has_password and not self._settings.api_key:
            raise LoginError("the server wants a login")
        raise ProtocolError("the server forgets each login, or something forbids this")

    async def _answer_to(self, session: Session, request: Request) -> Answer:
        """Do the exchange of a request; for magnets, ask before whether the session still holds.

        That is where it has not answered for some seconds: another server may be there by now,
        which would see them, even if it refuses them.
        """
        began = self._clock.monotonic()
        if request.content is Content.MAGNETS and began - session.heard_at > HEARD_SECONDS:
            try:
                answer = await self._answer(session, _ASK_VERSION)
                if _forbids(answer) or _wants_another_host(answer):
                    return answer
                self._check_it_is_the_same(session, dialect.read_version(answer))
            except ServerError as err:
                raise _unsent(err) from None
            request = request.after(self._clock.monotonic() - began)
        return await self._answer(session, request)

    def _check_it_is_the_same(self, session: Session, version: str) -> None:
        """Raise ProtocolError if another session or another version has answered.

        Without a login no server refuses the session of another one.
        """
        if version != self.version and self._drop(session):
            self.renewals += 1
        if self._session is not session:
            raise ProtocolError("another process of the server answers, or another server")

    @property
    def _has_password(self) -> bool:
        return bool(self._settings.username or self._settings.password)

    @property
    def _logs_in(self) -> bool:
        return self._has_password and not self._settings.api_key

    def _drop(self, session: Session) -> bool:
        """Forget a session; return true only to the first caller that finds it gone."""
        if self._session is not session:
            return False
        self._session = None
        return True

    async def _current_session(self) -> Session:
        """Return the session; callers that wait while another one opens it share the outcome."""
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
            except ServerError as err:
                self._last_failure = err
                raise
            else:
                self._login_guard.succeeded()
                return self._session
            finally:
                self._attempts += 1

    async def _open_session(self) -> Session:
        """Ask for the version without a login, and log in if the server wants that.

        200 lets us in, 403 wants a login, 401 is a failed Host check. The password is sent only
        after that, since from 5.2 on a wrong password is answered by 401, too. A session that may
        still hold is tried first.
        """
        self._login_guard.raise_if_pointless(self._clock.monotonic())
        session = self._doubtful or Session(bypass=not self._settings.api_key)
        answer = await self._answer(session, _ASK_VERSION)
        if _wants_another_host(answer):
            answer = await self._answer_without_port(session)
        if _forbids(answer) and self._settings.api_key:
            raise self._login_guard.refuse("the API key was refused")
        if _forbids(answer) and not self._has_password:
            raise LoginError("the server wants a login")
        seen_only = self._login_first and answer.status == 200 and session is not self._doubtful
        if _forbids(answer) or (seen_only and self._has_password):
            session, answer = await self._login()
        self.version = dialect.read_version(answer)
        self._doubtful = None
        session.worked = True
        return session

    async def _answer_without_port(self, session: Session) -> Answer:
        """Try the Host header without its port, which alone passes behind a port mapping."""
        before, self._exchange.host = self._exchange.host, host_without_port(self._settings.url)
        answer = await self._answer(session, _ASK_VERSION)
        if answer.status == 401:
            self._exchange.host = before
            if self._settings.has_proxy_login:  # five of these are a ban, from 5.3 on
                raise self._refused_by_proxy(
                    "it passes its login on, and qBittorrent takes that for its own; let it drop"
                    " the header Authorization"
                )
            raise HostRejectedError("the server's Host or Origin check refuses us")
        return answer

    async def _login(self) -> tuple[Session, Answer]:
        """Log in with user name and password; return the session and the version that it tells."""
        now = self._clock.monotonic()
        if self._login_guard.is_futile(dialect.LOGIN, now):
            raise ProtocolError("the last login did not help")
        if self._doubtful is not None:
            self.renewals += self._doubtful.worked
            self._doubtful = None
        session = Session()
        form = {"username": self._settings.username, "password": self._settings.password}
        try:
            answer = await self._answer(
                session, Request("POST", dialect.LOGIN, form, content=Content.SECRET)
            )
            meaning = dialect.read_login(answer)
        except ServerError as err:
            if err.maybe_done or isinstance(err, ProtocolError):
                self._login_guard.unanswered(now)
            raise
        except asyncio.CancelledError:
            self._login_guard.unanswered(now)
            raise
        if meaning is LoginAnswer.REFUSED:
            raise self._login_guard.refuse("user name or password is wrong")
        if meaning is LoginAnswer.BANNED:
            raise self._login_guard.ban(now)
        version = await self._answer(session, _ASK_VERSION)
        if _forbids(version):
            self._login_guard.record_futile(dialect.LOGIN, now)
            self._doubtful = session
        return session, version

    async def _answer(self, session: Session, request: Request) -> Answer:
        """Do one exchange with the cookies of `session`, and keep those that the answer sets."""
        self._login_guard.raise_if_proxy_refuses(self._clock.monotonic())
        answer = await self._exchange(session, request)
        if answer.wants_login:
            raise self._refused_by_proxy(_what_was_not_sent(self._settings))
        if answer.is_page and answer.status in (401, 403) and self._sends_proxy_secrets:
            detail = f"it answers with a page and {answer.outline}"
            raise self._refused_by_proxy(detail, definite=False)
        if answer.status < 300 and not answer.is_page:
            session.heard_at = self._clock.monotonic()
        if session.take_over(answer.set_cookies):
            self.renewals += 1
            if self._drop(session):  # opening it again asks for the version
                self._doubtful = session
        return answer

    @property
    def _sends_proxy_secrets(self) -> bool:
        return self._settings.has_proxy_login or bool(self._settings.headers)

    def _refused_by_proxy(self, detail: str, *, definite: bool = True) -> ProxyAuthError:
        """Return the error that says so; what was sent in vain is not sent again soon."""
        detail = f"what stands in front of the server refuses us: {detail}"
        if self._sends_proxy_secrets:
            self._login_guard.proxy_refused(self._clock.monotonic(), detail, definite=definite)
        return ProxyAuthError(detail)


def _what_was_not_sent(settings: ServerSettings) -> str:
    if settings.has_proxy_login:
        return "its username or password is wrong"
    if settings.proxy_username or settings.proxy_password:
        return "its login cannot be sent beside the API key; use username and password"
    return "it wants a login of its own"


def _forbids(answer: Answer) -> bool:
    """Tell whether qBittorrent wants a session; a page comes from another program."""
    return answer.status == 403 and not answer.is_page


def _wants_another_host(answer: Answer) -> bool:
    return answer.status == 401 and not answer.is_page


def _unsent(err: ServerError) -> ServerError:
    """Return the error of opening a session as that of the request, which was not sent."""
    # AnswerTooLongError would say that the answer to this request was too long.
    error_type = ProtocolError if isinstance(err, AnswerTooLongError) else type(err)
    return error_type(str(err), leads_to=err.leads_to)
