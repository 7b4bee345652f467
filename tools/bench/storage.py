"""The stored queue: how long it takes, what it writes, and how long others wait for it.

`python -m tools.bench.storage [NUMBER ...]` prints a table; nothing is asserted. `held` is the
longest stretch of the main thread's own work, `late` the longest time that others waited for their
turn: on top of that for a thread that does not let go, and for whatever else this machine does.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
import contextlib
from itertools import batched
import json
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_test_home_assistant

import custom_components  # noqa: F401  # first: phcc has a package of this name, too
from custom_components.qbittorrent_resilient.core.outbox.record import Record
from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.common import info_hash, link
from tools.bench.stage import written
from tools.bench.watch import LoopWatch

COUNTS = (100, 1_000, 10_000, 100_000)
SINGLE = 200
"""How many changes are made one by one, and averaged."""
AT_A_TIME = 100
"""Magnets that are sent in one request, noted before and dropped after."""
TRACKER = "&tr=http%3A%2F%2Ftracker.example%3A6969%2Fannounce"


def record(number: int) -> Record:
    """Return what is stored of a queued magnet of usual length."""
    text = link(number, name=f"A+name+of+usual+length+{number}", extra=TRACKER * 3)
    return {"link": text, "stage": "queued", "queued_at": 1_800_000_000.5 + number}


class Bench:
    """Measures one part after the other."""

    def __init__(self) -> None:
        """Print the head."""
        self._watch = LoopWatch()
        self._watch.start()
        print(
            f"{'':38}{'seconds':>9}{'ms each':>9}"
            f"{'bytes':>13}{'B each':>9}{'held ms':>9}{'late ms':>9}"
        )

    async def part(self, name: str, times: int, work: Awaitable[object]) -> None:
        """Print a row."""
        await asyncio.sleep(0.05)
        self._watch.reset()
        bytes_before, begun = written(), time.monotonic()
        await work
        seconds, wrote = time.monotonic() - begun, written() - bytes_before
        await asyncio.sleep(0.05)
        print(
            f"{name:38}{seconds:9.2f}{seconds / times * 1000:9.2f}{wrote:13,}{wrote // times:9,}"
            f"{self._watch.held * 1000:9.1f}{self._watch.late * 1000:9.1f}",
            flush=True,
        )

    def stop(self) -> None:
        """End."""
        self._watch.stop()


@contextlib.asynccontextmanager
async def home_assistant() -> AsyncGenerator[HomeAssistant]:
    """Yield a Home Assistant with a storage folder of its own."""
    with TemporaryDirectory() as folder:
        async with async_test_home_assistant(config_dir=folder) as hass:
            asyncio.get_running_loop().set_debug(False)
            yield hass
            await hass.async_stop(force=True)


def _left(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*"))


async def _one_by_one(storage: QueueStorage, first: int) -> None:
    for number in range(first, first + SINGLE):
        await storage.commit({info_hash(number): record(number)}, [])


async def _drain(storage: QueueStorage, count: int) -> None:
    for numbers in batched(range(1, count + 1), AT_A_TIME, strict=False):
        notes = {info_hash(one): record(one) | {"sent_to": "first"} for one in numbers}
        await storage.commit(notes, [])
        settling = {key: one | {"stage": "settling"} for key, one in notes.items()}
        await storage.commit(settling, [])
        await storage.commit({}, notes.keys())


async def measure(bench: Bench, count: int) -> None:
    """Print the rows of one number of magnets."""
    many = {info_hash(one): record(one) for one in range(1, count + 1)}
    async with home_assistant() as hass:
        storage = QueueStorage(hass, "hub")
        await storage.load()
        await bench.part(f"{count:,}: stored in one go", count, storage.commit(many, []))
        again = QueueStorage(hass, "hub")
        await bench.part(f"{count:,}: read at a start", count, again.load())
        await bench.part("one more", 1, again.commit({"f" * 40: record(1)}, []))
        await bench.part(f"{SINGLE} more, one by one", SINGLE, _one_by_one(again, count + 1))
        last = QueueStorage(hass, "hub")
        await bench.part("read at a start, with a journal", count, last.load())
        await bench.part("all delivered", count, _drain(last, count))
        print(f"{'left on disk: bytes':38}{_left(storage.path):31,}")


async def main(counts: tuple[int, ...]) -> None:
    """Print the table."""
    bench = Bench()
    for count in counts:
        await measure(bench, count)
    bench.stop()


if __name__ == "__main__":
    print(f"one record: {len(json.dumps(record(1)))} bytes")
    asyncio.run(main(tuple(map(int, sys.argv[1:])) or COUNTS))
