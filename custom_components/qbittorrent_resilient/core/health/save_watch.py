"""Whether a server may fail to save and not say so, and which of its processes is which.

Resume data in SQLite that cannot be stored (a full disk) is logged by no server since 4.6, nor does
anything else tell: what was not stored is listed until the next restart.
"""

import logging

from ..clock import Clock
from ..qbittorrent import Client, Vitals
from ..qbittorrent.errors import ProtocolError
from ..qbittorrent.incarnation import Incarnation
from .route_record import is_another

_LOGGER = logging.getLogger(__name__)

RETRY_SECONDS = 180.0
"""After settings that could not be read; a proxy may forbid that for ever."""
MOST_REFUSALS = 3
"""After so many in a row the server is taken to store as nearly all do: in files."""


class SaveWatch:
    """Knows of the process of one server how it saves, as far as that was asked."""

    def __init__(self, client: Client, clock: Clock) -> None:
        """Ask nothing yet."""
        self._client = client
        self._clock = clock
        self.log_began: tuple[int, float] | None = None
        """Id and time of the first message in the log of the process that was checked last."""
        self._unsaid: bool | None = None
        self._refusals, self._ask_at = 0, float("-inf")

    @property
    def sign(self) -> tuple[object, ...]:
        """Return what is another value after a restart, and perhaps without one; asks nothing."""
        return self._client.renewals, self._client.process.launched, self.log_began

    def observe(self, vitals: Vitals) -> None:
        """Take in what a check has brought; of another process nothing is known."""
        if vitals.from_the_beginning and vitals.log_began != self.log_began:
            self._unsaid, self._refusals, self._ask_at = None, 0, float("-inf")
        self.log_began = vitals.log_began

    async def may_fail_unsaid(self) -> bool | None:
        """Tell whether a save may fail unsaid; None while that could not be found out.

        The server is asked once, as a change of this setting counts from its next start on. Raises
        the ServerError that is no odd answer.
        """
        if self._unsaid is None and self._clock.monotonic() >= self._ask_at:
            try:
                self._unsaid = await self._client.may_fail_unsaid()
            except ProtocolError as err:
                _LOGGER.debug("How a server stores resume data could not be read: %s", err)
                self._refusals += 1
                self._ask_at = self._clock.monotonic() + RETRY_SECONDS
                if self._refusals >= MOST_REFUSALS:
                    self._unsaid = False
        return self._unsaid


def was_restarted(before: Incarnation, now: Incarnation) -> bool | None:
    """Tell whether another process is running now; None where neither is certain."""
    if before.launched is not None and now.launched is not None:
        return before.launched != now.launched
    if is_another(now.log_began, before.log_began):
        return True
    same_log = now.log_began is not None and now.log_began == before.log_began
    same_session = now.renewals is not None and now.renewals == before.renewals
    return False if same_log or same_session else None
