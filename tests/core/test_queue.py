"""The books: what is on them, and that they are on disk before anything is claimed."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from copy import replace
import json
import logging
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.entry import Entry, Mark, Record, Stage, to_record
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.models import AddOptions
from custom_components.qbittorrent_resilient.core.queue import AT_A_TIME, MagnetQueue
from tests.common import info_hash, link

V2 = "ab" * 32
V2_LINK = f"magnet:?xt=urn:btmh:1220{V2}"
HYBRID = f"{link(1)}&xt=urn:btmh:1220{V2}"


class Disk:
    """A store that keeps JSON texts, and fails or halts when told."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.error: BaseException | None = None
        self.runs = asyncio.Event()
        self.runs.set()
        self.commits = 0

    async def load(self) -> Mapping[str, Record]:
        return {key: json.loads(text) for key, text in self.texts.items()}

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        self.commits += 1
        await self.runs.wait()
        if self.error is not None:
            raise self.error
        self.texts |= {key: json.dumps(record) for key, record in put.items()}
        for key in drop:
            self.texts.pop(key, None)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def queue(disk: Disk) -> MagnetQueue:
    return MagnetQueue(disk)


def entry(given: int | str, at: float = 1.0) -> Entry:
    return Entry(
        magnet=Magnet.parse(link(given) if isinstance(given, int) else given), queued_at=at
    )


async def reloaded(disk: Disk) -> MagnetQueue:
    queue = MagnetQueue(disk)
    await queue.load()
    return queue


def contents(queue: MagnetQueue) -> list[Entry]:
    entries = [entry for stage in Stage for entry in queue.at(stage)]
    return sorted(entries, key=lambda entry: entry.info_hash)


async def test_accepted_is_on_disk(queue: MagnetQueue, disk: Disk) -> None:
    accepted = await queue.accept([entry(2, 20.0), entry(1, 10.0)])
    assert accepted == [entry(2, 20.0), entry(1, 10.0)]
    again = await reloaded(disk)
    assert again.at(Stage.QUEUED) == queue.at(Stage.QUEUED) == [entry(1, 10.0), entry(2, 20.0)]
    assert again.count(Stage.QUEUED) == 2
    assert again.at(Stage.FAILED) == []
    assert disk.commits == 1


async def test_reloading_writes_nothing(queue: MagnetQueue, disk: Disk) -> None:
    await queue.accept([entry(1)])
    again = await reloaded(disk)
    await again.commit()
    assert disk.commits == 1


async def test_refused_by_the_disk(queue: MagnetQueue, disk: Disk) -> None:
    """Nothing has been accepted, what was on the books is as it was, and later ones get through."""
    await queue.accept([entry(1)])
    disk.error = StorageError("full")
    wishes = AddOptions(category="other")
    with pytest.raises(StorageError):
        await queue.accept([entry(2), replace(entry(1), options=wishes), entry(HYBRID), entry(2)])
    assert contents(queue) == [entry(1)]
    assert queue.known(entry(2).magnet) is None
    disk.error = None
    await queue.accept([entry(3)])
    assert contents(await reloaded(disk)) == contents(queue) == [entry(1), entry(3)]


async def test_undone_where_the_disk_refuses(queue: MagnetQueue, disk: Disk) -> None:
    """Changed, dropped and newly added entries are as they were."""
    await queue.accept([entry(1), entry(2)])
    queue.put(entry(1).failed("rejected", 9.0))
    queue.drop(info_hash(2))
    disk.error = StorageError("full")
    with pytest.raises(StorageError):
        await queue.commit_or_undo(
            {info_hash(1): entry(1), info_hash(2): entry(2), "none": None},
            {info_hash(1): queue.get(info_hash(1)), info_hash(2): None, "none": None},
        )
    assert contents(queue) == [entry(1), entry(2)]
    assert [queue.count(stage) for stage in Stage] == [2, 0, 0, 0, 0]
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue)


async def test_order_survives(queue: MagnetQueue, disk: Disk) -> None:
    """Magnets of one call have one time, and stay in the order of the call."""
    numbers = [5, 3, 9, 1, 7, 2, 8]
    await queue.accept([entry(number) for number in numbers])
    again = await reloaded(disk)
    assert [one.info_hash for one in again.at(Stage.QUEUED)] == [*map(info_hash, numbers)]


async def test_changed_while_the_disk_refuses(queue: MagnetQueue, disk: Disk) -> None:
    """A roll-back leaves alone what others did meanwhile."""
    await queue.accept([entry(1), entry(2)])
    disk.runs.clear()
    disk.error = StorageError("full")
    accepting = asyncio.create_task(queue.accept([entry(1), entry(2), entry(3)]))
    await asyncio.sleep(0)
    failed = entry(1).failed("rejected", 9.0)
    queue.put(failed)
    queue.drop(info_hash(2))
    queue.drop(info_hash(3))
    disk.runs.set()
    with pytest.raises(StorageError):
        await accepting
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue) == [failed]


@pytest.mark.parametrize("error", [StorageError("full"), asyncio.CancelledError()], ids=repr)
async def test_failed_commit_keeps_the_changes(
    queue: MagnetQueue, disk: Disk, error: BaseException
) -> None:
    await queue.accept([entry(1), entry(2)])
    queue.put(entry(1).tried("timeout", 5.0))
    queue.drop(info_hash(2))
    disk.error = error
    with pytest.raises(type(error)):
        await queue.commit()
    assert contents(await reloaded(disk)) == [entry(1), entry(2)]
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == [entry(1).tried("timeout", 5.0)]


async def test_one_commit_at_a_time(queue: MagnetQueue, disk: Disk) -> None:
    """What is changed while a commit is under way is in the next one."""
    disk.runs.clear()
    first = asyncio.create_task(queue.accept([entry(1)]))
    await asyncio.sleep(0)
    second = asyncio.create_task(queue.accept([entry(1).tried("timeout", 2.0), entry(2)]))
    for _ in range(3):
        await asyncio.sleep(0)
    assert disk.commits == 1
    disk.runs.set()
    await asyncio.gather(first, second)
    assert disk.commits == 2
    assert contents(await reloaded(disk)) == contents(queue) == [entry(1), entry(2)]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (link(1), link(1), link(1)),
        (link(1), HYBRID, link(1)),
        (HYBRID, link(1), HYBRID),
        (HYBRID, V2_LINK, HYBRID),
        (V2_LINK, HYBRID, V2_LINK),
    ],
)
async def test_same_torrent_is_one_entry(
    queue: MagnetQueue, disk: Disk, first: str, second: str, kept: str
) -> None:
    """It keeps its link and its place and gets the new wishes."""
    await queue.accept([entry(first, 1.0).tried("timeout", 2.0)])
    wishes: dict[str, Any] = {
        "options": AddOptions(category="new"),
        "require_vpn": True,
        "max_retries": 0,
    }
    given = replace(entry(second, 5.0), **wishes, keep=False)
    assert queue.key_of(given.magnet) == entry(kept).info_hash
    [accepted] = await queue.accept([given])
    assert accepted == replace(entry(kept, 1.0).tried("timeout", 2.0), **wishes)
    assert queue.known(given.magnet) == accepted
    assert contents(await reloaded(disk)) == [accepted]


async def test_keep_is_asked_for_later(queue: MagnetQueue) -> None:
    await queue.accept([replace(entry(1), keep=False)])
    [accepted] = await queue.accept([entry(1)])
    assert accepted.keep


@pytest.mark.parametrize(
    ("old", "place"),
    [
        (entry(1).settling("key", 2.0, Mark(1, 0.5)), ("key", 2.0)),
        (replace(entry(1).sent("key", 2.0), stage=Stage.DISCLAIMED), ("key", 2.0)),
        (entry(1).sent("key", 2.0).failed("expired", 3.0), (None, 0.0)),
        (replace(entry(1).sent("key", 2.0), stage=Stage.WATCHED), (None, 0.0)),
    ],
    ids=lambda one: one.stage if isinstance(one, Entry) else "",
)
@pytest.mark.parametrize("again", [link(1, extra="&tr=new"), HYBRID])
async def test_given_again(
    queue: MagnetQueue, old: Entry, place: tuple[str | None, float], again: str
) -> None:
    """It starts anew, with the new link; only where it may be stays known."""
    await queue.accept([entry(1)])
    queue.put(replace(old, attempts=5, suspects=("other",)))
    [accepted] = await queue.accept([entry(again, 9.0)])
    known = replace(entry(again, 9.0), suspects=("other",))
    assert accepted == replace(known, sent_to=place[0], sent_at=place[1])
    assert [queue.count(stage) for stage in Stage] == [1, 0, 0, 0, 0]


async def test_given_again_by_another_hash(queue: MagnetQueue) -> None:
    """It keeps the link whose hash is its key."""
    await queue.accept([entry(V2_LINK)])
    queue.put(entry(V2_LINK).failed("expired", 3.0))
    assert await queue.accept([entry(HYBRID, 9.0)]) == [entry(V2_LINK, 9.0)]
    assert contents(queue) == [entry(V2_LINK, 9.0)]


async def test_removed_stays_removed(queue: MagnetQueue, disk: Disk) -> None:
    await queue.accept([entry(HYBRID), entry(2)])
    queue.drop(info_hash(1))
    queue.drop(info_hash(1))
    queue.put(entry(HYBRID))
    assert queue.get(info_hash(1)) is None
    assert queue.known(entry(V2_LINK).magnet) is None
    assert queue.key_of(entry(V2_LINK).magnet) == V2
    await queue.commit()
    assert contents(await reloaded(disk)) == [entry(2)]


async def test_dropping_one_half_leaves_the_other(queue: MagnetQueue) -> None:
    """Two links that a third one says are the same torrent."""
    await queue.accept([entry(V2_LINK)])
    queue.put(replace(entry(V2_LINK), attempts=1))
    await queue.accept([entry(1), entry(HYBRID)])
    assert len(contents(queue)) == 2
    queue.drop(info_hash(1))
    assert queue.known(entry(HYBRID).magnet) == replace(entry(V2_LINK), attempts=1)


async def test_unreadable_records_survive(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    broken = {
        info_hash(8): json.dumps({"link": "canary"}),
        info_hash(9): json.dumps(["canary"]),
    }
    disk.texts = broken | {info_hash(1): json.dumps(to_record(entry(1)))}
    queue = await reloaded(disk)
    assert contents(queue) == [entry(1)]
    await queue.accept([entry(2)])
    queue.drop(info_hash(1))
    queue.drop(info_hash(9))
    await queue.commit()
    assert disk.texts.keys() == {info_hash(8), info_hash(9), info_hash(2)}
    assert {key: disk.texts[key] for key in broken} == broken
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage() for one in warnings] == [
        "2 stored magnets cannot be read and stay as they are"
    ]
    assert "canary" not in caplog.text


async def test_closed(queue: MagnetQueue, disk: Disk) -> None:
    """The next owner has the store; nothing is written any more, not even what waited."""
    await queue.accept([entry(1)])
    queue.put(entry(1).tried("timeout", 5.0))
    queue.close()
    with pytest.raises(StorageError):
        await queue.commit()
    with pytest.raises(StorageError):
        await queue.accept([entry(2)])
    assert queue.get(info_hash(2)) is None
    assert contents(await reloaded(disk)) == [entry(1)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda queue: queue.put(entry(1).tried("timeout", 5.0)), 1),
        (lambda queue: queue.drop(info_hash(1)), 1),
        (lambda queue: queue.drop(info_hash(2)), 0),
    ],
)
async def test_listener_hears_of_commits(
    queue: MagnetQueue, disk: Disk, change: Callable[[MagnetQueue], None], told: int
) -> None:
    """It is told when there is something new, and it is on disk."""
    heard = []
    await queue.accept([entry(1)])
    queue.listener = lambda: heard.append(disk.commits)
    change(queue)
    assert heard == []
    await queue.commit()
    await queue.commit()
    assert heard == [2] * told


async def test_thousands_leave_others_their_turn(queue: MagnetQueue, disk: Disk) -> None:
    """While they are put on the books, and while they are taken off."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(others())
    many = [entry(number) for number in range(1, 10 * AT_A_TIME)]
    await queue.accept(many)
    assert turns >= 18
    turns = 0
    assert await queue.change((one, None) for one in many) == many
    assert turns >= 9
    working.cancel()
    assert contents(await reloaded(disk)) == contents(queue) == []


async def test_change(queue: MagnetQueue, disk: Disk) -> None:
    """Replaced or taken off, durably; but not what has changed since it was looked at."""
    await queue.accept([entry(1), entry(2), entry(3), entry(4)])
    looked_at = queue.at(Stage.QUEUED)
    queue.put(entry(3).failed("rejected", 9.0))
    queue.drop(info_hash(4))
    retried = entry(2).tried("timeout", 5.0)
    changes = zip(looked_at, [None, retried, None, retried], strict=True)
    assert await queue.change(changes) == [entry(1), entry(2)]
    expected = [retried, entry(3).failed("rejected", 9.0)]
    assert contents(await reloaded(disk)) == contents(queue) == expected


async def test_change_that_the_disk_refuses(queue: MagnetQueue, disk: Disk) -> None:
    await queue.accept([entry(1), entry(2)])
    disk.error = StorageError("full")
    one, two = queue.at(Stage.QUEUED)
    with pytest.raises(StorageError):
        await queue.change([(one, None), (two, two.tried("timeout", 5.0))])
    assert contents(queue) == [entry(1), entry(2)]
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue)


async def test_no_hash_leads_to_an_entry_that_is_gone(queue: MagnetQueue) -> None:
    """A hybrid that was delivered is given again by its v1 hash only, and leaves the books."""
    (whole,) = await queue.accept([entry(HYBRID)])
    queue.put(whole.settling("first", 2.0, Mark()))
    await queue.accept([entry(1)])
    queue.drop(info_hash(1))
    assert queue.known(Magnet.parse(V2_LINK)) is None
    assert await queue.accept([entry(HYBRID)]) == [entry(HYBRID)]
