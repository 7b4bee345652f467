"""One add where there are many instances: all well, and the first half of them hanging."""

from contextlib import AsyncExitStack
from pathlib import Path
import time

from custom_components.qbittorrent_resilient.core.qbittorrent.exchange import REQUEST_SECONDS

from .figures import Beside, Part, Row, Samples, at_most, felt
from .one_add import OneAdd, add, beside_least
from .parts import Magnets, Raw, healthy, home_assistant, servers, set_up
from .scale import Scale
from .wire import Wire

LIMIT = 1.5


async def instances(folder: Path, scale: Scale) -> list[Part]:
    """Set some Home Assistants up, each with more of the same real servers."""
    place = folder / "instances"
    measured: dict[int, OneAdd] = {}
    hanging: dict[int, float] = {}
    magnets = Magnets(seed=11)
    async with AsyncExitStack() as stack:
        most = max(scale.instances)
        started = await stack.enter_async_context(servers(place, *["forky"] * most))
        raws = [await stack.enter_async_context(Raw(one)) for one in started]
        for count in scale.instances:
            some = started[:count]
            async with home_assistant(place / str(count)) as home:
                await set_up(home, *((one.url, one) for one in some))
                async with Wire(home) as wire:
                    await healthy(wire)
                    measured[count] = OneAdd(wire, place / "scratch", magnets, raws[:count])
                    await measured[count].measure(scale.singles)
                    if count not in scale.half_hanging:
                        continue
                    for one in some[: count // 2]:
                        one.freeze()
                    try:
                        begun = time.perf_counter()
                        await add(wire, magnets.new(1))
                        hanging[count] = time.perf_counter() - begun
                    finally:
                        for one in some[: count // 2]:
                            one.thaw()
    return [Part("One magnet, with many instances", _rows(measured, hanging))]


def _rows(measured: dict[int, OneAdd], hanging: dict[int, float]) -> list[Row]:
    rows = []
    least = min(measured)
    for count, one in measured.items():
        beside = one.beside
        if count > least:
            few = measured[least].samples
            beside = [beside_least(f"with {least}", one.samples, few, LIMIT), *beside]
        feels = felt("1 link", one.samples)
        rows.append(Row(f"{count} instances, all well", one.samples, beside, feels=feels))
    limit = Samples((REQUEST_SECONDS,), "s")
    for count, seconds in hanging.items():
        ours = Samples((seconds,), "s")
        goal = at_most(seconds, REQUEST_SECONDS + 1, "one time limit")
        beside = [Beside("the time limit", limit, goal)]
        what = f"{count} instances, the first half hangs"
        rows.append(Row(what, ours, beside, feels=felt("1 link", ours)))
    return rows
