"""Ten thousand magnets, and how long Home Assistant is held up by them.

`python -m tools.bench.big [NUMBER]` prints a table; nothing is asserted. `held` is the longest
stretch of the main thread's own work without a turn for others, `late` what others saw of it on
this machine, whatever else it was busy with. Then come the lines that it was found at while late.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
import contextlib
import logging
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time

from homeassistant.core import HomeAssistant

from tests.support.common import link
from tools.bench.stage import Server, call, home_assistant, written
from tools.bench.watch import LoopWatch

SINGLE_CALLS = (100, 300, 1000)


class Table:
    """Prints a row for each part."""

    def __init__(self, watch: LoopWatch) -> None:
        """Print the head."""
        self._watch = watch
        names = "".join(f"{name:>9}" for name in ("total", "held", "late", "garbage", ">50 ms"))
        print(f"{'':33}{names} {'written':>9}")

    @contextlib.asynccontextmanager
    async def row(self, name: str) -> AsyncGenerator[None]:
        """Measure what is done within."""
        await asyncio.sleep(0.1)
        self._watch.reset()
        begun, before = time.monotonic(), written()
        yield
        seconds = time.monotonic() - begun
        await asyncio.sleep(0.01)
        watch = self._watch
        kilobytes = (written() - before) / 1000
        print(
            f"{name:33} {seconds:6.2f} s {watch.held * 1000:5.0f} ms {watch.late * 1000:5.0f} ms"
            f" {watch.collected * 1000:5.0f} ms {watch.over:8} {kilobytes:6.0f} kB",
            flush=True,
        )
        for spot, count in watch.spots.most_common(6):
            print(f"      {count:4} x {spot}")


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 300) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.2)


async def big(table: Table, folder: Path, number: int) -> None:
    """Add, queue, drain, add while draining, look, remove."""
    server = Server()
    await server.start()
    batches = [[link(one) for one in range(at, at + number)] for at in range(1, 6 * number, number)]
    async with home_assistant(folder, server.url) as hass:

        async def drained() -> bool:
            return hass.states.get("sensor.qbittorrent_resilient_queued_magnets").state == "0"  # type: ignore[union-attr]

        try:
            async with table.row(f"add {number}"):
                await call(hass, "add_magnets", magnets=batches[0])
            async with table.row(f"add the same {number} again"):
                await call(hass, "add_magnets", magnets=batches[0])
            await server.stop()
            await call(hass, "check_health")
            async with table.row(f"queue {number}"):
                await call(hass, "add_magnets", magnets=batches[1])
            async with table.row(f"get_queue of {number}"):
                await call(hass, "get_queue")
            await server.start()
            async with table.row(f"drain {number}"):
                await call(hass, "check_health")
                await until(drained)
            await server.stop()
            await call(hass, "check_health")
            await call(hass, "add_magnets", magnets=batches[2])
            await server.start()
            async with table.row(f"drain {number}, and add as many"):
                await call(hass, "check_health")
                await call(hass, "add_magnets", magnets=batches[3])
                await until(drained)
            await server.stop()
            await call(hass, "check_health")
            async with table.row(f"queue {2 * number}"):
                await call(hass, "add_magnets", magnets=batches[4] + batches[5])
            async with table.row(f"get_queue of {2 * number}"):
                await call(hass, "get_queue")
            async with table.row("retry_queue"):
                await call(hass, "retry_queue")
            async with table.row("remove all"):
                await call(hass, "remove_magnets", all=True)
            async with table.row(f"{number} texts that are no magnets"):
                await call(hass, "add_magnets", magnets=["bogus"] * number + batches[0][:1])
        finally:
            await server.stop()


async def single_calls(table: Table, folder: Path) -> None:
    """Queue one magnet a call, and see how what is written grows."""
    server = Server()
    async with home_assistant(folder, server.url) as hass:
        done = 0
        for number in SINGLE_CALLS:
            async with table.row(f"calls {done + 1} to {number}, one each"):
                before = written()
                await _one_each(hass, done, number)
                each = (written() - before) / (number - done)
            print(f"      {each:.0f} bytes a call")
            done = number


async def _one_each(hass: HomeAssistant, first: int, last: int) -> None:
    for one in range(first, last):
        await call(hass, "add_magnets", magnets=[link(1_000_000 + one)])


async def main(number: int) -> None:
    """Measure all."""
    logging.disable(logging.WARNING)
    watch = LoopWatch()
    watch.start()
    table = Table(watch)
    with TemporaryDirectory() as folder:
        await big(table, Path(folder) / "big", number)
        await single_calls(table, Path(folder) / "single")
    watch.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
