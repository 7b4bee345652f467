"""The books while several callers change them at once, and while many records are read."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.outbox.outbox import YIELD_EVERY, Outbox
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
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
