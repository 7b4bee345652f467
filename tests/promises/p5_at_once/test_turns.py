"""Thousands of magnets never keep the event loop to themselves: others get their turn in between.

Counted are the changes to the books between two turns of others, which no busy machine can alter;
how long the loop is held is measured by `tools.bench.big`.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
import contextlib
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.turns import YIELD_EVERY
from tests.support.actions import call, work
from tests.support.common import FakeClock, Start, instance, link
from tests.support.fake.server import FakeQBittorrent

MANY = 5 * YIELD_EVERY
LINKS = [link(number) for number in range(1, MANY + 1)]
AT_MOST = 2 * YIELD_EVERY


class Turns:
    """The most changes to the books without a turn for others."""

    def __init__(self) -> None:
        self.most = 0
        self._changes = 0

    def start(self) -> None:
        """Count from zero."""
        self.most = self._changes = 0

    def count(self) -> None:
        """Count one change."""
        self._changes += 1
        self.most = max(self.most, self._changes)

    async def take(self) -> None:
        """Take every turn there is."""
        while True:
            self._changes = 0
            await asyncio.sleep(0)


@pytest.fixture
def changes() -> Iterator[Turns]:
    """Count what is put on the books and taken off."""
    turns = Turns()
    put, take_off = Outbox._set, Outbox._remove

    def counted_put(queue: Outbox, entry: Job) -> None:
        turns.count()
        put(queue, entry)

    def counted_take_off(queue: Outbox, key: str) -> None:
        turns.count()
        take_off(queue, key)

    with (
        patch.object(Outbox, "_set", counted_put),
        patch.object(Outbox, "_remove", counted_take_off),
    ):
        yield turns


@contextlib.asynccontextmanager
async def others(turns: Turns) -> AsyncGenerator[None]:
    """Let others take their turns, and look at it all at the end."""
    turns.start()
    taking = asyncio.create_task(turns.take())
    try:
        yield
    finally:
        taking.cancel()
    assert turns.most <= AT_MOST


@pytest.fixture
async def entry(start: Start, primary: FakeQBittorrent, clock: FakeClock) -> MockConfigEntry:
    """Set up with a server."""
    asyncio.get_running_loop().set_debug(False)  # it makes everything several times slower
    entry: MockConfigEntry = await start(instance("first", primary))
    return entry


async def down(hass: HomeAssistant, server: FakeQBittorrent) -> None:
    await server.refuse()
    await call(hass, "check_health")


async def test_added(hass: HomeAssistant, entry: MockConfigEntry, changes: Turns) -> None:
    async with others(changes):
        await call(hass, "add_magnets", magnets=LINKS)


async def test_there_already(hass: HomeAssistant, entry: MockConfigEntry, changes: Turns) -> None:
    await call(hass, "add_magnets", magnets=LINKS)
    async with others(changes):
        await call(hass, "add_magnets", magnets=LINKS)


async def test_queued(
    hass: HomeAssistant, entry: MockConfigEntry, changes: Turns, primary: FakeQBittorrent
) -> None:
    await down(hass, primary)
    async with others(changes):
        await call(hass, "add_magnets", magnets=LINKS)


async def test_retried(
    hass: HomeAssistant, entry: MockConfigEntry, changes: Turns, primary: FakeQBittorrent
) -> None:
    await down(hass, primary)
    await call(hass, "add_magnets", magnets=LINKS)
    async with others(changes):
        await call(hass, "retry_queue")


async def test_removed(
    hass: HomeAssistant, entry: MockConfigEntry, changes: Turns, primary: FakeQBittorrent
) -> None:
    await down(hass, primary)
    await call(hass, "add_magnets", magnets=LINKS)
    async with others(changes):
        response = await call(hass, "remove_magnets", all=True)
    assert len(response["removed"]) == MANY


async def test_settled(
    hass: HomeAssistant, entry: MockConfigEntry, changes: Turns, clock: FakeClock
) -> None:
    await call(hass, "add_magnets", magnets=LINKS)
    clock.tick(300)
    async with others(changes):
        await work(entry)


async def test_expired(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    changes: Turns,
    primary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await down(hass, primary)
    await call(hass, "add_magnets", magnets=LINKS)
    clock.tick(30 * 86_400)
    async with others(changes):
        await work(entry)
    assert len((await call(hass, "get_queue"))["failed"]) == MANY


async def test_moved_back_to_the_queue(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    changes: Turns,
    primary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await down(hass, primary)
    await call(hass, "add_magnets", magnets=LINKS)
    clock.tick(30 * 86_400)
    await work(entry)
    async with others(changes):
        response = await call(hass, "retry_failed", all=True)
    assert len(response["queued"]) == MANY
