"""What outlives Home Assistant: servers of every dialect, a VPN, a disk, and two wall clocks."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
import random
from typing import Any

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.route_record import RouteRecord
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.outbox.record import Record
from tests.promises.crashing.stepping import VirtualLoop
from tests.promises.crashing.world import EPOCH
from tests.support.fake import Dialect
from tests.support.store import MemoryFolder

from .known import PASSKEY, Known, Plan, Removed, Violation
from .quiet import Quiet
from .server import Server
from .web import Web

DAY_SECONDS = 86_400.0
REMOVED_SECONDS = 60.0
"""What an instance has that is set up again within this time is said (promise 3)."""
_PING_SECONDS = 1.2
_LISTED = (Stage.SETTLING.value, Stage.KEPT.value, Stage.DUPLICATE_CHECK.value)

type Happening = Callable[[World, Any], None]
"""Something that happens in a world, and to the process in it."""


@dataclass
class World:
    """All that outlives a process of Home Assistant."""

    loop: VirtualLoop
    rng: random.Random
    dialects: Collection[Dialect]
    trace: Callable[[str], object] = lambda text: None
    records: dict[str, Record] = field(default_factory=dict)
    folder: MemoryFolder = field(default_factory=MemoryFolder)
    known: dict[str, Known] = field(default_factory=dict)
    """By info-hash."""
    plans: list[Plan] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    routes: dict[str, RouteRecord] = field(default_factory=dict)
    """What is stored of each instance's route, by its key."""
    remember_seconds: float = 0.0
    disk_fails: bool = False
    vpn_up: bool = True
    vpn_changed: float = float("-inf")
    clock_offset: float = 0.0
    began: float = 0.0
    changed_at: float = float("-inf")
    """When the settings or the clock were changed last."""
    broken: str | None = None
    agenda: deque[Happening] = field(default_factory=deque)
    """What a happening wants to follow it."""
    storms: int = 0
    starts: int = 0
    """How often Home Assistant was started."""

    def __post_init__(self) -> None:
        """Make the servers and configure them all."""
        rng = self.rng
        self.began = self.loop.time()
        self.quiet = Quiet(self)
        self.web = Web(self)
        self.poll_seconds = rng.choice([30.0, 120.0, 300.0])
        self.remember_seconds = rng.choice([0.0, 0.0, 7 * DAY_SECONDS])
        self.dialects = list(self.dialects)
        self.servers = [
            Server(rng.choice(self.dialects), self, number) for number in range(rng.randint(1, 5))
        ]
        self.names = {server.name: server.address for server in self.servers}
        self.servers_move = rng.random() < 0.7
        if not self.servers_move:  # nothing tells two servers from each other that want no login
            for server in self.servers:
                server.settings.local_host_auth = rng.random() < 0.7
        self.plans = [
            self.corrected(
                Plan(
                    f"key{number}",
                    number,
                    number + 1,
                    rng.random() < 0.4,
                    by_address=rng.random() < 0.2,
                    by_key=rng.random() < 0.2,
                )
            )
            for number in range(len(self.servers))
        ]

    @property
    def secrets(self) -> set[str]:
        """Return what must not be printed."""
        return {PASSKEY} | {
            secret
            for server in self.servers
            for secret in (server.settings.password, server.settings.api_key)
            if secret
        }

    def corrected(self, plan: Plan) -> Plan:
        """Return how the user has to configure an instance so that it works."""
        server = self.servers[plan.server]
        host = server.address if plan.by_address else server.name
        by_key = plan.by_key and server.dialect.api_key
        return replace(
            plan,
            url=f"http://{host}:{server.port}",
            password="" if by_key else server.settings.password,
            api_key=server.settings.api_key if by_key else "",
        )

    def remove(self, number: int) -> None:
        """Remove an instance."""
        plan = self.plans.pop(number)
        maybe_there = set()
        for key, record in self.records.items():
            if plan.key == record.get("sent_to") or plan.key in record.get("suspects", ()):
                maybe_there.add(key)
            if record["stage"] in _LISTED[:2] and key in self.known:
                # Nobody looks any more whether a server that was removed has saved it.
                self.known[key].may_be_lost |= plan.key == record.get("sent_to")
        self.removed.append(Removed(plan, self.loop.time(), frozenset(maybe_there)))

    def set_up_again(self, removed: Removed) -> None:
        """Set up what was removed, under another key."""
        self.removed.remove(removed)
        if self.loop.time() - removed.at > REMOVED_SECONDS:
            for key in removed.maybe_there & self.known.keys():
                self.known[key].may_be_twice = True
        key = f"key{removed.plan.server}-{self.rng.randrange(10**6)}"
        self.plans.append(self.corrected(replace(removed.plan, key=key)))

    def mend(self) -> bool:
        """Have the user put all settings right; tell whether any was wrong."""
        before = [*self.plans]
        for removed in [*self.removed]:
            self.set_up_again(removed)
        self.plans = [self.corrected(plan) for plan in self.plans]
        return self.plans != before

    def move(self, server: Server, address: str) -> None:
        """Give a server another address; its name follows a while later."""
        now, before = self.loop.time(), server.address
        server.address, server.moved_at = address, now
        self.story(f"server {server.number} moves from {before} to {address}")
        later = self.rng.choice([0.0, 0.0, 1.0, 30.0, 600.0])
        self.loop.call_later(later, self._follow, server)

    def _follow(self, server: Server) -> None:
        self.names[server.name] = server.address

    def story(self, text: str) -> None:
        """Say what happens, for whoever replays this life."""
        self.trace(f"{(self.loop.time() - self.began) / DAY_SECONDS:9.5f} d  {text}")

    def wall(self) -> float:
        """Return the wall clock of Home Assistant's host, which somebody may set."""
        return EPOCH + self.loop.time() + self.clock_offset

    async def ping(self, target: str) -> Echoes:
        """Answer as the far end of the tunnel."""
        was_up = self.vpn_up
        await asyncio.sleep(0.05 if was_up else _PING_SECONDS)
        return Echoes(3, (12.0,) * 3 if was_up else ())

    def set_vpn(self, *, up: bool) -> None:
        """Take the VPN up or down."""
        if up is not self.vpn_up:
            self.story(f"the VPN goes {'up' if up else 'down'}")
            self.vpn_up, self.vpn_changed = up, self.loop.time()

    def write(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Change what is on the disk."""
        if self.disk_fails:
            raise StorageError("disk full")
        self.records |= put
        for key, record in put.items():
            if key in self.known and record["stage"] == Stage.QUEUED.value:
                self.known[key].on_disk = True
        for key in drop:
            record = self.records.pop(key, {})
            age = abs(self.wall() - float(record.get("sent_at", 0.0)))
            if record.get("stage") in _LISTED and age < self.remember_seconds / 2:
                self.violate(f"{key[-6:]} was delivered, and that is forgotten")

    def restarted(self, server: Server) -> None:
        """Take note that a server may be said to have lost what the user deleted just now."""
        for magnet in self.known.values():
            if magnet.deleted_in == self.storms:
                magnet.removed, magnet.may_be_lost = None, True

    def may_know(self, info_hash: str) -> tuple[bool, bool]:
        """Tell whether a delivery may be remembered, and whether it surely is.

        Between the two lies the doubt of clocks that were set.
        """
        record = self.records.get(info_hash, {})
        if record.get("stage") not in (Stage.DELIVERED.value, Stage.DUPLICATE_CHECK.value):
            return False, False
        age = abs(self.wall() - float(record.get("sent_at", 0.0)))
        return self.remember_seconds > 0, age < self.remember_seconds / 2

    def may_be_at(self, info_hash: str) -> int:
        """Return at how many instances a magnet may be, as far as that is on the disk."""
        record = self.records.get(info_hash, {})
        return len({record.get("sent_to"), *record.get("suspects", ())} - {None})

    def requires_vpn(self, server: Server) -> bool:
        """Tell whether every instance of this server requires the VPN now."""
        plans = [plan for plan in self.plans if plan.server == server.number]
        return bool(plans) and all(plan.requires_vpn for plan in plans)

    def violate(self, text: str) -> None:
        """Note that a promise was broken; raising it here, the core would catch it."""
        self.story(f"broken: {text}")
        self.broken = self.broken or text

    def raise_if_broken(self) -> None:
        """Raise Violation for the first promise that was broken."""
        if self.broken:
            raise Violation(self.broken)

    def places(self, info_hash: str) -> list[Server]:
        """Return the servers that list a magnet."""
        return [server for server in self.servers if info_hash in server.hashes]

    def heal(self) -> None:
        """End everything that goes wrong."""
        self.story("all is well again")
        self.disk_fails = self.web.is_down = False
        self.set_vpn(up=True)
        for server in self.servers:
            server.heal()
            self._follow(server)
