"""Whatever comes in whatever order: a leak ends in four ways only, and needs a home address."""

from collections.abc import Callable
from dataclasses import dataclass, field
import json
import random

from hypothesis import given, settings, strategies as st

from custom_components.qbittorrent_resilient.core.health.home import place_of
from custom_components.qbittorrent_resilient.core.health.route import QUIET_SECONDS, RouteMonitor
from custom_components.qbittorrent_resilient.core.health.route_record import record_from
from custom_components.qbittorrent_resilient.core.qbittorrent import Binding
from tests.support.core import Time
from tests.support.routes import EXIT, HOME, HOME_V6, TUNNEL, Route, binding, vitals

ADDRESSES = (HOME, HOME_V6, TUNNEL, EXIT, "2001:db8:1::1", "10.0.0.1")
AT_HOME = {place_of(HOME), place_of(HOME_V6)}
BINDINGS = (
    *(binding(), binding("tun0"), binding("wg0"), binding(interface_address="::")),
    *(binding(names=("lo", "eth0")), binding(names=("lo", "tun0")), None),
)
FIRST_PROCESS = (3, 100.0)


@dataclass
class Said:
    """What the test knows of the server: kept apart from what is tested."""

    process: tuple[int, float] = FIRST_PROCESS
    number: int = 2
    seen: dict[str, int] = field(default_factory=dict)
    fields: tuple[str | None, str | None] = (None, None)
    home_at: float = float("-inf")
    bound: Binding | None = None

    @property
    def any_home(self) -> bool:
        return any(place_of(one) in AT_HOME for one in (*self.seen, *self.fields) if one)


class World:
    """One route, and a server that does random things, each with its leave to end a leak."""

    def __init__(self, chance: random.Random, *home: str) -> None:
        self.chance = chance
        self.time = Time()
        self.route = Route(self.time, *home, gluetun=chance.random() < 0.3)
        self.said = Said()
        self.may_end = False
        self.is_known = False
        """Whether the log was read from its beginning, as the first look does."""

    @property
    def monitor(self) -> RouteMonitor:
        return self.route.monitor

    def observe(self) -> None:
        """Look: perhaps new messages, perhaps the log once more from its beginning."""
        said, chance = self.said, self.chance
        latch = self.monitor.latch
        fresh = []
        for _ in range(chance.choice((0, 0, 1, 2))):
            address = chance.choice(ADDRESSES)
            said.number += 1
            said.seen[address] = said.number
            fresh.append((said.number, address))
        v4, v6 = chance.choice(((None, None), (HOME, None), (TUNNEL, HOME_V6), (EXIT, None)))
        said.fields = (v4, v6)
        if any(place_of(address) in AT_HOME for _, address in fresh):
            said.home_at = self.time.seconds
        again = [(number, address) for address, number in said.seen.items()]
        self.may_end = latch is not None and latch.process != said.process and not said.any_home
        self.monitor.observe(
            vitals(
                *(again if chance.random() < 0.3 else fresh),
                log_began=chance.choice((said.process, None)) if self.is_known else said.process,
                last_v4=v4,
                last_v6=v6,
                listening=said.number if chance.random() < 0.2 else -1,
            )
        )
        self.is_known = True

    def restart_server(self) -> None:
        """Begin another process, of which the next look tells."""
        _, began = self.said.process
        later = began + self.chance.choice((5000.0, 90_000.0))  # no two processes begin alike
        self.said = Said(process=(self.chance.choice((3, 5)), later))
        self.monitor.observe(vitals(log_began=self.said.process))
        self.is_known = True
        self.may_end = True

    def bind(self) -> None:
        if not self.is_known:  # settings are read after a look, never before
            return
        latch, bound = self.monitor.latch, self.chance.choice(BINDINGS)
        self.may_end = (
            bound is not None
            and bound.is_bound
            and latch is not None
            and latch.place not in (None, bound.place)
        )
        self.said.bound = bound
        self.monitor.observe_binding(bound)

    def settle(self) -> None:
        said = self.said
        newest = max(said.seen, key=lambda one: said.seen[one], default=HOME)
        kept_in = said.bound is not None and (said.bound.is_bound or said.bound.has_one_way)
        waited = self.time.seconds - said.home_at >= QUIET_SECONDS
        self.may_end = kept_in and waited and place_of(newest) not in AT_HOME
        self.monitor.settle()

    def wait(self) -> None:
        self.time.seconds += self.chance.choice((1, 30, 600, QUIET_SECONDS))

    def mend(self) -> None:
        self.may_end = True
        self.monitor.mended()

    def restart_home(self) -> None:
        record = json.loads(json.dumps(self.monitor.record.to_dict()))
        self.monitor.close()
        self.route.begin(record_from(record))
        self.said.bound = None
        self.is_known = False

    def step(self) -> None:
        acts: tuple[Callable[[], None], ...] = (
            *(self.observe, self.observe, self.observe, self.bind, self.settle, self.wait),
            *(self.restart_home,),
        )
        rare = (self.restart_server, self.mend)
        self.may_end = False
        self.chance.choice(rare if self.chance.random() < 0.05 else acts)()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None, database=None)
def test_only_four_ways_end_a_leak(seed: int) -> None:
    world = World(random.Random(seed), HOME, HOME_V6)
    for _ in range(120):
        before = world.monitor.latch
        world.step()
        if before is not None and world.monitor.latch is None:
            assert world.may_end


def test_the_four_ways_and_leaks_do_occur() -> None:
    """What the test above walks through is not one state only."""
    began = ended = 0
    for seed in range(100):
        world = World(random.Random(seed), HOME, HOME_V6)
        for _ in range(120):
            before = world.monitor.latch
            world.step()
            began += before is None and world.monitor.latch is not None
            ended += before is not None and world.monitor.latch is None
    assert began > 300
    assert ended > 200


def test_ten_thousand_rounds_without_a_home_address() -> None:
    world = World(random.Random(7))
    for number in range(10_000):
        world.step()
        assert world.monitor.state != "leaking"
        assert world.monitor.record.to_dict() == {"latch": None, "forgiven": None}, number


@given(seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, database=None)
def test_what_is_forgiven_never_counts_again(seed: int) -> None:
    """Read once more from the beginning, by this or the next start of Home Assistant."""
    world = World(random.Random(seed), HOME, HOME_V6)
    for _ in range(60):
        world.step()
    world.observe()
    world.monitor.observe(
        vitals(
            *((number, address) for address, number in world.said.seen.items()),
            log_began=world.said.process,
            last_v4=world.said.fields[0],
            last_v6=world.said.fields[1],
        )
    )
    world.mend()
    for again in range(4):
        if again == 2:
            world.restart_home()
        world.monitor.observe(
            vitals(
                *((number, address) for address, number in world.said.seen.items()),
                log_began=world.said.process,
                last_v4=world.said.fields[0],
                last_v6=world.said.fields[1],
            )
        )
        world.monitor.observe_binding(binding())
        assert world.monitor.latch is None


@given(seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, database=None)
def test_a_restart_changes_nothing(seed: int) -> None:
    """What is stored continues a latch as it was."""
    world = World(random.Random(seed), HOME, HOME_V6)
    for _ in range(40):
        world.step()
    before = world.monitor.record
    world.restart_home()
    assert world.monitor.record == before
    world.monitor.observe(
        vitals(
            *((number, address) for address, number in world.said.seen.items()),
            log_began=world.said.process,
            last_v4=world.said.fields[0],
            last_v6=world.said.fields[1],
        )
    )
    if before.latch is not None:
        assert world.monitor.latch is not None or not world.said.any_home
