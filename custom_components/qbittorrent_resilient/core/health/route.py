"""The route of one server: whether its torrents take the VPN, as far as it tells itself.

A server says in its log which addresses it has outside, as trackers and peers tell it. One of the
home is enough: the torrents leave by the home line. No lack of evidence means anything, as a server
without running torrents learns no address. That it leaks holds until one of four things ends it:
another process without a home address, another binding, the user's word, or a bound server that has
another address for a while.
"""

from collections.abc import Callable
from copy import replace
from enum import StrEnum

from ..clock import Clock
from ..listeners import Listeners
from ..qbittorrent import Binding, Vitals
from ..qbittorrent.dialect import read_address
from .home import HomeAddresses, Place, place_of
from .route_evidence import Evidence, Testimony
from .route_record import Forgiven, Latch, RouteRecord, Source, is_another

QUIET_SECONDS = 900.0
"""How long a bound server must go without a home address, with another one as the newest."""
_MOST_EXITS = 20


class RouteState(StrEnum):
    """The verdict on a route; `unproven` is no evidence either way."""

    VPN = "vpn"
    UNPROVEN = "unproven"
    EXPOSED = "exposed"
    LEAKING = "leaking"


class RouteMonitor:
    """Judges one route by what its server says."""

    def __init__(
        self,
        home: HomeAddresses,
        clock: Clock | None = None,
        *,
        exit_address: Callable[[], str | None] | None = None,
        record: RouteRecord | None = None,
    ) -> None:
        """Go on from `record`. `exit_address` tells the VPN's address; None without such a witness.

        Waits go by the clock's steady seconds; a latch has the wall clock's time for the user.
        """
        self._home = home
        self._clock = clock or Clock()
        self._exit_address = exit_address
        self._exits: dict[Place, None] = {}
        """What the VPN was seen with: no home address, even where Home Assistant is behind it."""
        self._said = Testimony()
        self._latch: Latch | None = None
        self._forgiven: Forgiven | None = None
        self._home_seen_at = float("-inf")
        """When the last evidence of a home address came (steady seconds)."""
        self.binding: Binding | None = None
        """How the server is bound; None where that is not known."""
        self._listeners = Listeners[RouteState, RouteState]()
        self._told = self._snapshot()
        self.restore(record or RouteRecord())
        self._unsubscribe = home.subscribe(self._home_learnt)

    def restore(self, record: RouteRecord) -> None:
        """Go on from what was stored; before the first look. A wait begins anew."""
        self._latch, self._forgiven = record.latch, record.forgiven
        self._home_seen_at = self._clock.monotonic()
        self._told = self._snapshot()

    def close(self) -> None:
        """Follow the home addresses no more."""
        self._unsubscribe()

    def subscribe(self, callback: Callable[[RouteState, RouteState], None]) -> Callable[[], None]:
        """Tell `callback` the state before and after a change of it, or of what else is shown."""
        return self._listeners.subscribe(callback)

    @property
    def state(self) -> RouteState:
        """Return the verdict."""
        if self._latch is not None:
            return RouteState.LEAKING
        if self._exit_address is not None:
            newest = self._said.newest
            is_exit = newest is not None and newest == read_address(self._exit_address())
            return RouteState.VPN if is_exit else RouteState.UNPROVEN
        if (binding := self.binding) is None:
            return RouteState.UNPROVEN
        may_choose = not binding.is_bound and binding.has_tunnel_and_other
        is_exposed = may_choose or binding.is_open_to_peers
        return RouteState.EXPOSED if is_exposed else RouteState.UNPROVEN

    @property
    def latch(self) -> Latch | None:
        """Return the evidence while it leaks, else None."""
        return self._latch

    @property
    def wants_binding(self) -> bool:
        """Tell whether it has to be found out how the server is bound as it leaks."""
        return self._latch is not None and self._latch.place is None

    @property
    def record(self) -> RouteRecord:
        """Return what has to be known after a restart."""
        return RouteRecord(self._latch, self._forgiven)

    @property
    def external_address(self) -> str | None:
        """Return the newest address that the server says it has outside."""
        return self._said.newest

    @property
    def knows_the_exit(self) -> bool:
        """Tell whether the VPN's address is known."""
        return bool(self._known_exits())

    @property
    def is_home_the_exit(self) -> bool:
        """Tell whether the VPN's address is told as one of the home, too: it is none, then."""
        return any(self._home.is_home(place) for place in self._known_exits())

    def observe(self, vitals: Vitals) -> None:
        """Take in what a look at the server has brought, and judge by it."""
        fields = self._said.fields
        if self._said.take(vitals):
            self.binding, fields = None, (None, None)
        self._follow_process()
        news = self._news()
        if self._latch is None:
            self._judge(news)
        else:
            self._leaks_on(self._latch, news, fields)
        self._said.forget_the_oldest()
        self._tell()

    def observe_binding(self, binding: Binding | None) -> None:
        """Take in how the server is bound now; None if that could not be found out."""
        self.binding = binding
        if binding is not None and (latch := self._latch) is not None:
            if latch.place is None:
                self._latch = replace(latch, place=binding.place)
            elif binding.is_bound and binding.place != latch.place:
                self._end(latch)
        self._tell()

    def settle(self) -> None:
        """End a leak that has been over for long enough; call it when a look is complete."""
        binding, latch = self.binding, self._latch
        if binding is not None and latch is not None:
            is_kept_in = binding.is_bound or binding.has_one_way
            newest = self._said.newest_by_version()
            is_elsewhere = latch.version in newest and not any(
                self._may_be_home(place, latch) for place in newest.values()
            )
            waited = self._clock.monotonic() - self._home_seen_at >= QUIET_SECONDS
            if is_kept_in and is_elsewhere and waited:
                self._end(latch)
        self._tell()

    def mended(self) -> None:
        """Take the user's word that it leaks no more."""
        if self._latch is not None:
            self._end(self._latch)
        self._tell()

    def _follow_process(self) -> None:
        """Let what is known of an earlier process end with it."""
        process, forgiven, latch = self._said.process, self._forgiven, self._latch
        v4, v6 = self._said.fields
        if forgiven is not None and is_another(process, forgiven.process):
            self._forgiven = None
        elif forgiven is not None:  # a field that has said something else since is evidence again
            self._forgiven = replace(
                forgiven,
                process=forgiven.process or process,
                v4=forgiven.v4 if forgiven.v4 == v4 else None,
                v6=forgiven.v6 if forgiven.v6 == v6 else None,
            )
        if latch is not None and latch.process is None:
            self._latch = replace(latch, process=process)

    def _news(self) -> list[Evidence]:
        """Return the evidence that this server's torrents take the home line."""
        return [one for one in self._said if self._is_home(one.place) and not self._is_old(one)]

    def _is_old(self, evidence: Evidence) -> bool:
        """Tell whether evidence was forgiven when an earlier leak was over."""
        if (forgiven := self._forgiven) is None:
            return False
        if evidence.source is Source.LOG:
            return evidence.message <= forgiven.message
        return evidence.address in (forgiven.v4, forgiven.v6)

    def _known_exits(self) -> dict[Place, None]:
        address = None if self._exit_address is None else self._exit_address()
        if (place := place_of(address)) is not None:
            self._exits.pop(place, None)
            self._exits[place] = None
            for oldest in list(self._exits)[:-_MOST_EXITS]:
                del self._exits[oldest]
        return self._exits

    def _is_home(self, place: Place) -> bool:
        return self._home.is_home(place) and place not in self._known_exits()

    def _may_be_home(self, place: Place, latch: Latch) -> bool:
        """Tell whether a place is home, by what is known now or by the evidence itself.

        After a start the sources may not have told yet: without any, everything may be home.
        """
        is_unknown = place[0] == latch.version and not self._home.knows(latch.version)
        return is_unknown or place == place_of(latch.address) or self._is_home(place)

    def _judge(self, news: list[Evidence], place: tuple[str, str] | None = None) -> None:
        """Latch what was seen; `place` is what the server was bound to, where that is known."""
        if not news:
            return
        newest = news[0]
        self._home_seen_at = self._clock.monotonic()
        self._latch = Latch(
            self._clock.now(),
            newest.source,
            newest.place[0],
            newest.address,
            self._said.process,
            newest.message,
            place,
        )

    def _leaks_on(
        self, latch: Latch, news: list[Evidence], fields: tuple[str | None, str | None]
    ) -> None:
        """Take in what a server says that is known to leak; `fields` are those before."""
        restarted = is_another(self._said.process, latch.process)
        known = {*fields, latch.address, *(one.address for one in self._said.logged())}
        fresh = [
            one
            for one in news
            if restarted
            or one.message > latch.message
            or (one.source is Source.FIELD and one.address not in known)
        ]
        if fresh:
            newest = fresh[0]
            self._home_seen_at = self._clock.monotonic()
            # What was said before it listened anew is of the binding before.
            is_of_now = newest.source is Source.FIELD or newest.message > self._said.listening
            self._latch = replace(
                latch,
                process=self._said.process,
                message=newest.message if restarted else max(newest.message, latch.message),
                place=None if restarted or is_of_now else latch.place,
            )
        elif restarted and self._home.knows(latch.version):
            if not any(self._may_be_home(one.place, latch) for one in self._said):
                self._latch = None

    def _end(self, latch: Latch) -> None:
        """End the leak, and forgive what was said so far."""
        process, (v4, v6) = self._said.process, self._said.fields
        if process is None:  # the fields are not known yet
            v4, v6 = ((latch.address, None), (None, latch.address))[latch.version == 6]
        message = self._said.last_message
        if not is_another(process, latch.process):
            message = max(message, latch.message)
        self._forgiven = Forgiven(process or latch.process, message, v4, v6)
        self._latch = None

    def _home_learnt(self) -> None:
        """Judge anew what this process has said so far."""
        if self._latch is None:
            # Not a later binding: the user may change it before the next look.
            self._judge(self._news(), None if self.binding is None else self.binding.place)
        self._tell()

    def _snapshot(self) -> tuple[RouteState, tuple[object, ...]]:
        """Return the state, and what else is shown or kept."""
        return self.state, (self.record, self._said.newest, self.binding, self.is_home_the_exit)

    def _tell(self) -> None:
        before, self._told = self._told, self._snapshot()
        if before != self._told:
            self._listeners.notify(before[0], self._told[0])
