"""Scenarios in which Home Assistant is killed between any two steps, and a second life follows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from unittest.mock import patch

from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.promises.crashing.home import MortalHome
from tests.promises.crashing.stepping import Life, VirtualLoop
from tests.promises.crashing.world import World
from tests.support.fake import Dialect


@dataclass(frozen=True)
class Scenario:
    """What happens in the first life, and what is so before it."""

    live: Callable[[MortalHome], Awaitable[object]]
    prepare: Callable[[World], object] = lambda world: None
    a_request: int = 2
    """Magnets in one request, at most."""


type Aftermath = Callable[[World], object]


@dataclass
class Run:
    """What a run had: the state before each of its steps, and the awaits that these ended in."""

    states: list[int]
    writes: int
    requests: int
    paused_at: set[tuple[str, int]]

    def ends(self) -> list[int]:
        """Return the steps, counted from 1, before which something outside has changed, or will.

        A kill at any other differs from these two in nothing that outlives it.
        """
        last = len(self.states) - 1
        return [
            step + 1
            for step, state in enumerate(self.states)
            if step in (0, last) or state != self.states[step - 1] or state != self.states[step + 1]
        ]


def run(scenario: Scenario, dialect: Dialect, aftermath: Aftermath, last: int | None = None) -> Run:
    """Live through a scenario until step `last`, then through a second life, and check."""
    loop = VirtualLoop()
    try:
        with patch.object(batches, "ADD_MAGNETS", (scenario.a_request,) * 2):
            return loop.run_until_complete(_run(loop, scenario, dialect, aftermath, last))
    finally:
        loop.set_task_factory(None)
        loop.close()


async def _run(
    loop: VirtualLoop,
    scenario: Scenario,
    dialect: Dialect,
    aftermath: Aftermath,
    last: int | None,
) -> Run:
    world = World(loop, dialect)
    scenario.prepare(world)
    world.there_before = {server.url: set(server.hashes) for server in world.servers}
    life = Life(loop, world.state, last, watched=last is None)
    await _live(world, life, scenario.live)
    lived = Run(
        life.states,
        world.writes,
        sum(len(server.requests) for server in world.servers),
        life.paused_at,
    )
    promised, written = world.promised(), set(world.written)
    for server in world.servers:
        server.heal()
    world.full = world.queue_is_full = False
    world.folder.written = lambda: None
    world.web.heal()
    aftermath(world)
    await _live(world, Life(loop, world.state), MortalHome.until_all_is_done)
    world.check(promised, written)
    return lived


def live_through(
    story: Callable[[MortalHome], Awaitable[object]],
    dialect: Dialect,
    prepare: Callable[[World], object],
) -> None:
    """Live through a story that nobody dies in, in no time."""
    loop = VirtualLoop()

    async def whole() -> None:
        prepare(world := World(loop, dialect))
        await _live(world, Life(loop, world.state), story)

    try:
        loop.run_until_complete(whole())
    finally:
        loop.set_task_factory(None)
        loop.close()


async def _live(world: World, life: Life, story: Callable[[MortalHome], Awaitable[object]]) -> None:
    """Live through a story, to its end or to that of the life."""

    async def whole() -> None:
        home = MortalHome(world, life)
        await home.open()
        await story(home)

    loop = world.loop
    loop.set_task_factory(cast("Any", life.make_task))
    task = loop.create_task(whole())
    await asyncio.wait([task, life.killed], return_when=asyncio.FIRST_COMPLETED)
    loop.set_task_factory(None)
    if not life.dead:
        task.result()
    await life.bury()
