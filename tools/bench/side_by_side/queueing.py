"""A long queue for a server that is down: one add to another server, and the next start."""

from pathlib import Path

from tests.support.harness.home_assistant import DOMAIN

from .figures import Part, Row, at_most, felt, milliseconds
from .one_add import OneAdd, beside_least
from .parts import Magnets, home_assistant, servers, set_up
from .scale import Scale
from .starting import accounts
from .wire import Wire

LIMIT = 1.2
SET_UP_SECONDS = 1.0
A_CALL = 10_000
"""A websocket of Home Assistant takes 4 MiB a message."""


async def queueing(folder: Path, scale: Scale) -> list[Part]:
    """Queue more and more; add one magnet, and restart Home Assistant, now and then."""
    place = folder / "queueing"
    measured: dict[int, OneAdd] = {}
    starts: dict[int, list[float]] = {}
    magnets = Magnets(seed=10)
    async with servers(place, "forky", "forky") as (up, down), home_assistant(place) as home:
        await set_up(home, (up.url, up), (down.url, down))
        down.kill()
        queued = 0
        for count in scale.queues:
            async with Wire(home) as wire:
                await wire.call(DOMAIN, "check_health")
                await _queue(wire, magnets, count - queued)
                queued = count
                measured[count] = OneAdd(wire, place / "scratch", magnets)
                await measured[count].measure(scale.singles)
            starts[count] = []
            for _ in range(scale.starts if count else 0):  # a start with none is timed elsewhere
                await home.restart()
                starts[count].append((await accounts(home))[DOMAIN])
    least = min(measured)
    rows = []
    for count, one in measured.items():
        few = measured[least].samples
        name = f"with {least:,}"
        beside = [beside_least(name, one.samples, few, LIMIT)] if count > least else []
        feels = felt("1 link", one.samples)
        rows.append(Row(f"one magnet, with {count:,} queued", one.samples, beside, feels=feels))
    for count, seconds in starts.items():
        if seconds:
            ours = milliseconds(seconds)
            goal = at_most(ours.median, 1000 * SET_UP_SECONDS, f"≤ {SET_UP_SECONDS:g} s")
            rows.append(
                Row(
                    f"set-up, with {count:,} queued",
                    ours,
                    goal=goal,
                    feels=felt("Home Assistant starts, with these", ours),
                )
            )
    return [Part("Beside a long queue for another server", rows)]


async def _queue(wire: Wire, magnets: Magnets, count: int) -> None:
    """Queue so many magnets for the server that is down."""
    for start in range(0, count, A_CALL):
        links = list(magnets.new(min(A_CALL, count - start)).values())
        fields = {"magnets": links, "instances": ["Server 2"]}
        response = await wire.call(DOMAIN, "add_magnets", fields)
        assert len(response["queued"]) == len(links), response
