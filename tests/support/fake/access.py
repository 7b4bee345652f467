"""Who may in: Host and Origin checks, log-in, bans, sessions, API key."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
import secrets
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .dialect import Dialect

BANNED_TEXT = "Your IP address has been banned after too many failed authentication attempts."


@dataclass(slots=True)
class Settings:
    """The Web UI settings of the server; tests may change them at any time."""

    username: str = "admin"
    password: str = "secret"
    api_key: str = ""
    own_port: int = 0
    local_host_auth: bool = True
    host_header_validation: bool = True
    csrf_protection: bool = True
    server_domains: str = "*"
    max_failures: int = 5
    ban_duration: float = 3600
    session_timeout: float = 3600


@dataclass(slots=True, eq=False)
class Session:
    """One log-in session."""

    key: str
    used_at: float
    cookie_at: float
    rid: int = 0
    told: dict[str, Any] = field(default_factory=dict)


class Access:
    """Decides about requests; its sessions and bans end with the process."""

    def __init__(self, dialect: Dialect, settings: Settings, clock: Callable[[], float]) -> None:
        """Start without sessions and bans."""
        self.sessions: dict[str, Session] = {}
        self._dialect = dialect
        self._settings = settings
        self._clock = clock
        self._key_session = Session("", 0, 0)
        self._failures: dict[str, int] = {}
        self._banned_until: dict[str, float] = {}

    @property
    def cookie_name(self) -> str:
        """The name of the session cookie."""
        return self._dialect.cookie.format(port=self._settings.own_port)

    def passes_host_check(self, headers: Mapping[str, str]) -> bool:
        """Check the Host header against port and names of the server."""
        host = headers.get("Host", "")
        if not self._settings.host_header_validation:
            return True
        address = _split(f"http://{host}")
        if _port(address) not in (None, self._settings.own_port):
            return False
        name = (address.hostname or "").lower()
        if name in ("127.0.0.1", "::1"):
            return True
        domains = self._settings.server_domains.split(";")
        return any(fnmatch(name, domain.strip().lower()) for domain in domains)

    def passes_origin_check(self, headers: Mapping[str, str]) -> bool:
        """Check Origin, else Referer, against the Host header."""
        if not self._settings.csrf_protection:
            return True
        if self._dialect.checks_fetch_site and headers.get("Sec-Fetch-Site") == "cross-site":
            return False
        target = headers.get("Host", "")
        if self._dialect.trusts_forwarded_host:
            target = headers.get("X-Forwarded-Host", target)
        source = headers.get("Origin") or headers.get("Referer")
        if not source:
            return True
        wanted, given = _split(f"http://{target}"), _split(source)
        return (wanted.hostname, _port(wanted)) == (given.hostname, _port(given))

    def session_of(self, headers: Mapping[str, str]) -> Session | None:
        """Return the live session that the Cookie header names, and mark it used."""
        for pair in headers.get("Cookie", "").split(";"):
            name, _, value = pair.strip().partition("=")
            if name != self.cookie_name:
                continue
            session = self.sessions.get(value.strip('"'))
            if session is None:
                return None
            timeout, now = self._settings.session_timeout, self._clock()
            if timeout and now - session.used_at > timeout:
                del self.sessions[session.key]
                return None
            session.used_at = now
            return session
        return None

    def open_session(self) -> Session:
        """Open a session; the least recently used one gives way where there is a limit."""
        limit = self._dialect.session_limit
        if limit is not None and len(self.sessions) >= limit:
            oldest = min(self.sessions.values(), key=lambda session: session.used_at)
            del self.sessions[oldest.key]
        now = self._clock()
        key = base64.b64encode(secrets.token_bytes(24)).decode()
        session = self.sessions[key] = Session(key=key, used_at=now, cookie_at=now)
        return session

    def renew(self, session: Session) -> bool:
        """Whether the cookie has to be set again, as after half of its life."""
        now, timeout = self._clock(), self._settings.session_timeout
        if not timeout or now - session.cookie_at <= timeout / 2:
            return False
        session.cookie_at = now
        return True

    def session_of_key(self, key: str) -> Session | None:
        """Return the session that all requests with the API key share."""
        right = self._settings.api_key
        if not right or key != right:
            return None
        if self._key_session.key != key:
            self._key_session = Session(key, 0, 0)
        return self._key_session

    def renew_cookies(self) -> None:
        """Have every cookie set again, as after a change of settings."""
        for session in self.sessions.values():
            session.cookie_at = float("-inf")

    def is_good(self, username: str, password: str) -> bool:
        """Whether these are the credentials."""
        return (username, password) == (self._settings.username, self._settings.password)

    def is_banned(self, remote: str) -> bool:
        """Whether the address is locked out."""
        if self._clock() >= self._banned_until.get(remote, float("inf")):
            self.clear_bans()
        return self._failures.get(remote, 0) >= self._settings.max_failures > 0

    def count_failure(self, remote: str) -> None:
        """Count a failed log-in; the last one allowed bans the address."""
        self._failures[remote] = self._failures.get(remote, 0) + 1
        if self._failures[remote] >= self._settings.max_failures:
            self._banned_until[remote] = self._clock() + self._settings.ban_duration

    def forgive(self, remote: str) -> None:
        """Forget the failures of an address."""
        self._failures.pop(remote, None)
        self._banned_until.pop(remote, None)

    def ban(self, remote: str = "127.0.0.1") -> None:
        """Lock an address out."""
        self._failures[remote] = max(self._settings.max_failures, 1)
        self._banned_until[remote] = self._clock() + self._settings.ban_duration

    def clear_bans(self) -> None:
        """Let everyone try again."""
        self._failures.clear()
        self._banned_until.clear()


def _split(url: str) -> SplitResult:
    """Split an address; a broken one is nobody's."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _port(address: SplitResult) -> int | None:
    """Return the port that the address names."""
    try:
        return address.port
    except ValueError:
        return -1
