"""The books while several callers change them at once, and while many records are read."""

import asyncio
import json

import pytest

from custom_components.qbittorrent_resilient.core.entry import to_record
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.queue import AT_A_TIME, MagnetQueue
from tests.common import eventually
from tests.core.test_queue import Disk, contents, entry, reloaded


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def queue(disk: Disk) -> MagnetQueue:
    return MagnetQueue(disk)


async def test_two_at_once_that_the_disk_refuses(queue: MagnetQueue, disk: Disk) -> None:
    """Neither brings back what the other has not had accepted."""
    disk.error = StorageError("full")
    both = queue.accept([entry(1), entry(2)]), queue.accept([entry(2, at=2.0), entry(3)])
    results = await asyncio.gather(*both, return_exceptions=True)
    assert [type(one) for one in results] == [StorageError, StorageError]
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue) == []


async def test_second_is_accepted_where_the_first_was_refused(
    queue: MagnetQueue, disk: Disk
) -> None:
    disk.error, disk.runs = StorageError("full"), asyncio.Event()
    first = asyncio.create_task(queue.accept([entry(1), entry(2)]))
    await eventually(lambda: disk.commits == 1)
    second = asyncio.create_task(queue.accept([entry(2, at=2.0), entry(3)]))
    await asyncio.sleep(0)
    first.add_done_callback(lambda _: setattr(disk, "error", None))
    disk.runs.set()
    with pytest.raises(StorageError):
        await first
    assert await second == [entry(2, at=2.0), entry(3)]
    assert contents(await reloaded(disk)) == contents(queue)
    assert contents(queue) == [entry(2, at=2.0), entry(3)]


async def test_reading_many_gives_others_their_turn(disk: Disk) -> None:
    disk.texts = {str(number): json.dumps(to_record(entry(number))) for number in range(1, 5001)}
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    await reloaded(disk)
    counting.cancel()
    assert turns >= 5000 // AT_A_TIME - 2
