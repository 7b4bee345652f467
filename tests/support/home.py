"""What Home Assistant has of the core: instances, a store, and a dispatcher for them."""

from collections.abc import Iterable
from typing import Any, Protocol

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.dispatcher import Dispatcher
from custom_components.qbittorrent_resilient.core.fetching.links import LinkHandling
from custom_components.qbittorrent_resilient.core.fetching.rounds import Fetches
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from tests.support.core import Http, TimedServer, magnets
from tests.support.store import MemoryStore

EXPIRY_SECONDS = 21 * 86_400


class AwaitedVpn(Protocol):
    """A VPN that calls wait for, where an instance requires it."""

    async def wait_until_up(self, seconds: float) -> bool: ...


class Home:
    """A dispatcher for some instances, and the store that it has its jobs in."""

    def __init__(
        self,
        monitors: Iterable[InstanceMonitor],
        clock: Clock,
        *,
        vpn: AwaitedVpn | None = None,
        store: MemoryStore | None = None,
        links: MemoryStore | None = None,
        fetcher: Fetches | None = None,
        remember_seconds: float = 0.0,
    ) -> None:
        self.monitors = list(monitors)
        self.clock = clock
        self.vpn = vpn
        self.store = store or MemoryStore()
        self.links = links or MemoryStore()
        self.fetcher = fetcher
        self.remember_seconds = remember_seconds
        self.dispatcher = self.new_dispatcher()

    def new_dispatcher(self) -> Dispatcher:
        """Go on with a dispatcher that has read nothing yet, as after a restart."""
        self.dispatcher = Dispatcher(
            self.monitors,
            Outbox(self.store, remember_seconds=self.remember_seconds),
            links=LinkHandling(Outbox(self.links), self.fetcher),
            expiry_seconds=EXPIRY_SECONDS,
            clock=self.clock,
        )
        if self.vpn is not None and any(one.settings.requires_vpn for one in self.monitors):
            deliverer = vars(self.dispatcher._deliverer)
            wait = self.vpn.wait_until_up
            deliverer["_wait_for_vpn"] = lambda jobs, seconds: wait(seconds)
            deliverer["_waits_for_vpn"] = lambda jobs, caller: caller.wait_for_vpn > 0
        return self.dispatcher

    def jobs(self, *numbers: int, **fields: Any) -> list[Job]:
        """Return jobs that are given now."""
        now = self.clock.now()
        return [Job(magnet=one, queued_at=now, **fields) for one in magnets(*numbers)]

    def write(self, *jobs: Job) -> None:
        """Put jobs into the store, as an earlier life left them."""
        self.store.write({one.info_hash: to_record(one) for one in jobs})

    @property
    def queued(self) -> list[str]:
        """The info-hashes of what is queued, oldest first."""
        return [one.info_hash for one in self.dispatcher.jobs(Stage.QUEUED)]


class ServerHome(Home):
    """The home of one server, which is its first instance, in time that passes only in sleeps."""

    def __init__(self, server: TimedServer, http: Http) -> None:
        self.server = server
        self.time = http.time
        clock = http.time.clock
        self.monitor = InstanceMonitor(http.settings(server), http.client(server), clock=clock)
        super().__init__([self.monitor], clock)
