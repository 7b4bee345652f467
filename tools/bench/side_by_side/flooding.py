"""A flood of magnets, in one call and in many calls at once: what it takes of loop and memory."""

from pathlib import Path
import time
from typing import Any

from tests.support.harness.home_assistant import HomeAssistant

from .figures import Part, Row, Samples, at_most, felt
from .machine import begin_peak, peak
from .parts import Magnets, healthy, home_assistant, servers, set_up
from .scale import Scale
from .wire import Wire

A_MESSAGE = 10_000
"""A websocket of Home Assistant takes 4 MiB a message."""


async def flooding(folder: Path, scale: Scale) -> list[Part]:
    """Call the action from within Home Assistant, as an automation does."""
    rows: list[Row] = []
    count = scale.flood
    for calls in scale.flood_calls:
        place = folder / f"flooding-{calls}"
        magnets = Magnets(seed=12)
        async with servers(place, "forky") as (server,), home_assistant(place) as home:
            await set_up(home, (server.url, server))
            async with Wire(home) as wire:
                await healthy(wire)
                size = 0
                for start in range(0, count, A_MESSAGE):
                    links = list(magnets.new(min(A_MESSAGE, count - start)).values())
                    size += sum(map(len, links))
                    await wire.command("bench_probe/keep", links=links)
                rows += await _flood(wire, home, count, calls, size / 1e6)
    return [Part("A flood, from an automation, with the server up", rows)]


async def _flood(
    wire: Wire, home: HomeAssistant, count: int, calls: int, megabytes: float
) -> list[Row]:
    """Have what is kept added, in so many calls at once."""
    await wire.command("bench_probe/look")
    before, begun = begin_peak(home), time.monotonic()
    seen: dict[str, Any] = await wire.command("bench_probe/add_kept", calls=calls)
    seconds = time.monotonic() - begun
    assert seen["added"] == count, seen
    held = 1000 * (await wire.command("bench_probe/look"))["held"]
    more = max(peak(home) - before, 0.0)
    how = f"{count:,} magnets in {f'{calls:,} calls at once' if calls > 1 else 'one call'}"
    taken = Samples((seconds,), "s")
    return [
        Row(f"{how}: all delivered", taken, feels=felt(f"{count:,} links", taken)),
        Row(
            f"{how}: event loop held at most",
            Samples((held,), "ms"),
            goal=at_most(held, 50, "≤ 50 ms"),
            feels=felt("A light switches, at worst,", Samples((held,), "ms")),
        ),
        Row(
            f"{how}: memory more at most, for {megabytes:.1f} MB of links",
            Samples((more,), "MB"),
            goal=at_most(more, 3 * megabytes, "≤ 3 × their size"),
        ),
    ]
