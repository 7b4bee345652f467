"""Web links that the user removes at the moment in which they become magnets: both are gone."""

import asyncio
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from tests.support.common import eventually, info_hash
from tests.support.sites import job_of, to_magnet, web_link
from tests.unit.fetching.conftest import LinkHome

KEY = web_link(1).key


async def given(home: LinkHome, *numbers: int) -> asyncio.Task[Any]:
    """Add web links in the background."""
    jobs = [job_of(number, home.clock.now()) for number in numbers]
    return asyncio.create_task(home.dispatcher.add_with_links([], jobs, wait_for_vpn=0, invalid=0))


@pytest.mark.parametrize("keys", [{KEY}, None], ids=["key", "all"])
@pytest.mark.parametrize("step", range(60))
async def test_at_any_moment(home: LinkHome, keys: set[str] | None, step: int) -> None:
    """Whatever was removed is gone, and what is told to be removed is all that was there."""
    home.sites.answers = {1: to_magnet(1)}
    hang = home.server.faults.hang("torrents/info")
    call = await given(home, 1)
    for _ in range(step):
        await asyncio.sleep(0)
    there = bool(home.dispatcher.items(Stage.QUEUED) or home.dispatcher.links._hand_over.under_way)
    removed = await home.dispatcher.remove(Stage.QUEUED, keys)
    assert bool(removed) == there
    if there:
        assert home.dispatcher.items(Stage.QUEUED) == []
        assert not home.links.records
        assert not home.store.records
    hang.clear()
    await call


@pytest.mark.parametrize("keys", [{KEY}, None], ids=["key", "all"])
async def test_its_magnet_waits_for_another_change_of_the_queue(
    home: LinkHome, keys: set[str] | None
) -> None:
    home.sites.answers = {1: to_magnet(1)}
    home.store.halt()
    other = asyncio.create_task(home.dispatcher.add(home.jobs(2)))
    await eventually(lambda: home.store.commits)
    call = await given(home, 1)
    await eventually(lambda: home.dispatcher.links._hand_over.under_way)
    assert home.dispatcher.job(info_hash(1)) is None
    removal = asyncio.create_task(home.dispatcher.remove(Stage.QUEUED, keys))
    await asyncio.sleep(0.01)
    home.store.go_on()
    assert info_hash(1) in [one.key for one in await removal]
    assert info_hash(1) not in home.store.records
    await asyncio.gather(call, other)
    assert info_hash(1) not in home.server.hashes


async def test_it_becomes_a_magnet_while_others_are_removed(home: LinkHome) -> None:
    """What was written meanwhile, of a link that was to be removed, is no reason to keep it."""
    home.sites.answers = {1: to_magnet(1)}
    home.sites.halt()
    call = await given(home, 1)
    await eventually(lambda: home.sites.asked)
    home.links.halt()
    other = asyncio.create_task(home.dispatcher.links.accept([job_of(2, home.clock.now())]))
    await asyncio.sleep(0.01)
    removal = asyncio.create_task(home.dispatcher.remove(Stage.QUEUED, {KEY}))
    await asyncio.sleep(0.01)
    home.sites.go_on()
    await asyncio.sleep(0.01)
    home.links.go_on()
    assert len(await removal) == 1
    await asyncio.gather(call, other)
    assert not home.store.records
    assert not home.server.hashes
