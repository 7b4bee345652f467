"""Home Assistant killed before and after everything it awaits: nothing lost, nothing twice.

Each scenario is lived through once to count its steps, and then once for each step, where it ends.
A second life follows on the same disk and the same servers.
"""

import asyncio
from collections.abc import Iterator
from copy import replace
import logging
import os
import random

import pytest

from custom_components.qbittorrent_resilient.core import (
    bookkeeper,
    courier,
    delivery,
    doubles,
    handover,
    passes,
    queue,
    settling,
    upkeep,
)
from custom_components.qbittorrent_resilient.core.entry import Entry, Mark, Stage, to_record
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.models import AddOptions
from tests.common import info_hash
from tests.core.common import magnets
from tests.core.dying import Scenario, run
from tests.core.home import Home
from tests.core.stepping import awaits
from tests.core.world import EPOCH, World
from tests.fake import V4_5, V5_3, Dialect
from tests.fake.record import Received


async def _add(home: Home) -> None:
    await home.add(1, 2, 3)


async def _add_unkept(home: Home) -> None:
    await home.add(1, 2, 3, keep=False)


async def _add_and_return(home: Home) -> None:
    await home.add(1, 2, 3)
    await asyncio.sleep(120)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def _add_and_return_unfit(home: Home) -> None:
    """The primary answers again, but is not fit for more."""
    await home.add(1, 2, 3)
    home.world.primary.heal()
    home.world.primary.connection_status = "disconnected"
    await asyncio.sleep(120)


async def _add_and_lose(home: Home) -> None:
    await home.add(1, 2, 3)
    home.world.primary.power_cut()
    await asyncio.sleep(120)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def _add_and_go_on(home: Home) -> None:
    """The primary is silent for so long that what it may have goes to the other one."""
    home.world.was_silent_for_long = True
    await home.add(1, 2, 3)
    await asyncio.sleep(1000)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def _add_many(home: Home) -> None:
    await home.add(1, 2, 3, 4, 5)


async def _add_unkept_and_return(home: Home) -> None:
    await home.add(1, 2, 3, keep=False)
    await asyncio.sleep(120)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def _add_where_it_may_go(home: Home) -> None:
    home.world.only_behind_vpn = {info_hash(1), info_hash(2)}
    await home.add(1, 2, require_vpn=True)
    await home.add(3)


async def _drain(home: Home) -> None:
    await home.add(1, 2, 3)
    home.world.primary.come()
    await asyncio.sleep(40)


async def _go_on(home: Home) -> None:
    """Do what an earlier life has left to do."""
    await asyncio.sleep(40)


async def _settle(home: Home) -> None:
    await home.add(1, 2, 3)
    await asyncio.sleep(70)


async def _lose(home: Home) -> None:
    await home.add(1, 2, 3)
    await asyncio.sleep(5)
    home.world.primary.power_cut()
    await asyncio.sleep(100)


async def _fail_and_retry(home: Home) -> None:
    await home.add(1, 2, 3, 4, 5)
    home.world.primary.torrents.never_listed = set()
    await home.retry_failed(2, 3, 4)
    await home.remove(Stage.FAILED, 5)
    await home.courier.retry()
    await asyncio.sleep(5)


async def _remove(home: Home) -> None:
    await home.add(1, 2, 3)
    await home.remove(Stage.QUEUED, 2)
    home.world.primary.come()
    await home.courier.retry()
    await asyncio.sleep(5)


async def _overlap(home: Home) -> None:
    await asyncio.gather(home.add(1, 2), home.add(2, 3), home.add(3, 1, keep=False))
    await home.add(2)


async def _wish_anew(home: Home) -> None:
    """A magnet is given again, with another category, while it waits for its request."""
    task = asyncio.create_task(home.add(1, 2, 3, 4))
    while not home.world.primary.adds:
        await asyncio.sleep(0.003)
    await home.add(3, options=AddOptions(category="other"))
    await task


async def _stop(home: Home) -> None:
    task = asyncio.create_task(home.add(1, 2, 3))
    while not home.world.primary.adds:
        await asyncio.sleep(0.003)
    await home.courier.stop()
    await task


async def _fill_the_disk(home: Home) -> None:
    task = asyncio.create_task(home.add(1, 2, 3))
    while home.world.writes < 1:
        await asyncio.sleep(0.003)
    home.world.full = True
    await task
    with pytest.raises(StorageError):
        await home.add(4)
    home.world.full = False
    await home.add(5)


def _down(world: World) -> None:
    for server in world.servers:
        server.go()


def _primary_down(world: World) -> None:
    world.primary.go()


def _refused(world: World) -> None:
    world.primary.faults.answer(500, "no", endpoint="torrents/add")


def _odd_list(world: World) -> None:
    world.primary.faults.answer(502, "no", endpoint="torrents/info")


def _odd_list_in_passing(world: World) -> None:
    world.primary.faults.answer(502, "no", endpoint="torrents/info", times=5)


def _refused_in_part(world: World) -> None:
    world.primary.faults.answer(500, "no", endpoint="torrents/add", times=5)


def _answer_cut(world: World) -> None:
    world.primary.faults.cut("torrents/add", after=True, times=1)


def _late_answer(world: World) -> None:
    world.primary.faults.hang("torrents/add", after=True, times=1)


def _gone_after_the_add(world: World) -> None:
    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            world.primary.go()

    world.primary.after = look


def _present(world: World) -> None:
    world.primary.has(1)
    world.secondary.has(2)


def _never_listed(world: World) -> None:
    world.primary.torrents.never_listed = {info_hash(number) for number in range(2, 6)}


def _earlier_life(world: World) -> None:
    """What was cut off: queued, sent perhaps, delivered, failed, and expired meanwhile."""
    now = EPOCH + world.loop.time()
    one, two, three, four, five, six = (
        Entry(magnet=magnet, queued_at=now - 100) for magnet in magnets(1, 2, 3, 4, 5, 6)
    )
    entries = [
        one,
        two.sent("key1", now - 5),
        three.settling("key1", now - 5, Mark()),
        four.failed("rejected", now - 5),
        replace(five, queued_at=now - 30 * 86_400),
        replace(six, queued_at=now - 30 * 86_400),
    ]
    world.primary.has(3)
    world.write({entry.info_hash: to_record(entry) for entry in entries}, ())


def _vpn(world: World) -> None:
    world.behind_vpn = world.secondary


SCENARIOS = {
    "all up": Scenario(_add),
    "primary down": Scenario(_add, _primary_down),
    "primary refuses": Scenario(_add, _refused),
    "odd list": Scenario(_add, _odd_list),
    "odd list in passing": Scenario(_add, _odd_list_in_passing),
    "answer cut": Scenario(_add, _answer_cut),
    "answer late": Scenario(_add, _late_answer),
    "gone after the add": Scenario(_add_and_return, _gone_after_the_add),
    "gone after the add, returns unfit": Scenario(_add_and_return_unfit, _gone_after_the_add),
    "gone after the add, loses power": Scenario(_add_and_lose, _gone_after_the_add),
    "gone after the add, for long": Scenario(_add_and_go_on, _gone_after_the_add),
    "refused in part": Scenario(_add_many, _refused_in_part, a_request=4),
    "drain": Scenario(_drain, _down),
    "present": Scenario(_add, _present),
    "not queued": Scenario(_add_unkept),
    "not queued, all down": Scenario(_add_unkept, _down),
    "not queued, gone after the add": Scenario(_add_unkept_and_return, _gone_after_the_add),
    "not queued, rejected": Scenario(_add_unkept, _never_listed),
    "rejected": Scenario(_add, _never_listed),
    "settled": Scenario(_settle),
    "lost by a restart": Scenario(_lose),
    "retry failed": Scenario(_fail_and_retry, _never_listed),
    "removed": Scenario(_remove, _down),
    "overlapping": Scenario(_overlap),
    "other wishes": Scenario(_wish_anew),
    "stopped": Scenario(_stop),
    "earlier life": Scenario(_go_on, _earlier_life),
    "disk full": Scenario(_fill_the_disk),
    "disk full, primary refuses": Scenario(_fill_the_disk, _refused),
    "vpn": Scenario(_add_where_it_may_go, _vpn),
}


def _alive(world: World) -> None:
    """Leave the servers as they are."""


def _power_cut(world: World) -> None:
    for server in world.servers:
        server.power_cut()


def _away(world: World) -> None:
    world.primary.go()
    world.primary_was_away = True
    world.loop.call_later(300, world.primary.come)


def _away_and_lost(world: World) -> None:
    _away(world)
    world.primary.power_cut()


AFTERMATHS = {
    "servers live": _alive,
    "all lose power": _power_cut,
    "primary away": _away,
    "primary away, loses power": _away_and_lost,
}
DIALECTS = (V4_5, V5_3)
EVERY_STEP = bool(os.environ.get("EVERY_STEP"))
"""Kill also where nothing that outlives it has changed since the step before; takes minutes."""


class GivingWay(asyncio.Lock):
    """A lock that is waited for even when it is free."""

    async def acquire(self) -> bool:  # type: ignore[override]
        await asyncio.sleep(0)
        return await super().acquire()


pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> Iterator[None]:
    """Let locks give way and long lists be worked on in turns, and make no noise."""
    monkeypatch.setattr(queue, "AT_A_TIME", 1)
    monkeypatch.setattr(asyncio, "Lock", GivingWay)
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.version)
@pytest.mark.parametrize("aftermath", AFTERMATHS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_every_step(name: str, aftermath: str, dialect: Dialect) -> None:
    scenario = SCENARIOS[name]
    whole = run(scenario, dialect, AFTERMATHS[aftermath])
    points = range(1, len(whole.states) + 1) if EVERY_STEP else whole.ends()
    wrong = {}
    for step in points:
        try:
            run(scenario, dialect, AFTERMATHS[aftermath], step)
        except AssertionError as err:
            wrong[step] = str(err)
    assert not wrong


def test_every_await_is_among_the_steps() -> None:
    """And how many steps there are, of which so many differ in what outlives them."""
    paused_at: set[tuple[str, int]] = set()
    steps = differing = 0
    for dialect in DIALECTS:
        for scenario in SCENARIOS.values():
            for aftermath in AFTERMATHS.values():
                whole = run(scenario, dialect, aftermath)
                paused_at |= whole.paused_at
                steps += len(whole.states)
                differing += len(whole.ends())
    never = [
        f"{module.__name__}:{first} {text}"
        for module in (
            bookkeeper,
            courier,
            delivery,
            doubles,
            handover,
            passes,
            settling,
            queue,
            upkeep,
        )
        for (first, last), text in awaits(module).items()
        if not any((module.__file__, line) in paused_at for line in range(first, last + 1))
        and "asyncio.timeout(" not in text  # gives way to nobody
    ]
    print(f"{steps} steps, {differing} of them differ; scenarios {len(SCENARIOS)}")
    assert not never, "\n".join(never)
    assert steps > 20_000
    assert differing > 3_000
