"""What the oracle knows of logins and of what is printed: both shall be little."""

from collections import deque
import logging
from typing import TYPE_CHECKING, override
from urllib.parse import urlsplit

from tests.promises.crashing.world import LATENCY
from tests.support.fake.record import Received

if TYPE_CHECKING:
    from .server import Server
    from .world import World

MOST_WRONG = 3
"""Wrong logins by one process at one server; the answers to the first may have been lost."""
MOST_AN_HOUR = 40
"""Good logins by one process at one server; sessions end now and then, and after each restart."""
BAN_SECONDS = 290.0
"""Between two logins at a server that has said that it bans us."""
LOGGER = "custom_components.qbittorrent_resilient"


class Quiet:
    """Counts the logins of each process at each name."""

    def __init__(self, world: World) -> None:
        """Know of no login."""
        self._world = world
        self._wrong: dict[tuple[int, str], int] = {}
        self._banned: dict[tuple[int, str], float] = {}
        self._good: dict[tuple[int, str], deque[float]] = {}

    def login(self, server: Server, received: Received) -> None:
        """Note a login that a server has answered."""
        now, asked = self._world.loop.time(), received.headers["Host"]
        key = self._world.starts, asked
        if server.access.is_banned(received.remote):
            again = now - self._banned.get(key, float("-inf")) < BAN_SECONDS
            if again and not self._is_shared(asked):
                self._world.violate(f"logs in again and again at {asked}, which bans us")
            self._world.loop.call_later(1.5 * LATENCY, self._told_of_ban, server, key)
        elif not server.access.is_good(received.form["username"], received.form["password"]):
            self._wrong[key] = self._wrong.get(key, 0) + 1
            if self._wrong[key] > MOST_WRONG:
                self._world.violate(f"tries wrong credentials again and again at {asked}")
        else:
            times = self._good.setdefault(key, deque(maxlen=MOST_AN_HOUR))
            if len(times) == MOST_AN_HOUR and now - times[0] < 3600:
                self._world.violate(f"logs in all the time at {asked}")
            times.append(now)

    def _is_shared(self, asked: str) -> bool:
        """Tell whether several instances are, by mistake, configured for the same server."""
        return sum(urlsplit(plan.url).netloc == asked for plan in self._world.plans) > 1

    def _told_of_ban(self, server: Server, key: tuple[int, str]) -> None:
        """Note when a ban was said, unless the server was gone before its answer was out."""
        if server.up:
            self._banned[key] = self._world.loop.time()


class Listener(logging.Handler):
    """Reads along what a life logs, and looks for what is secret."""

    def __init__(self, world: World) -> None:
        """Listen from now on, until `close`."""
        super().__init__(logging.DEBUG)
        self._world = world
        self._logger = logging.getLogger(LOGGER)
        self._before = self._logger.level, self._logger.propagate, logging.root.manager.disable
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False
        logging.disable(logging.NOTSET)
        self._logger.addHandler(self)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        said = f"{record.getMessage()} {record.exc_info or ''}"
        if any(secret in said for secret in self._world.secrets):
            self._world.violate(f"a secret is in the log: {said}")

    @override
    def close(self) -> None:
        level, self._logger.propagate, disabled = self._before
        self._logger.removeHandler(self)
        self._logger.setLevel(level)
        logging.disable(disabled)
        super().close()
