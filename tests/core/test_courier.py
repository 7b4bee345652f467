"""The courier alone: its worker, its patience, and what it makes of an earlier life's books."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.qbittorrent_resilient.core import courier as module
from custom_components.qbittorrent_resilient.core.backoff import BACKOFF_SECONDS
from custom_components.qbittorrent_resilient.core.courier import Courier
from custom_components.qbittorrent_resilient.core.entry import Entry, Record, Stage, to_record
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.health import InstanceMonitor
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outcome import Fate
from custom_components.qbittorrent_resilient.core.queue import MagnetQueue
from tests.common import eventually, info_hash, link, looked, work_once
from tests.core.common import Http, TimedServer, magnets

KEY = "key"
DAY = 86_400


class Books:
    """A store in memory; `broken` lets no write through, and counts them."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.broken = False
        self.refused = 0

    async def load(self) -> Mapping[str, Record]:
        return dict(self.records)

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        await asyncio.sleep(0)
        if self.broken:
            self.refused += 1
            raise StorageError("disk full")
        self.records |= put
        for key in drop:
            self.records.pop(key, None)


class Office:
    """A courier for one server, with its books."""

    def __init__(self, server: TimedServer, http: Http) -> None:
        self.time = http.time
        self.server = server
        self.books = Books()
        self.monitor = InstanceMonitor(
            http.settings(server), http.client(server), clock=self.time.clock
        )
        self.courier = self.open()

    def open(self, *monitors: InstanceMonitor) -> Courier:
        """Return a courier for what the books hold, as after a restart."""
        self.courier = Courier(
            monitors or (self.monitor,),
            None,
            MagnetQueue(self.books),
            expiry_seconds=21 * DAY,
            clock=self.time.clock,
        )
        return self.courier

    def entries(self, *numbers: int, **fields: Any) -> list[Entry]:
        now = self.time.now()
        return [Entry(magnet=one, queued_at=now, **fields) for one in magnets(*numbers)]

    def write(self, *entries: Entry) -> None:
        """Put entries into the store, as an earlier life left them."""
        self.books.records |= {one.info_hash: to_record(one) for one in entries}

    @property
    def queued(self) -> list[str]:
        return [one.info_hash for one in self.courier.queue.at(Stage.QUEUED)]


@pytest.fixture
async def office(newest: TimedServer, http: Http) -> AsyncGenerator[Office]:
    """Return the office of a server that is ok."""
    office = Office(newest, http)
    await office.monitor.check()
    yield office
    await office.courier.stop()


@pytest.fixture
async def worker(office: Office) -> AsyncGenerator[asyncio.Task[None]]:
    """Let the worker run; it looks by itself only after a very long time."""
    with patch.object(module, "TICK_SECONDS", 1000):
        task = asyncio.create_task(office.courier.run())
        await asyncio.sleep(0)
        yield task
        task.cancel()


async def test_worker_starts_as_soon_as_the_instance_is_ready(
    office: Office, worker: asyncio.Task[None]
) -> None:
    await office.server.refuse()
    await office.courier.add(office.entries(2, 1))
    assert office.queued == [info_hash(2), info_hash(1)]
    await office.server.listen()
    await office.monitor.check()
    await asyncio.sleep(0.02)
    assert not office.server.adds  # nobody has told it
    office.courier.instance_ready()
    await eventually(lambda: office.server.hashes == {info_hash(1), info_hash(2)})


async def test_worker_looks_by_itself(office: Office) -> None:
    with patch.object(module, "TICK_SECONDS", 0.01):
        task = asyncio.create_task(office.courier.run())
        await office.courier.add(office.entries(1))
        office.time.seconds += 100
        await eventually(lambda: not office.books.records)  # it has settled
        task.cancel()


async def test_worker_ends_with_the_courier(
    office: Office, worker: asyncio.Task[None], caplog: pytest.LogCaptureFixture
) -> None:
    """An orderly stop is nothing to complain of."""
    await office.courier.stop()
    await asyncio.wait_for(worker, 30)
    assert not caplog.records


async def test_full_disk_is_logged_once(
    office: Office, worker: asyncio.Task[None], caplog: pytest.LogCaptureFixture
) -> None:
    await office.courier.add(office.entries(1))
    office.time.seconds += 100
    office.books.broken = True
    for _ in range(3):
        before = office.books.refused
        office.courier.wake()
        while office.books.refused == before:
            await asyncio.sleep(0)
    assert [one.message for one in caplog.records] == ["The queue cannot be written: disk full"]
    office.books.broken = False
    office.courier.wake()
    await eventually(lambda: not office.books.records)


@pytest.mark.parametrize(
    ("mistake", "said"), [(StorageError("said by the queue"), 0), (RuntimeError("a mistake"), 1)]
)
async def test_worker_survives(
    office: Office,
    worker: asyncio.Task[None],
    mistake: Exception,
    said: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with patch.object(module, "settle", side_effect=mistake) as broken:
        office.courier.wake()
        await eventually(lambda: broken.called)
    await office.server.refuse()
    await office.courier.add(office.entries(1))
    await office.server.listen()
    await office.monitor.check()
    office.courier.instance_ready()
    await eventually(lambda: office.server.hashes)
    assert not worker.done()
    assert caplog.text.count("ERROR") == said


async def test_backoff_of_what_a_healthy_instance_does_not_take(office: Office) -> None:
    office.server.faults.answer(500, "no", endpoint="torrents/add")
    await office.courier.add(office.entries(1, max_retries=0))
    tries = office.server.requests_to("torrents/add")
    first, longest = BACKOFF_SECONDS
    with patch("random.uniform", lambda low, high: high):
        waits = []
        for _ in range(8):
            await work_once(office.courier)  # due at once, or after the wait before
            begun, count = office.time.now(), len(office.server.requests_to("torrents/add"))
            while len(office.server.requests_to("torrents/add")) == count:
                office.time.seconds += 5
                await work_once(office.courier)
                assert office.time.now() - begun < 2 * longest
            waits.append(office.time.now() - begun)
    assert len(tries) == 1
    assert waits == sorted(waits)
    assert first < waits[0] < 60
    assert longest <= waits[-1] <= longest + 30


async def test_backoff_blocks_no_other_and_ends_when_the_instance_turns_ok(office: Office) -> None:
    office.server.faults.answer(500, "no", endpoint="torrents/add", times=2)
    with patch("random.uniform", lambda low, high: high):
        await office.courier.add(office.entries(1, max_retries=0))
        await work_once(office.courier)
        assert office.queued == [info_hash(1)]
        await office.courier.add(office.entries(2, max_retries=0))
        assert office.server.hashes == {info_hash(2)}
        await work_once(office.courier)
        assert office.queued == [info_hash(1)]
        office.courier.instance_ready()
        await work_once(office.courier)
    assert office.server.hashes == {info_hash(1), info_hash(2)}


async def test_caller_that_goes_away_does_not_stop_the_delivery(office: Office) -> None:
    fault = office.server.faults.delay(0.05, "torrents/info", times=1)
    task = asyncio.create_task(office.courier.add(office.entries(1)))
    await eventually(lambda: fault.hits)
    task.cancel()
    await eventually(lambda: office.server.hashes == {info_hash(1)})


async def test_caller_that_goes_away_while_it_is_written(office: Office) -> None:
    """Whether it was accepted or not, it can be given again."""
    task = asyncio.create_task(office.courier.add(office.entries(1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    outcomes = await asyncio.wait_for(office.courier.add(office.entries(1)), 30)
    assert len(outcomes) == 1
    assert office.server.hashes == {info_hash(1)}


async def test_stopped_courier_accepts_nothing(office: Office) -> None:
    await office.courier.stop()
    with pytest.raises(StorageError):
        await office.courier.add(office.entries(1))
    assert not office.books.records
    assert not office.server.adds


async def test_writes_fail_from_then_on(office: Office) -> None:
    """What a pass found out is kept and written with the next change."""
    await office.server.refuse()
    await office.courier.add(office.entries(1))
    office.books.broken = True
    with pytest.raises(StorageError):
        await office.courier.add(office.entries(2))
    assert office.queued == [info_hash(1)]
    await office.courier.retry()
    await office.server.listen()
    (one,) = await office.courier.retry()
    assert one.fate == "queued"  # without a note it is not sent
    assert not office.server.adds
    office.books.broken = False
    (one,) = await office.courier.retry()
    assert one.fate == "added"
    await looked()
    assert [record["stage"] for record in office.books.records.values()] == ["settling"]


async def test_earlier_life_was_cut_off_before_it_sent(office: Office) -> None:
    """The caller did not want it queued, and was told nothing."""
    office.write(*office.entries(1, keep=False), *office.entries(2))
    courier = office.open()
    await courier.start()
    (failed,) = courier.queue.at(Stage.FAILED)
    assert (failed.info_hash, failed.reason) == (info_hash(1), "error")
    await work_once(courier)
    assert office.server.hashes == {info_hash(2)}


@pytest.mark.parametrize("there", [True, False])
async def test_earlier_life_was_cut_off_while_it_sent(office: Office, *, there: bool) -> None:
    entries = office.entries(1, 2, keep=False)
    office.write(*(one.sent(KEY, office.time.now()) for one in entries))
    if there:
        office.server.add(entries[0].magnet.link)
    courier = office.open()
    await courier.start()
    await work_once(courier)
    failed = {one.info_hash for one in courier.queue.at(Stage.FAILED)}
    assert failed == ({info_hash(2)} if there else {info_hash(1), info_hash(2)})
    assert not office.server.adds
    assert not courier.queue.at(Stage.QUEUED)


async def test_instance_that_may_have_it_is_no_longer_configured(office: Office) -> None:
    (entry,) = office.entries(1)
    office.write(entry.sent("gone", office.time.now()))
    courier = office.open()
    await courier.start()
    await work_once(courier)
    assert office.server.hashes == {info_hash(1)}


async def test_suspicion_is_forgotten_after_its_time(office: Office) -> None:
    await office.server.refuse()
    (entry,) = office.entries(1, stage=Stage.DISCLAIMED)
    office.write(entry.sent(KEY, office.time.now()))
    courier = office.open()
    await courier.start()
    office.time.seconds += 890
    await work_once(courier)
    assert office.books.records
    office.time.seconds += 20
    await work_once(courier)
    assert not office.books.records


async def test_no_instance_at_all(office: Office) -> None:
    office.courier = Courier(
        (), None, MagnetQueue(office.books), expiry_seconds=DAY, clock=office.time.clock
    )
    (one,) = await office.courier.add(office.entries(1))
    assert (one.fate, one.reason) == ("queued", "no_instance")
    assert office.courier.active is None


async def test_torrent_that_another_call_gives_by_another_hash(office: Office) -> None:
    """The second call finds it on the books under the hash that the first one gave."""
    await office.server.refuse()
    v2 = "ab" * 32
    links = (f"magnet:?xt=urn:btmh:1220{v2}", f"{link(1)}&xt=urn:btmh:1220{v2}")
    calls = (office.courier.add([Entry(Magnet.parse(one), office.time.now())]) for one in links)
    (first,), (second,) = await asyncio.gather(*calls)
    assert first.fate is second.fate is Fate.QUEUED
    assert office.queued == [v2]
