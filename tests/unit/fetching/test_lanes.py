"""A few fetches at a time: a slow host holds up no other."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.fetching.lanes import (
    BEGIN_AT_ONCE,
    FETCHES_AT_ONCE,
    FETCHES_AT_ONE_HOST,
    Lanes,
    few_at_a_time,
)
from tests.support.common import eventually


class Fetching:
    """Fetches that hold a lane until they are let go."""

    def __init__(self) -> None:
        self.lanes = Lanes()
        self.held: list[str] = []
        self.done = asyncio.Event()

    async def hold(self, host: str) -> None:
        async with self.lanes.at(host):
            self.held.append(host)
            await self.done.wait()

    def begin(self, *hosts: str) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.hold(host)) for host in hosts]


async def test_fewer_at_one_host(caplog: pytest.LogCaptureFixture) -> None:
    fetching = Fetching()
    tasks = fetching.begin(*["slow"] * 50, "other", "third")
    await eventually(lambda: "third" in fetching.held)
    assert fetching.held == ["slow"] * FETCHES_AT_ONE_HOST + ["other", "third"]
    fetching.done.set()
    await asyncio.gather(*tasks)
    assert len(fetching.held) == 52


async def test_a_few_of_all() -> None:
    fetching = Fetching()
    tasks = fetching.begin(*(f"host{number}" for number in range(50)))
    await eventually(lambda: fetching.held)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(fetching.held) == FETCHES_AT_ONCE
    fetching.done.set()
    await asyncio.gather(*tasks)


async def test_one_that_is_cut_off_leaves_its_lane() -> None:
    """Whether it had it or waited for it; nothing is known of a host that nobody fetches from."""
    fetching = Fetching()
    tasks = fetching.begin(*["a"] * 5)
    await eventually(lambda: len(fetching.held) == FETCHES_AT_ONE_HOST)
    for task in (tasks[0], tasks[-1]):
        task.cancel()
    await eventually(lambda: len(fetching.held) == FETCHES_AT_ONE_HOST + 1)
    fetching.done.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not fetching.lanes._hosts
    assert not fetching.lanes._users


async def test_others_get_their_turn() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    items = [item async for item in few_at_a_time(range(3 * BEGIN_AT_ONCE))]
    counting.cancel()
    assert items == [*range(3 * BEGIN_AT_ONCE)]
    assert turns >= 2
