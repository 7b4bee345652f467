"""Home Assistant killed before and after everything it awaits: nothing lost, nothing twice.

Each scenario is lived through once to count its steps, and then once for each step, where it ends.
A second life follows on the same disk and the same servers.
"""

import asyncio
from collections.abc import Iterator
import importlib
import logging
import os
import pkgutil
import random
from types import ModuleType

import pytest

from custom_components.qbittorrent_resilient import core
from custom_components.qbittorrent_resilient.core import turns, worker
from custom_components.qbittorrent_resilient.core.fetching import lanes, links
from tests.promises.crashing import faults, lives
from tests.promises.crashing.scenario import Scenario, run
from tests.promises.crashing.stepping import awaits
from tests.support.fake import V4_5, V5_3, Dialect

SCENARIOS = {
    "all up": Scenario(lives.add),
    "primary down": Scenario(lives.add, faults.primary_down),
    "primary comes back": Scenario(lives.add_and_come_back, faults.primary_down_secondary_hangs),
    "primary refuses": Scenario(lives.add, faults.refused),
    "odd list": Scenario(lives.add, faults.odd_list),
    "odd list in passing": Scenario(lives.add, faults.odd_list_in_passing),
    "answer cut": Scenario(lives.add, faults.answer_cut),
    "answer late": Scenario(lives.add, faults.late_answer),
    "gone after the add": Scenario(lives.add_and_return, faults.gone_after_the_add),
    "gone after the add, returns unfit": Scenario(
        lives.add_and_return_unfit, faults.gone_after_the_add
    ),
    "gone after the add, loses power": Scenario(lives.add_and_lose, faults.gone_after_the_add),
    "gone after the add, for long": Scenario(lives.add_and_go_on, faults.gone_after_the_add),
    "slow": Scenario(lives.wait_for_the_slow, faults.slow),
    "crashing magnet": Scenario(lives.crash, faults.crashes_at_the_second, a_request=4),
    "refused in part": Scenario(lives.add_many, faults.refused_in_part, a_request=4),
    "drain": Scenario(lives.drain, faults.down),
    "present": Scenario(lives.add, faults.present),
    "not queued": Scenario(lives.add_unkept),
    "not queued, all down": Scenario(lives.add_unkept, faults.down),
    "not queued, gone after the add": Scenario(
        lives.add_unkept_and_return, faults.gone_after_the_add
    ),
    "not queued, rejected": Scenario(lives.add_unkept, faults.never_listed),
    "rejected": Scenario(lives.add, faults.never_listed),
    "settled": Scenario(lives.settle),
    "lost by a restart": Scenario(lives.lose),
    "retry failed": Scenario(lives.fail_and_retry, faults.never_listed),
    "removed": Scenario(lives.remove, faults.down),
    "overlapping": Scenario(lives.overlap),
    "other wishes": Scenario(lives.wish_anew),
    "stopped": Scenario(lives.stop),
    "earlier life": Scenario(lives.go_on, faults.earlier_life),
    "carried out late": Scenario(lives.go_on, faults.carried_out_late),
    "disk full": Scenario(lives.fill_the_disk),
    "disk full, primary refuses": Scenario(lives.fill_the_disk, faults.refused),
    "kept": Scenario(lives.go_on, faults.kept),
    "files": Scenario(lives.add_files),
    "files, answer cut": Scenario(lives.add_files, faults.answer_cut),
    "files, gone after the add": Scenario(lives.add_files, faults.gone_after_the_add),
    "files, not queued": Scenario(lives.add_files_unkept, faults.gone_after_the_add),
    "files, lost by a restart": Scenario(lives.lose_files),
    "files and their magnets": Scenario(lives.drain_files, faults.down),
    "files, one left over": Scenario(lives.go_on, faults.left_over_file),
    "files, disk full": Scenario(lives.fill_the_disk_with_files),
    "files, remembered": Scenario(lives.add_files_again, faults.remembering),
    "links": Scenario(lives.add_links),
    "links, again": Scenario(lives.add_links_again),
    "links that work once": Scenario(lives.add_links, faults.links_work_once),
    "links, answer cut": Scenario(lives.add_links, faults.answer_cut),
    "links, site away": Scenario(lives.add_links_and_wait, faults.site_away),
    "links, site wants to be left alone": Scenario(
        lives.add_links_and_wait, faults.site_wants_to_be_left_alone
    ),
    "links, site slow": Scenario(lives.add_links_and_wait, faults.site_is_slow),
    "links, not queued": Scenario(lives.add_links_unkept, faults.site_away),
    "links, not queued, site slow": Scenario(lives.add_links_unkept, faults.site_is_slow),
    "links, not queued, gone after the add": Scenario(
        lives.add_links_unkept, faults.gone_after_the_add
    ),
    "links, all down": Scenario(lives.drain_links, faults.down),
    "links that work once, all down": Scenario(
        lives.drain_links_alone, faults.links_work_once_and_all_down
    ),
    "links, retry failed": Scenario(lives.retry_links),
    "links, stopped": Scenario(lives.add_links_and_stop, faults.site_is_slow),
    "links, stopped once they were fetched": Scenario(lives.add_links_and_stop_soon),
    "links, stopped while they are delivered": Scenario(lives.add_links_and_stop_in_the_middle),
    "links, removed once they were fetched": Scenario(lives.add_links_and_remove_soon),
    "links, removed while they are delivered": Scenario(
        lives.add_links_and_remove_in_the_middle, faults.down
    ),
    "links, disk full for magnets": Scenario(lives.fill_the_disk_for_the_queue),
    "links, earlier life": Scenario(lives.go_on, faults.earlier_links),
    "links, disk full": Scenario(lives.fill_the_disk_with_links),
    "named": Scenario(lives.add_to_named, faults.secondary_down),
    "vpn": Scenario(lives.add_where_it_may_go, faults.vpn),
    "vpn waited for": Scenario(lives.wait_for_vpn, faults.vpn_and_all_down),
}


AFTERMATHS = {
    "servers live": faults.alive,
    "all lose power": faults.power_cut,
    "primary away": faults.away,
    "primary away, loses power": faults.away_and_lost,
}
DIALECTS = (V4_5, V5_3)
LOOKING_ONLY = {"gluetun", "health", "qbittorrent"}
OF_AN_EXCHANGE = {"fetching.body", "fetching.fetcher", "fetching.guard"}
"""What is under way to the site of a web link, which is what the world itself stands for."""
KILLED_ELSEWHERE = {"outbox.store"}
"""The world has its own books; `test_storage_crashes.py` kills at every step of the real store."""
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
    monkeypatch.setattr(turns, "YIELD_EVERY", 1)
    monkeypatch.setattr(lanes, "BEGIN_AT_ONCE", 1)
    for module in (links, worker):
        monkeypatch.setattr(module, "BELIEVED_SECONDS", 20.0)
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


def _delivery_path() -> Iterator[ModuleType]:
    """Yield every module of the core but those that only look at servers and the VPN.

    These are in the middle of an exchange or an echo when they are killed, which the world ends.
    """
    for found in pkgutil.walk_packages(core.__path__, f"{core.__name__}."):
        name = found.name.removeprefix(f"{core.__name__}.")
        skipped = OF_AN_EXCHANGE | KILLED_ELSEWHERE
        if name.partition(".")[0] not in LOOKING_ONLY and name not in skipped:
            yield importlib.import_module(found.name)


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
        for module in _delivery_path()
        for (first, last), text in awaits(module).items()
        if not any((module.__file__, line) in paused_at for line in range(first, last + 1))
        and "asyncio.timeout(" not in text  # gives way to nobody
    ]
    print(f"{steps} steps, {differing} of them differ; scenarios {len(SCENARIOS)}")
    assert not never, "\n".join(never)
    assert steps > 20_000
    assert differing > 3_000
