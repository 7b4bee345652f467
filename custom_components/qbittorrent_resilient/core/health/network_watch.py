"""When a server is asked how it is bound, and what follows for its route and its connection.

Its log tells most: that it listens anew, that its interface is missing. So the settings, which are
long, are read at the first look, when the log gives cause, and now and then.
"""

import logging

from ..clock import Clock
from ..qbittorrent import Binding, Client, Vitals
from ..qbittorrent.errors import ServerError
from .route import RouteMonitor, RouteState

_LOGGER = logging.getLogger(__name__)

SLOW_LOOK_SECONDS = 900.0
"""With a check each 30 s this makes 2.07 requests a check."""
LEAKING_LOOK_SECONDS = 60.0
"""While it leaks: a server that is bound to what it listens on already says nothing of that."""
RETRY_SECONDS = 180.0
"""After settings that could not be read; that is no reason to call the server down."""
_MOST_COMPLAINTS = 20


class NetworkWatch:
    """Watches the network of one server, and its route where it requires the VPN."""

    def __init__(self, client: Client, clock: Clock, route: RouteMonitor | None) -> None:
        """Without a `route`, the settings matter only where the log complains of something."""
        self._client = client
        self._clock = clock
        self._route = route
        self._binding: Binding | None = None
        self._complaints: dict[str, int] = {}
        """What critical messages of this process are about, with the last message of each."""
        self._listening = -1
        self._renewals = 0
        self._due_at = float("-inf") if route else float("inf")
        """When the settings are read next (steady seconds)."""

    @property
    def is_cut_off(self) -> bool:
        """Tell whether it is bound to what is missing; up to 4.6 only its log says so."""
        if (binding := self._binding) is None:
            return False
        missing = {
            about for about, message in self._complaints.items() if message > self._listening
        }
        if binding.network_interface in missing and binding.lacks_its_interface:
            return True
        return binding.interface_address in missing

    def ask_soon(self) -> None:
        """Read the settings at the next look, whatever the log says."""
        if self._route is not None:
            self._due_at = float("-inf")

    async def look(self, vitals: Vitals) -> None:
        """Judge by what a look has brought, and read the settings if there is cause."""
        was_cut_off = self.is_cut_off
        has_cause = self._follow_log(vitals, was_cut_off=was_cut_off)
        wanted = False
        if self._route is not None:
            wanted = self._route.wants_binding
            self._route.observe(vitals)
            wanted = self._route.wants_binding and not wanted
        if has_cause or wanted or self._clock.monotonic() >= self._due_at:
            await self._ask()
        if self._route is not None:
            self._route.settle()

    def _follow_log(self, vitals: Vitals, *, was_cut_off: bool) -> bool:
        """Take the log in; tell whether it is a reason to read the settings."""
        if vitals.from_the_beginning:
            self._complaints.clear()
            self._listening = -1
        for complaint in vitals.complaints:
            self._complaints.pop(complaint.about, None)
            self._complaints[complaint.about] = complaint.message
        for oldest in list(self._complaints)[:-_MOST_COMPLAINTS]:
            del self._complaints[oldest]
        listens_anew = vitals.listening > self._listening
        self._listening = max(self._listening, vitals.listening)
        renewed = self._client.renewals != self._renewals
        self._renewals = self._client.renewals
        if self._route is None:
            return bool(vitals.complaints) or (was_cut_off and listens_anew)
        return bool(vitals.complaints) or listens_anew or renewed

    async def _ask(self) -> None:
        """Read the settings; a failure leaves open how the server is bound."""
        failed = False
        try:
            self._binding = await self._client.binding()
        except ServerError as err:
            _LOGGER.debug("How a server is bound could not be found out: %s", err)
            self._binding, failed = None, True
        if self._route is not None:
            self._route.observe_binding(self._binding)
            leaks = self._route.state is RouteState.LEAKING
            usual = LEAKING_LOOK_SECONDS if leaks else SLOW_LOOK_SECONDS
            self._due_at = self._clock.monotonic() + (
                min(RETRY_SECONDS, usual) if failed else usual
            )
