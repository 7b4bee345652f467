"""The books while several callers change them at once, and while many records are read."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from custom_components.qbittorrent_resilient.core.turns import YIELD_EVERY
from tests.support.common import eventually
from tests.support.outbox import contents, job, reloaded
from tests.support.store import MemoryStore


async def test_two_at_once_that_the_disk_refuses(queue: Outbox, disk: MemoryStore) -> None:
    """Neither brings back what the other has not had accepted."""
    disk.error = StorageError("full")
    both = queue.accept([job(1), job(2)]), queue.accept([job(2, at=2.0), job(3)])
    results = await asyncio.gather(*both, return_exceptions=True)
    assert [type(one) for one in results] == [StorageError, StorageError]
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue) == []


async def test_second_is_accepted_where_the_first_was_refused(
    queue: Outbox, disk: MemoryStore
) -> None:
    disk.error = StorageError("full")
    disk.halt()
    first = asyncio.create_task(queue.accept([job(1), job(2)]))
    await eventually(lambda: disk.commits == 1)
    second = asyncio.create_task(queue.accept([job(2, at=2.0), job(3)]))
    await asyncio.sleep(0)
    first.add_done_callback(lambda _: setattr(disk, "error", None))
    disk.go_on()
    with pytest.raises(StorageError):
        await first
    assert await second == [job(2, at=2.0), job(3)]
    assert contents(await reloaded(disk)) == contents(queue)
    assert contents(queue) == [job(2, at=2.0), job(3)]


async def test_reading_many_gives_others_their_turn(disk: MemoryStore) -> None:
    disk.records = {str(number): to_record(job(number)) for number in range(1, 5001)}
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    await reloaded(disk)
    counting.cancel()
    assert turns >= 5000 // YIELD_EVERY - 2


async def test_what_is_needed_waits_for_the_write_that_has_it(
    queue: Outbox, disk: MemoryStore
) -> None:
    """Another job that has changed meanwhile is not written for that."""
    first, second = await queue.accept([job(1), job(2)])
    queue.put(first.with_intent("key", 5.0))
    disk.halt()
    writing = asyncio.create_task(queue.commit())
    await eventually(lambda: disk.commits == 2)
    queue.put(second.with_intent("key", 5.0))
    needed = asyncio.create_task(queue.commit([first.info_hash]))
    await asyncio.sleep(0)
    assert not needed.done()
    disk.go_on()
    await asyncio.gather(writing, needed)
    assert disk.records[first.info_hash]["sent_to"] == "key"
    assert disk.commits == 2
    await queue.commit([second.info_hash])
    assert disk.records[second.info_hash]["sent_to"] == "key"


async def test_what_is_needed_is_written_again_where_that_failed(
    queue: Outbox, disk: MemoryStore
) -> None:
    (first,) = await queue.accept([job(1)])
    queue.put(first.with_intent("key", 5.0))
    disk.fill_up()
    for _ in range(2):
        with pytest.raises(StorageError):
            await queue.commit([first.info_hash])
    disk.mend()
    await queue.commit([first.info_hash])
    assert disk.records[first.info_hash]["sent_to"] == "key"
