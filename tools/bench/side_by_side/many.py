"""Thousands of magnets: what they take of memory, of the event loop, and of the disk."""

import asyncio
from pathlib import Path
import time

from tests.support.harness.home_assistant import DOMAIN

from .figures import Part, Row, Samples, at_most
from .machine import memory
from .parts import QUEUED, Magnets, Raw, healthy, home_assistant, servers, set_up
from .scale import Scale
from .wire import Wire

SETTLED_SECONDS = 300.0
"""Each delivery is watched for a minute and 5 ms a magnet before it leaves the books."""


async def many(folder: Path, scale: Scale) -> list[Part]:
    """Queue thousands, drain them, and see what single calls and large ones write."""
    place = folder / "many"
    async with servers(place, "forky") as (server,), home_assistant(place) as home:
        await set_up(home, (server.url, server), scan_interval=10)
        async with Wire(home) as wire, Raw(server) as raw:
            await wire.command("bench_probe/count_writes")
            await healthy(wire)
            magnets = Magnets(seed=8)
            written = [await _written(wire, raw, magnets, *one) for one in scale.written.items()]
            before = memory(home)
            server.kill()
            await wire.call(DOMAIN, "check_health")
            await wire.command("bench_probe/look")
            links = list(magnets.new(scale.many).values())
            await wire.call(DOMAIN, "add_magnets", {"magnets": links})
            queueing = 1000 * (await wire.command("bench_probe/look"))["held"]
            await asyncio.sleep(2)
            queued = memory(home)
            server.start()
            since = time.monotonic()
            await wire.command("bench_probe/look")
            await wire.call(DOMAIN, "check_health")
            await wire.changed_to(QUEUED, lambda state: state == "0", since)
            draining = 1000 * (await wire.command("bench_probe/look"))["held"]
    count = f"{scale.many:,}"
    more = Samples((queued - before,), "MB")
    return [
        Part(
            "Many magnets",
            [
                Row(
                    f"memory more with {count} queued",
                    more,
                    goal=at_most(more.median, 30, "≤ 30 MB"),
                ),
                *(
                    Row(
                        f"event loop held at most while {count} are {what}",
                        Samples((held,), "ms"),
                        goal=at_most(held, 50, "≤ 50 ms"),
                    )
                    for what, held in (("queued", queueing), ("drained", draining))
                ),
                *written,
            ],
        )
    ]


async def _written(wire: Wire, raw: Raw, magnets: Magnets, count: int, calls: int) -> Row:
    """Add so many magnets a call; return what is written until they are off the books."""
    await wire.command("bench_probe/look")
    size = 0
    for _ in range(calls):
        links = list(magnets.new(count).values())
        size += sum(map(len, links))
        await wire.call(DOMAIN, "add_magnets", {"magnets": links})
    written, quiet = 0, 0.0
    async with asyncio.timeout(SETTLED_SECONDS):
        # The last thing that is written comes after each has had its time to be saved.
        while quiet < 75 + count / 200:
            await asyncio.sleep(5)
            new = (await wire.command("bench_probe/look"))["written"]
            written, quiet = written + new, 0.0 if new else quiet + 5
    await raw.clear()
    ratio = written / size
    return Row(
        f"written for a magnet of {size // count // calls} bytes, {count:,} a call",
        Samples((written / count / calls,), "B"),
        goal=at_most(ratio, 3, "≤ 3 × its size"),
    )
