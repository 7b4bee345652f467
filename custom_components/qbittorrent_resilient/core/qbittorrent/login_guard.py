"""When to log in to a server: rarely, and never so often that the server bans this host."""

from .dialect import LOGIN
from .errors import BannedError, LoginError, ProxyAuthError

BAN_PAUSE_SECONDS = (300.0, 3600.0)
"""First and longest pause after a ban; qBittorrent's default ban lasts 3600 s."""
FUTILE_SECONDS = 300.0
"""Pause before another login for a path, if the last login did not help there. A session lives
3600 s after its last use, and since 5.3 a server keeps 15 at a time (docs/qbittorrent.md): so some
12 are ours at most, and other clients keep theirs."""


class LoginGuard:
    """What is known of logins with one set of credentials; outlives the connection.

    `now` is always in steady seconds.
    """

    def __init__(self) -> None:
        """Begin without a login."""
        self.refused = False
        self._ban_pause = 0.0
        self._banned_until = float("-inf")
        self._futile_until: dict[str, float] = {}
        self._unanswered = 0
        self._proxy_let_us_in = False
        self._proxy_pause = 0.0
        self._proxy_detail = ""
        self._proxy_refuses_until = float("-inf")

    def raise_if_pointless(self, now: float) -> None:
        """Raise LoginError or BannedError if the server would refuse a login anyway."""
        if self.refused:
            raise LoginError("the credentials were refused before")
        if now < self._banned_until:
            raise BannedError("the server has banned this address")

    def raise_if_proxy_refuses(self, now: float) -> None:
        """Raise ProxyAuthError if what stands in front of the server would refuse us again."""
        if now < self._proxy_refuses_until:
            raise ProxyAuthError(self._proxy_detail)

    def proxy_refused(self, now: float, detail: str, *, definite: bool) -> None:
        """Record that a proxy refused its login or the headers; `detail` is said until then.

        They are never tried again if that is `definite`. If it is not, or if the proxy took them
        before, the fault may be the proxy's, and pass: then after a growing pause.
        """
        first, longest = BAN_PAUSE_SECONDS
        self._proxy_pause = min(max(self._proxy_pause * 2, first), longest)
        self._proxy_detail = detail
        for_good = definite and not self._proxy_let_us_in
        self._proxy_refuses_until = now + (float("inf") if for_good else self._proxy_pause)

    def refuse(self, detail: str) -> LoginError:
        """Never try these credentials again; return the error that says so."""
        self.refused = True
        return LoginError(detail)

    def ban(self, now: float) -> BannedError:
        """Pause logins, twice as long as after the last ban; return the error that says so."""
        first, longest = BAN_PAUSE_SECONDS
        self._ban_pause = min(max(self._ban_pause * 2, first), longest)
        self._banned_until = now + self._ban_pause
        return BannedError("the server has banned this address")

    def succeeded(self) -> None:
        """Record that the server let us in: the next ban starts with the short pause."""
        self._ban_pause = 0.0
        self._unanswered = 0
        self._futile_until.pop(LOGIN, None)
        self._proxy_let_us_in, self._proxy_pause = True, 0.0

    def unanswered(self, now: float) -> None:
        """Record a login without an answer, which the server may have counted as a failure.

        One of them looks like a restart of the server; after five failures the server bans us.
        """
        self._unanswered += 1
        if self._unanswered > 1:
            self.record_futile(LOGIN, now)

    def record_futile(self, path: str, now: float) -> None:
        """Record that a login did not help: the server still refuses requests to `path`."""
        self._futile_until[path] = now + FUTILE_SECONDS

    def is_futile(self, path: str, now: float) -> bool:
        """Tell whether another login for `path` would be too soon."""
        return now < self._futile_until.get(path, float("-inf"))
