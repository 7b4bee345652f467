"""The dispatcher alone: its worker, its patience, and what it makes of an earlier life's books."""

import asyncio
from collections.abc import AsyncGenerator
from unittest.mock import patch

import pytest

from custom_components.qbittorrent_resilient.core import worker as module
from custom_components.qbittorrent_resilient.core.backoff import BACKOFF_SECONDS
from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from tests.support.common import eventually, info_hash, link, looked, work_once
from tests.support.core import Http, TimedServer
from tests.support.home import ServerHome

KEY = "key"


@pytest.fixture
async def home(newest: TimedServer, http: Http) -> AsyncGenerator[ServerHome]:
    """Return the home of a server that is ok."""
    home = ServerHome(newest, http)
    await home.monitor.check()
    yield home
    await home.dispatcher.stop()


@pytest.fixture
async def worker(home: ServerHome) -> AsyncGenerator[asyncio.Task[None]]:
    """Let the worker run; it looks by itself only after a very long time."""
    with patch.object(module, "TICK_SECONDS", 1000):
        task = asyncio.create_task(home.dispatcher.run())
        await asyncio.sleep(0)
        yield task
        task.cancel()


async def test_worker_starts_as_soon_as_the_instance_is_ready(
    home: ServerHome, worker: asyncio.Task[None]
) -> None:
    await home.server.refuse()
    await home.dispatcher.add(home.jobs(2, 1))
    assert home.queued == [info_hash(2), info_hash(1)]
    await home.server.listen()
    await asyncio.sleep(0.02)
    assert not home.server.adds  # nobody has asked it
    await home.monitor.check()
    await eventually(lambda: home.server.hashes == {info_hash(1), info_hash(2)})


async def test_worker_looks_by_itself(home: ServerHome) -> None:
    with patch.object(module, "TICK_SECONDS", 0.01):
        task = asyncio.create_task(home.dispatcher.run())
        await home.dispatcher.add(home.jobs(1))
        home.time.seconds += 100
        await eventually(lambda: not home.store.records)  # it has settled
        task.cancel()


async def test_worker_ends_with_the_dispatcher(
    home: ServerHome, worker: asyncio.Task[None], caplog: pytest.LogCaptureFixture
) -> None:
    """An orderly stop is nothing to complain of."""
    await home.dispatcher.stop()
    await asyncio.wait_for(worker, 30)
    assert not caplog.records


async def test_full_disk_is_logged_once(
    home: ServerHome, worker: asyncio.Task[None], caplog: pytest.LogCaptureFixture
) -> None:
    await home.dispatcher.add(home.jobs(1))
    home.time.seconds += 100
    home.store.fill_up()
    for _ in range(3):
        before = home.store.refused
        home.dispatcher._worker.wake()
        while home.store.refused == before:
            await asyncio.sleep(0)
    assert [one.message for one in caplog.records] == ["The queue cannot be written: disk full"]
    home.store.mend()
    home.dispatcher._worker.wake()
    await eventually(lambda: not home.store.records)


@pytest.mark.parametrize(
    ("mistake", "said"), [(StorageError("said by the queue"), 0), (RuntimeError("a mistake"), 1)]
)
async def test_worker_survives(
    home: ServerHome,
    worker: asyncio.Task[None],
    mistake: Exception,
    said: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with patch.object(module, "reconcile", side_effect=mistake) as broken:
        home.dispatcher._worker.wake()
        await eventually(lambda: broken.called)
    await home.server.refuse()
    await home.dispatcher.add(home.jobs(1))
    await home.server.listen()
    await home.monitor.check()
    await eventually(lambda: home.server.hashes)
    assert not worker.done()
    assert caplog.text.count("ERROR") == said


async def test_backoff_of_what_a_healthy_instance_does_not_take(home: ServerHome) -> None:
    home.server.faults.answer(500, "no", endpoint="torrents/add")
    await home.dispatcher.add(home.jobs(1, max_retries=0))
    tries = home.server.requests_to("torrents/add")
    first, longest = BACKOFF_SECONDS
    with patch("random.uniform", lambda low, high: high):
        waits = []
        for _ in range(8):
            await work_once(home.dispatcher)  # due at once, or after the wait before
            begun, count = home.time.now(), len(home.server.requests_to("torrents/add"))
            while len(home.server.requests_to("torrents/add")) == count:
                home.time.seconds += 5
                await work_once(home.dispatcher)
                assert home.time.now() - begun < 2 * longest
            waits.append(home.time.now() - begun)
    assert len(tries) == 1
    assert waits == sorted(waits)
    assert first < waits[0] < 60
    assert longest <= waits[-1] <= longest + 30


async def test_backoff_blocks_no_other_and_ends_when_the_instance_turns_ok(
    home: ServerHome,
) -> None:
    home.server.faults.answer(500, "no", endpoint="torrents/add", times=2)
    with patch("random.uniform", lambda low, high: high):
        await home.dispatcher.add(home.jobs(1, max_retries=0))
        await work_once(home.dispatcher)
        assert home.queued == [info_hash(1)]
        await home.dispatcher.add(home.jobs(2, max_retries=0))
        assert home.server.hashes == {info_hash(2)}
        await work_once(home.dispatcher)
        assert home.queued == [info_hash(1)]
        await home.server.refuse()
        await home.monitor.check()
        await home.server.listen()
        await home.monitor.check()
        await work_once(home.dispatcher)
    assert home.server.hashes == {info_hash(1), info_hash(2)}


async def test_caller_that_goes_away_does_not_stop_the_delivery(home: ServerHome) -> None:
    fault = home.server.faults.delay(0.05, "torrents/info", times=1)
    task = asyncio.create_task(home.dispatcher.add(home.jobs(1)))
    await eventually(lambda: fault.hits)
    task.cancel()
    await eventually(lambda: home.server.hashes == {info_hash(1)})


async def test_caller_that_goes_away_while_it_is_written(home: ServerHome) -> None:
    """Whether it was accepted or not, it can be given again."""
    task = asyncio.create_task(home.dispatcher.add(home.jobs(1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    outcomes = await asyncio.wait_for(home.dispatcher.add(home.jobs(1)), 30)
    assert len(outcomes) == 1
    assert home.server.hashes == {info_hash(1)}


async def test_stopped_dispatcher_accepts_nothing(home: ServerHome) -> None:
    await home.dispatcher.stop()
    with pytest.raises(StorageError):
        await home.dispatcher.add(home.jobs(1))
    assert not home.store.records
    assert not home.server.adds


async def test_writes_fail_from_then_on(home: ServerHome) -> None:
    """What a pass found out is kept and written with the next change."""
    await home.server.refuse()
    await home.dispatcher.add(home.jobs(1))
    home.store.fill_up()
    with pytest.raises(StorageError):
        await home.dispatcher.add(home.jobs(2))
    assert home.queued == [info_hash(1)]
    await home.dispatcher.retry()
    await home.server.listen()
    (one,) = await home.dispatcher.retry()
    assert one.fate == "queued"  # without a note it is not sent
    assert not home.server.adds
    home.store.mend()
    (one,) = await home.dispatcher.retry()
    assert one.fate == "added"
    await looked()
    assert [record["stage"] for record in home.store.records.values()] == ["settling"]


async def test_earlier_life_was_cut_off_before_it_sent(home: ServerHome) -> None:
    """The caller did not want it queued, and was told nothing."""
    home.write(*home.jobs(1, keep=False), *home.jobs(2))
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    (failed,) = dispatcher.jobs(Stage.FAILED)
    assert (failed.info_hash, failed.reason) == (info_hash(1), "error")
    await work_once(dispatcher)
    assert home.server.hashes == {info_hash(2)}


@pytest.mark.parametrize("there", [True, False])
async def test_earlier_life_was_cut_off_while_it_sent(home: ServerHome, *, there: bool) -> None:
    jobs = home.jobs(1, 2, keep=False)
    home.write(*(one.with_intent(KEY, home.time.now()) for one in jobs))
    if there:
        home.server.add(jobs[0].magnet.link)
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    await work_once(dispatcher)
    failed = {one.info_hash for one in dispatcher.jobs(Stage.FAILED)}
    assert failed == ({info_hash(2)} if there else {info_hash(1), info_hash(2)})
    assert not home.server.adds
    assert not dispatcher.jobs(Stage.QUEUED)


async def test_instance_that_may_have_it_is_no_longer_configured(home: ServerHome) -> None:
    (job,) = home.jobs(1)
    home.write(job.with_intent("gone", home.time.now()))
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    await work_once(dispatcher)
    assert home.server.hashes == {info_hash(1)}


async def test_suspicion_is_forgotten_after_its_time(home: ServerHome) -> None:
    await home.server.refuse()
    (job,) = home.jobs(1, stage=Stage.TOMBSTONE)
    home.write(job.with_intent(KEY, home.time.now()))
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    home.time.seconds += 890
    await work_once(dispatcher)
    assert home.store.records
    home.time.seconds += 20
    await work_once(dispatcher)
    assert not home.store.records


async def test_no_instance_at_all(home: ServerHome) -> None:
    home.monitors.clear()
    home.new_dispatcher()
    (one,) = await home.dispatcher.add(home.jobs(1))
    assert (one.fate, one.reason) == ("queued", "no_instance")
    assert home.dispatcher.active is None


async def test_torrent_that_another_call_gives_by_another_hash(home: ServerHome) -> None:
    """The second call finds it on the books under the hash that the first one gave."""
    await home.server.refuse()
    v2 = "ab" * 32
    links = (f"magnet:?xt=urn:btmh:1220{v2}", f"{link(1)}&xt=urn:btmh:1220{v2}")
    calls = (home.dispatcher.add([Job(Magnet.parse(one), home.time.now())]) for one in links)
    (first,), (second,) = await asyncio.gather(*calls)
    assert first.fate is second.fate is Fate.QUEUED
    assert home.queued == [v2]
