"""The kinds of round: each ends with Home Assistant killed at a random moment."""

import asyncio
from collections.abc import Awaitable, Callable
import random

from .stage import Stage

type Round = Callable[[Stage, random.Random], Awaitable[str]]


def moment(rng: random.Random, longest: float = 2.0) -> float:
    """Return some seconds, from a millisecond on; short ones are as likely as long ones."""
    return float(min(10 ** rng.uniform(-3.0, 0.31), longest))


async def _until(stage: Stage, rng: random.Random, magnets: list[str], longest: float = 2.0) -> str:
    """Wait until a random moment, every other time soon after the magnets are noted as sent."""
    if rng.random() < 0.5:
        await stage.noted(magnets)
        await asyncio.sleep(pause := moment(rng, 0.05))
        return f"{pause * 1000:.0f} ms after the note"
    await asyncio.sleep(pause := moment(rng, longest))
    return f"after {pause * 1000:.0f} ms"


def some_magnets(stage: Stage, rng: random.Random) -> list[str]:
    """Return a few new magnets, at times many."""
    return stage.books.new(rng.choice((1, 2, 3, 5, 8, 8, 40, 150)))


def _magnets(stage: Stage, rng: random.Random, *, old: bool) -> list[str]:
    """Return new magnets, and at times some that were given before.

    One that has left the books may be given only while its server is up: another one may
    get it otherwise, and that would be right.
    """
    magnets = some_magnets(stage, rng)
    known = [key for key, one in stage.stored().items() if one["stage"] == "queued"]
    if old:
        known = stage.books.given[-200:]
        if at_the_second := sorted(stage.pair.secondary.hashes()):  # the one that is asked last
            magnets.insert(rng.randrange(len(magnets) + 1), rng.choice(at_the_second))
    known = [key for key in known if key not in stage.ballast]
    if known and rng.random() < 0.4:
        magnets.insert(rng.randrange(len(magnets) + 1), rng.choice(known))
    return magnets


async def added(stage: Stage, rng: random.Random) -> str:
    """Kill it while it adds."""
    magnets = _magnets(stage, rng, old=True)
    stage.call("add_magnets", magnets)
    when = await _until(stage, rng, magnets)
    await stage.kill()
    return f"{len(magnets)} given, killed {when}"


async def queued(stage: Stage, rng: random.Random) -> str:
    """Kill it while it queues, as no server is up."""
    how = [stage.pair.take_down(server, rng) for server in stage.pair.both]
    magnets = _magnets(stage, rng, old=False)
    stage.call("add_magnets", magnets, max_retries=rng.choice((0, 3)))
    await asyncio.sleep(pause := moment(rng))
    await stage.kill()
    return f"servers {'+'.join(how)}, {len(magnets)} given, killed after {pause * 1000:.0f} ms"


async def passed_on(stage: Stage, rng: random.Random) -> str:
    """Kill it while it goes on to the second server."""
    how = stage.pair.take_down(stage.pair.primary, rng)
    magnets = _magnets(stage, rng, old=False)
    stage.call("add_magnets", magnets, max_retries=0)
    when = await _until(stage, rng, magnets)
    await stage.kill()
    return f"primary {how}, {len(magnets)} given, killed {when}"


async def drained(stage: Stage, rng: random.Random) -> str:
    """Kill it while it drains its queue."""
    for server in stage.pair.both:
        stage.pair.take_down(server, rng)
    magnets = _magnets(stage, rng, old=False)
    await stage.call("add_magnets", magnets, max_retries=0)
    stage.pair.start()
    stage.call("retry_queue")
    when = await _until(stage, rng, magnets)
    await stage.kill()
    return f"{len(magnets)} queued, drain killed {when}"


async def stopped(stage: Stage, rng: random.Random) -> str:
    """Kill it while it stops in order, in the middle of a delivery."""
    magnets = _magnets(stage, rng, old=True)
    stage.call("add_magnets", magnets)
    when = await _until(stage, rng, magnets, 0.3)
    stage.home_assistant.process.terminate()
    await asyncio.sleep(pause := moment(rng, 1.5))
    await stage.kill()
    return f"{len(magnets)} given, stopped {when}, killed {pause * 1000:.0f} ms later"


async def server_went(stage: Stage, rng: random.Random) -> str:
    """Take the server down that has just been given magnets, at times up again, then kill."""
    magnets = _magnets(stage, rng, old=False)
    call = stage.call("add_magnets", magnets, max_retries=1)
    if rng.random() < 0.5:  # listed, and hardly saved
        await call
        await asyncio.sleep(pause := moment(rng, 0.3))
        when = f"{pause * 1000:.0f} ms after the answer"
    else:
        when = await _until(stage, rng, magnets)
    how = stage.pair.take_down(stage.pair.primary, rng)
    if rng.random() < 0.5:
        stage.pair.start()
        how += "+start"
    await asyncio.sleep(moment(rng))
    await stage.kill()
    return f"{len(magnets)} given, primary {how} {when}, then killed"


async def frozen(stage: Stage, rng: random.Random) -> str:
    """Kill it while a server hangs that may carry out later what it was sent."""
    magnets = _magnets(stage, rng, old=False)
    stage.call("add_magnets", magnets, max_retries=0)
    when = await _until(stage, rng, magnets, 0.3)
    stage.pair.freeze_primary()
    await asyncio.sleep(moment(rng))
    await stage.kill()
    return f"{len(magnets)} given, primary frozen {when}, then killed"


async def disturbed(stage: Stage, rng: random.Random) -> str:
    """Reload or change the entry in the middle of a delivery, then kill."""
    magnets = _magnets(stage, rng, old=True)
    stage.call("add_magnets", magnets)
    when = await _until(stage, rng, magnets, 0.3)
    how = await stage.disturb(rng)
    await asyncio.sleep(pause := rng.uniform(0.0, 1.5))  # setting up again takes about a second
    await stage.kill()
    return f"{len(magnets)} given, {how} {when}, killed {pause * 1000:.0f} ms later"


RANDOM: tuple[Round, ...] = (
    added,
    queued,
    passed_on,
    drained,
    stopped,
    server_went,
    frozen,
    disturbed,
)


async def start_again(stage: Stage, rng: random.Random, kills: int) -> str:
    """Start Home Assistant and the servers in some order; at times kill it while it starts."""
    note = ""
    if stage.is_up:
        stage.pair.start()
        return note
    servers_first = rng.random() < 0.6
    if servers_first:
        stage.pair.start()
    if stage.kills < kills and rng.random() < 0.3:
        await stage.killed_starting(pause := rng.uniform(0.0, 2.5))
        note = f", again {pause * 1000:.0f} ms into its start"
    await stage.start()
    if stage.pair.is_down:
        await asyncio.sleep(later := rng.choice((0, 3, 14)))
        note += f", servers {later} s later"
        stage.pair.start()
    return note
