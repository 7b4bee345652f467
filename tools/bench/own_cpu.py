"""What of a call is our own work: CPU time per magnet, with a server that answers at once.

`python -m tools.bench.own_cpu [NUMBER ...]` prints a table; nothing is asserted. HTTP, and what the
server's stand-in takes, is not counted; forms and answers are made and read as ever. Of some calls
the least is shown, as whatever else the machine does makes each one slower.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping
import contextlib
import gc
import sys
import time
from typing import Any, cast

import orjson

from custom_components.qbittorrent_resilient import responses
from custom_components.qbittorrent_resilient.core.dispatcher import Dispatcher
from custom_components.qbittorrent_resilient.core.fetching.links import LinkHandling
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.intake import take_in
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.outbox.record import Record
from custom_components.qbittorrent_resilient.core.outbox.store import QueueStore
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Request, dialect
from custom_components.qbittorrent_resilient.core.qbittorrent.answer import Answer
from custom_components.qbittorrent_resilient.core.qbittorrent.connection import Connection
from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.store import MemoryStore
from tools.bench.side_by_side.parts import Magnets
from tools.bench.storage import home_assistant

COUNTS = (1, 1_000, 10_000)
MAGNETS = 20_000
"""Each number is repeated until so many were added, and at most TIMES."""
TIMES = 20
_JSON = "application/json"


class Stopwatch:
    """CPU seconds of all threads, but for what is left out."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.left_out = 0.0

    @property
    def seconds(self) -> float:
        """Return the time so far."""
        return time.process_time() - self.left_out

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what is done within."""
        begun = time.process_time()
        yield
        self.left_out += time.process_time() - begun


class Server:
    """A connection to a server that lists what it was sent, without the way there."""

    version = "5.2.0"
    renewals = 0
    ends_with_the_process = True
    refused = False

    def __init__(self, watch: Stopwatch) -> None:
        """Have no torrents."""
        self._watch = watch
        self._there: dict[str, dict[str, str]] = {}

    async def open(self) -> None:
        """Be there."""

    async def request(self, request: Request) -> Answer:
        """Answer as qBittorrent does; the form is made, as it would be sent."""
        request.body(None)
        if request.confirm is not None:
            request.confirm()
        await asyncio.sleep(0)
        with self._watch.paused():
            return self._answer(request.path, request.form or {})

    def _answer(self, path: str, form: Mapping[str, str]) -> Answer:
        if path == dialect.ADD:
            for link in form["urls"].split("\n"):
                self._there[link[20:60]] = _listed(link)
            return Answer(200, "text/plain", b"Ok.")
        if path == dialect.LIST:
            hashes = form["hashes"].split("|") if "hashes" in form else []
            found = [self._there[one] for one in hashes if one in self._there]
            return Answer(200, _JSON, orjson.dumps(found))
        if path == dialect.PROCESS:
            return Answer(200, _JSON, b'{"launch_time":1700000000}')
        if path == dialect.LOG:
            return Answer(200, _JSON, b"[]")
        return Answer(200, _JSON, b'{"connection_status":"connected"}')


def _listed(link: str) -> dict[str, Any]:
    """Return what a list says of a torrent: as much text and as many fields as qBittorrent does."""
    one: dict[str, Any] = {f"field_{number}": number * 100 for number in range(45)}
    return one | {
        "hash": link[20:60],
        "infohash_v1": link[20:60],
        "infohash_v2": "",
        "magnet": link,
    }


class InstantStore(MemoryStore):
    """A store that forgets, as what it would take is not to be measured."""

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Give way once."""
        await asyncio.sleep(0)


class Runtime:
    """As much of one as a response asks for."""

    vpn = None

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Have a dispatcher."""
        self.dispatcher = dispatcher


async def prepared(store: QueueStore, watch: Stopwatch) -> Dispatcher:
    """Return a dispatcher with one server that is ok."""
    connection = cast("Connection", Server(watch))
    monitor = InstanceMonitor(InstanceSettings(key="key", name="Name", url=""), Client(connection))
    links = LinkHandling(Outbox(InstantStore()), None)
    outbox = Outbox(store, remember_seconds=7 * 86_400)
    dispatcher = Dispatcher([monitor], outbox, links=links, expiry_seconds=1e9)
    await dispatcher.start()
    await monitor.check()
    assert monitor.is_ok, monitor.reason
    return dispatcher


async def one_call(dispatcher: Dispatcher, links: list[str], watch: Stopwatch) -> list[float]:
    """Add these as an action does; return the CPU seconds of each of its parts."""
    begun = watch.seconds
    intake = take_in(links)
    jobs = [Job(magnet=magnet, queued_at=dispatcher.now()) for magnet in intake.magnets]
    taken_in = watch.seconds
    outcomes = await dispatcher.add(jobs)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if task.get_name() == "queue commit":
            await task
    delivered = watch.seconds
    answer = responses.of_add(intake, outcomes, cast("Any", Runtime(dispatcher)))
    assert len(answer["added"]) == len(links), answer
    return [taken_in - begun, delivered - taken_in, watch.seconds - delivered]


async def measure(store: QueueStore, name: str, counts: Collection[int]) -> None:
    """Print a row for each number of magnets in a call."""
    watch, magnets = Stopwatch(), Magnets(seed=14)
    for count in counts:
        dispatcher = await prepared(store, watch)
        taken = []
        for _ in range(min(TIMES, max(3, MAGNETS // count))):
            links = list(magnets.new(count).values())
            gc.collect()
            taken.append(await one_call(dispatcher, links, watch))
        parts = [1e6 * min(part) / count for part in zip(*taken, strict=True)]
        figures = "".join(f"{part:11.1f}" for part in (*parts, sum(parts)))
        print(f"{f'{name}, {count:,} a call':32}{figures}", flush=True)
        await dispatcher.stop()


async def main(counts: Collection[int]) -> None:
    """Print the table."""
    heads = "".join(f"{head:>11}" for head in ("taken in", "delivered", "answered", "all"))
    print(f"{'CPU of a magnet, in µs':32}{heads}")
    await measure(InstantStore(), "without a disk", counts)
    for count in counts:
        async with home_assistant() as hass:
            await measure(QueueStorage(hass, "hub"), "with files", [count])


if __name__ == "__main__":
    asyncio.run(main(tuple(map(int, sys.argv[1:])) or COUNTS))
