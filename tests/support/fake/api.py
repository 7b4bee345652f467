"""The Web API of one server: checks, log-in, and the way to the endpoints."""

import base64
from email.utils import formatdate
from functools import lru_cache
import re
import time
from typing import TYPE_CHECKING

from .access import BANNED_TEXT, Session
from .answer import Answer, Call, RefusalError, Route, text
from .app_api import AppApi
from .journal import NORMAL, WARNING
from .record import Received
from .torrents_api import TorrentsApi

if TYPE_CHECKING:
    from .server import FakeQBittorrent

_API_PATH = re.compile(r"/api/v2/[A-Za-z_]\w*/[A-Za-z_]\w*")
_PAGE = b"<!DOCTYPE html>\n<html><head><title>qBittorrent WebUI</title></head></html>\n"


class Api:
    """Answers the requests that one server understood."""

    def __init__(self, server: FakeQBittorrent) -> None:
        """Attach to the server."""
        self._server = server
        self._dialect = server.dialect
        torrents = TorrentsApi(server)
        self._routes = torrents.routes() | AppApi(server, torrents).routes()
        self._routes["auth/login"] = Route(self._login, post_only=True)
        self._routes["auth/logout"] = Route(self._logout, post_only=True)
        self._scopes = {name.partition("/")[0] for name in self._routes}

    def handle(self, received: Received) -> Answer:
        """Answer one request, with the time by the server's own clock."""
        try:
            answer = self._handle(received)
        except RefusalError as refusal:
            answer = text(refusal.text, refusal.status)
        answer.headers.setdefault("Date", _http_date(int(self._server.wall())))
        return answer

    def _handle(self, received: Received) -> Answer:
        """Check a request, find its session and run it."""
        access = self._server.access
        if not access.passes_host_check(received.headers):
            raise RefusalError(401, "Unauthorized")
        authorization = received.headers.get("Authorization", "")
        scheme, _, key = authorization.partition(" ")
        if self._dialect.api_key and scheme.lower() == "bearer":
            return self._handle_with_key(received, key)
        if not access.passes_origin_check(received.headers):
            raise RefusalError(401, "Unauthorized")
        session = access.session_of(received.headers)
        is_login = session is None and self._dialect.basic_login and scheme.lower() == "basic"
        if is_login:
            self._check_basic(received.remote, key)
        if session is None and (is_login or not self._server.settings.local_host_auth):
            session = access.open_session()
            answer = self._run(received, session)
            answer.headers.setdefault("Set-Cookie", self._cookie(session))
            return answer
        renewed = session is not None and self._dialect.cookie_expires and access.renew(session)
        answer = self._run(received, session)
        if session is not None and renewed:
            answer.headers.setdefault("Set-Cookie", self._cookie(session))
        return answer

    def _check_basic(self, remote: str, credentials: str) -> None:
        """Refuse a wrong login by HTTP's own header, and count it."""
        access = self._server.access
        if access.is_banned(remote):
            raise RefusalError(403, BANNED_TEXT)
        username, _, password = base64.b64decode(credentials).decode().partition(":")
        if not access.is_good(username, password):
            access.count_failure(remote)
            raise RefusalError(401, "Unauthorized")

    def _handle_with_key(self, received: Received, key: str) -> Answer:
        """Answer a request that brings an API key."""
        session = self._server.access.session_of_key(key)
        if session is None or received.endpoint.startswith("auth/"):
            raise RefusalError(403, "Forbidden")
        if not _API_PATH.fullmatch(received.path):
            raise RefusalError(404, "Not Found")
        return self._run(received, session)

    def _run(self, received: Received, session: Session | None) -> Answer:
        """Run the endpoint; its refusal keeps what the session adds to the answer."""
        try:
            if not _API_PATH.fullmatch(received.path):
                return _page(received)
            return self._route(received, session).run(Call(received, session))
        except RefusalError as refusal:
            return text(refusal.text, refusal.status)

    def _route(self, received: Received, session: Session | None) -> Route:
        """Return the endpoint that a request asks for, if it may."""
        if session is None and received.endpoint != "auth/login":
            raise RefusalError(403, "Forbidden")
        route = self._routes.get(received.endpoint)
        if route is None:
            known = received.endpoint.partition("/")[0] in self._scopes
            named = known and self._dialect.names_unknown_action
            raise RefusalError(404, "Endpoint does not exist" if named else "Not Found")
        wrong = received.method != "POST" if route.post_only else False
        if wrong or (received.method == "HEAD" and not self._dialect.head_allowed):
            raise RefusalError(405, "Method Not Allowed")
        return route

    def _login(self, call: Call) -> Answer:
        """Log in; with a session any password does."""
        server, dialect, access = self._server, self._dialect, self._server.access
        remote, form = call.received.remote, call.params
        good = Answer(dialect.login_status, dialect.login_text.encode())
        if dialect.login_status == 204:
            good.content_type = ""
        if call.session is not None:
            return good
        if access.is_banned(remote):
            raise RefusalError(403, BANNED_TEXT)
        if not access.is_good(form.get("username", ""), form.get("password", "")):
            access.count_failure(remote)
            server.log(f"WebAPI login failure. IP: {remote}", WARNING)
            raise RefusalError(dialect.login_refused_status, dialect.login_refused_text)
        access.forgive(remote)
        server.log(f"WebAPI login success. IP: {remote}", NORMAL)
        good.headers["Set-Cookie"] = self._cookie(access.open_session())
        return good

    def _logout(self, call: Call) -> Answer:
        """End the session."""
        access = self._server.access
        if call.session is not None:
            access.sessions.pop(call.session.key, None)
        answer = text("")
        end = _cookie_time(self._server.wall() - 86400)
        answer.headers["Set-Cookie"] = f"{access.cookie_name}=; expires={end}; path=/"
        return answer

    def _cookie(self, session: Session) -> str:
        """Return the Set-Cookie header of a session."""
        server, settings = self._server, self._server.settings
        parts = [f"{server.access.cookie_name}={session.key}"]
        parts += ["secure"] if server.https else []
        lifetime = settings.session_timeout or 365 * 86400
        end = _cookie_time(server.wall() + lifetime)
        for attribute in self._dialect.cookie_attributes:
            if settings.csrf_protection or not attribute.startswith("SameSite"):
                parts.append(attribute.format(expires=end))
        return "; ".join(parts)


def _page(received: Received) -> Answer:
    """Answer outside the API: the Web UI."""
    if received.path not in ("/", "/index.html"):
        raise RefusalError(404, "Not Found")
    return Answer(200, _PAGE, "text/html")


@lru_cache
def _http_date(moment: int) -> str:
    """Return a time as headers have it."""
    return formatdate(moment, usegmt=True)


def _cookie_time(moment: float) -> str:
    """Return a time as cookies have it."""
    return time.strftime("%a, %d-%b-%Y %H:%M:%S GMT", time.gmtime(moment))
