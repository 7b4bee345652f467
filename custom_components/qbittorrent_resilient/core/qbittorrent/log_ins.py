"""When a server may be asked to let us in: log-ins are few, and none that ends in a ban."""

from ..errors import InstanceError
from ..models import InstanceStatus
from .dialect import LOG_IN

BAN_PAUSE_SECONDS = (300.0, 3600.0)
"""First and longest pause after a ban; qBittorrent's default ban lasts 3600 s."""
IN_VAIN_SECONDS = 300.0
"""Pause before another log-in for what the last one did not help. A session lives 3600 s after its
last use, and 5.3 keeps 15 at a time (docs/qbittorrent.md): so some 12 are ours at most, and
other clients keep theirs."""


class LogIns:
    """What is known of log-ins with one set of credentials; outlives the connection.

    `now` is always in steady seconds.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self.refused = False
        self._ban_pause = 0.0
        self._banned_until = float("-inf")
        self._in_vain_until: dict[str, float] = {}
        self._unanswered = 0

    def require_hope(self, now: float) -> None:
        """Raise InstanceError where the server need not even be asked."""
        if self.refused:
            raise InstanceError(InstanceStatus.AUTH_FAILED, "the credentials were refused before")
        if now < self._banned_until:
            raise InstanceError(InstanceStatus.BANNED, "the server has banned this address")

    def refuse(self, detail: str) -> InstanceError:
        """Never try these credentials again; return the error that says so."""
        self.refused = True
        return InstanceError(InstanceStatus.AUTH_FAILED, detail)

    def ban(self, now: float) -> InstanceError:
        """Pause, twice as long as after the ban before; return the error that says so."""
        first, longest = BAN_PAUSE_SECONDS
        self._ban_pause = min(max(self._ban_pause * 2, first), longest)
        self._banned_until = now + self._ban_pause
        return InstanceError(InstanceStatus.BANNED, "the server has banned this address")

    def let_in(self) -> None:
        """Take note that the server let us in: the next ban starts with the short pause."""
        self._ban_pause = 0.0
        self._unanswered = 0
        self._in_vain_until.pop(LOG_IN, None)

    def unanswered(self, now: float) -> None:
        """Take note of a log-in that may have been counted as a failure, for all we know.

        Once is what a restart of the server looks like; five failures are a ban.
        """
        self._unanswered += 1
        if self._unanswered > 1:
            self.in_vain(LOG_IN, now)

    def in_vain(self, path: str, now: float) -> None:
        """Take note that a log-in did not help with what is refused at `path`."""
        self._in_vain_until[path] = now + IN_VAIN_SECONDS

    def is_in_vain(self, path: str, now: float) -> bool:
        """Tell whether another log-in for `path` would be too soon."""
        return now < self._in_vain_until.get(path, float("-inf"))
