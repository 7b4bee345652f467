"""One seed is one life: 30 days of one home, with an oracle that looks at the end of each storm."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import ExitStack, closing
import random
from typing import Any, cast, override
from unittest.mock import patch

from custom_components.qbittorrent_resilient.core import worker
from custom_components.qbittorrent_resilient.core.fetching import links
from tests.promises.crashing.stepping import Life
from tests.support.fake import DIALECTS, Dialect

from .happenings import HAPPENINGS, clock_jumps
from .home import Process
from .known import Violation
from .loop import SwiftLoop
from .oracle import judge, wrong
from .quiet import Listener
from .settings import reconfigured
from .world import DAY_SECONDS, World

DAYS = 30
STORMS = (4, 9)
"""How many storms a life has, at least and at most; between them nothing happens."""
CALM_SECONDS = 3600.0
"""After so long without trouble nothing may be queued any more: 15 min for what is uncertain,
another 15 if its turn comes late, the longest pause between two tries (5 min), and some polls."""
LOOK_SECONDS = 60.0
"""How often it is looked whether nothing is left to do; then the rest of the hour is left out."""
AT_ONCE_SECONDS = 0.5
"""No start waits for a server, and no stop."""
WHOLE_CALMS = 0.05
"""So many calms take their whole hour all the same: nothing may happen any more."""
_MOODS = (0.3, 1.0, 1.0, 4.0)
"""Each storm has a mood, in which some things happen more often, so that they come together."""
OVERHEARD = 10
"""In one of so many lives all that is logged is read along, which takes a while."""
_TICKING: Collection[Any] = (worker, links)
_TICKS = {True: 10.0, False: 6 * 3600.0}


class Mortal(Life):
    """A life that forgets the tasks that are over."""

    _LONG = 2000

    @override
    def make_task(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        if len(self.tasks) > self._LONG:
            alive = [
                (task, steps)
                for task, steps in zip(self.tasks, self.coros, strict=True)
                if not task.done()
            ]
            self.tasks = [task for task, _ in alive]
            self.coros = [steps for _, steps in alive]
        return super().make_task(loop, coro, **options)


def live(
    seed: int,
    trace: Callable[[str], object] = lambda text: None,
    dialects: Collection[Dialect] = DIALECTS,
) -> int:
    """Live through one life and return how many magnets it had; raises Violation."""
    loop = SwiftLoop()
    random.seed(seed)
    try:
        world = World(loop, random.Random(seed), dialects, trace)
        with ExitStack() as stack:
            for module in _TICKING:
                stack.enter_context(patch.object(module, "TICK_SECONDS", _TICKS[True]))
            if seed % OVERHEARD == 0:
                stack.enter_context(closing(Listener(world)))
            loop.run_until_complete(_live(world))
        return len(world.known)
    finally:
        loop.set_task_factory(None)
        loop.close()


class _Bottle:
    """The world with the process that lives in it now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.life: Mortal | None = None
        self.process: Process | None = None
        self.busy = True

    async def start(self) -> Process:
        """Start Home Assistant."""
        loop = self.world.loop
        self.world.starts += 1
        self.life = Mortal(loop, lambda: 0)
        loop.set_task_factory(cast("Any", self.life.make_task))
        self.process = Process(self.world, self.life)
        self.process.set_busy(busy=self.busy)
        loop.create_task(self.process.run())
        self.world.story("Home Assistant starts")
        return self.process

    async def bury(self) -> None:
        """End what is left of a process that was killed."""
        self.world.loop.set_task_factory(None)
        if self.life is not None:
            await self.life.bury()
        self.life = self.process = None

    async def stop(self) -> None:
        """Stop Home Assistant as its user does."""
        if self.process is None or self.life is None:
            return
        self.world.story("Home Assistant stops")
        began = self.world.loop.time()
        stopping = self.world.loop.create_task(self.process.dispatcher.stop())
        await asyncio.wait([stopping, self.life.killed], return_when=asyncio.FIRST_COMPLETED)
        if (took := self.world.loop.time() - began) > AT_ONCE_SECONDS:
            self.world.violate(f"stopping took {took:.1f} s")
        await self.bury()

    async def alive(self) -> Process:
        """Return the process; start another if it was killed. Raises Violation."""
        self.world.raise_if_broken()
        if self.life is not None and self.life.dead:
            self.world.story("Home Assistant was killed")
            await self.bury()
        if self.process is None:
            rng = self.world.rng
            await asyncio.sleep(rng.choice([1, 20, 300]))
            return await self.start()
        return self.process

    async def reload(self, why: str) -> None:
        """Load the integration anew, as after a change of its settings."""
        self.world.story(why)
        await self.stop()
        await self.start()

    def set_busy(self, *, busy: bool) -> None:
        """Set the pace of polls and worker."""
        self.busy = busy
        for module in _TICKING:
            module.TICK_SECONDS = _TICKS[busy]
        if self.process is not None:
            self.process.set_busy(busy=busy)


async def _live(world: World) -> None:
    bottle = _Bottle(world)
    await bottle.start()
    rng = world.rng
    storms = rng.randint(*STORMS)
    for _ in range(storms):
        world.storms += 1
        bottle.set_busy(busy=True)
        await _storm(bottle)
        world.heal()
        await _calm(bottle)
        bottle.set_busy(busy=False)
        await asyncio.sleep(DAYS * DAY_SECONDS / storms * rng.uniform(0.8, 1.2))
    await bottle.stop()
    judge(world)


async def _storm(bottle: _Bottle) -> None:
    """Let things happen, close to each other."""
    world, rng = bottle.world, bottle.world.rng
    happenings = [happening for happening, _ in HAPPENINGS]
    weights = [weight * rng.choice(_MOODS) for _, weight in HAPPENINGS]
    for _ in range(rng.randint(3, 25)):
        process = await bottle.alive()
        chance = rng.random()
        if chance < 0.08 and bottle.life is not None:
            bottle.life.last = bottle.life.steps + rng.randint(1, 300)
        elif chance < 0.11:
            await bottle.stop()
            if rng.random() < 0.2:
                clock_jumps(world, None)
        elif chance < 0.14:
            await bottle.stop()
            reconfigured(world)
            if rng.random() < 0.5:  # as Home Assistant does it; else it takes a while
                await bottle.start()
        elif world.agenda and rng.random() < 0.8:
            world.agenda.popleft()(world, process)
        else:
            rng.choices(happenings, weights)[0](world, process)
        await asyncio.sleep(rng.choice([0, 0.01, 0.05, 1, 5, 8, 30, 120, 1000]))
    world.agenda.clear()


async def _calm(bottle: _Bottle) -> None:
    """Wait until nothing should be left to do, and look."""
    if bottle.life is not None:
        bottle.life.last = None
    await bottle.alive()
    world = bottle.world
    if world.mend():
        await bottle.reload("the user puts the settings right")
    is_whole, until = world.rng.random() < WHOLE_CALMS, world.loop.time() + CALM_SECONDS
    while world.loop.time() < until:
        await asyncio.sleep(LOOK_SECONDS)
        process = await bottle.alive()
        if process.lacks_credentials:
            await bottle.reload("the user enters credentials again")
            continue
        if process.is_at_rest and not is_whole and not wrong(world):
            return
    if stuck := process.stuck():
        raise Violation(f"all servers are well, and the queue stands still: {stuck}")
    judge(world)
