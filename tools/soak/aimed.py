"""Rounds that aim: the kill hits where it is known what a server has, and what it then meets.

The random moments hit these once in a while only. Each is what one promise is for: without its
safeguard the round ends with a magnet lost or on both servers (see sabotage.py).
"""

import asyncio
import random
import time

from .cable import Trap
from .rounds import Round, moment, some_magnets
from .stage import Stage

_SAVED_SECONDS = 10.0
"""A server may need that long to save what it was given (docs/qbittorrent.md)."""


async def _asked_in_vain(stage: Stage, rng: random.Random) -> str:
    """Start it while a server is away; it has moved on by its end. At times kill it once more."""
    note = ""
    for again in (rng.random() < 0.3, False):
        await stage.start()
        # One pass over the queue: whoever does not answer has been asked, and given up.
        await stage.call("retry_queue")
        if not again:
            break
        await stage.kill()
        note = "again, "
    await asyncio.sleep(pause := moment(rng))
    stage.pair.start()
    await stage.call("check_health")  # else the next poll finds out
    return f"{note}first server back {pause * 1000:.0f} ms after the pass"


async def _offered(stage: Stage, rng: random.Random, magnets: list[str], trap: Trap) -> str:
    """Have magnets sent into a trap, by the call itself or from the queue; say how."""
    if rng.random() < 0.5:
        stage.call("add_magnets", magnets)
        return f"{len(magnets)} by add{_seen(await stage.pair.sprung(trap))}"
    cut = [server for server in stage.pair.both if not stage.pair.is_away(server)]
    for server in cut:
        stage.pair.cut(server)
    await stage.call("add_magnets", magnets, max_retries=0)
    stage.pair.mend(cut[0])
    stage.call("check_health")  # the first one of these is found to be back, and gets them
    hit = await stage.pair.sprung(trap)
    for server in cut[1:]:
        stage.pair.mend(server)
    return f"{len(magnets)} by drain{_seen(hit)}"


async def unanswered(stage: Stage, rng: random.Random) -> str:
    """Kill it between the first server's yes and its arrival; that one is away afterwards."""
    magnets = some_magnets(stage, rng)
    trap = stage.pair.lay_trap(stage.pair.primary)
    how = await _offered(stage, rng, magnets, trap)
    dies = rng.random() < 0.3
    if dies:
        await stage.pair.saved(stage.pair.primary, magnets)
        stage.pair.primary.kill()
    await stage.kill()
    stage.pair.cut(stage.pair.primary)
    back = await _asked_in_vain(stage, rng)
    return f"{how}, answer kept back, primary {'killed' if dies else 'cut off'}, {back}"


async def unanswered_second(stage: Stage, rng: random.Random) -> str:
    """Kill it between the second server's yes and its arrival; the first is back afterwards."""
    stage.pair.cut(stage.pair.primary)
    magnets = some_magnets(stage, rng)
    trap = stage.pair.lay_trap(stage.pair.secondary)
    how = await _offered(stage, rng, magnets, trap)
    await stage.kill()
    stage.pair.start()
    return f"{how}, answer kept back, primary back"


async def in_flight(stage: Stage, rng: random.Random) -> str:
    """Freeze the first server as the add comes, which it runs when it thaws; kill meanwhile."""
    magnets = some_magnets(stage, rng)
    trap = stage.pair.lay_trap(stage.pair.primary, freezes=True)
    how = await _offered(stage, rng, magnets, trap)
    stage.pair.freeze_primary()
    await stage.kill()
    back = await _asked_in_vain(stage, rng)
    return f"{how}, frozen in the add, {back}"


async def lost_again(stage: Stage, rng: random.Random) -> str:
    """Kill a server after its yes, with what it had not saved; and Home Assistant at some time."""
    server = stage.pair.primary
    if rng.random() < 0.3:
        server = stage.pair.secondary
        stage.pair.cut(stage.pair.primary)
    magnets = some_magnets(stage, rng)
    began = time.monotonic()
    await stage.call("add_magnets", magnets)
    await asyncio.sleep(moment(rng, 0.5))
    server.kill()
    stage.pair.cut(server)
    order = rng.choice(("at once", "server back", "server later"))
    if order != "server back":
        await stage.kill()
    in_time = time.monotonic() - began < _SAVED_SECONDS
    lost = stage.pair.forget_some(server, magnets if in_time else [], rng)
    if order == "server later":
        await stage.start()
        await stage.call("retry_queue")
    else:
        stage.pair.start()
        if order == "server back":
            await stage.call("check_health")
            await asyncio.sleep(moment(rng))
            await stage.kill()
    which = "primary" if server is stage.pair.primary else "secondary"
    return f"{len(magnets)} given, {which} killed without {lost} of them, {order}"


def _seen(hit: bool) -> str:
    return "" if hit else " (never sent)"


AIMED: tuple[Round, ...] = (unanswered, unanswered_second, in_flight, lost_again)
