"""The books: what is on them, and that they are on disk before anything is claimed."""

import asyncio
from collections.abc import Callable
from copy import replace
import logging
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from custom_components.qbittorrent_resilient.core.turns import YIELD_EVERY
from tests.support.common import info_hash, link
from tests.support.outbox import contents, job, reloaded
from tests.support.store import MemoryStore

V2 = "ab" * 32
V2_LINK = f"magnet:?xt=urn:btmh:1220{V2}"
HYBRID = f"{link(1)}&xt=urn:btmh:1220{V2}"


async def test_accepted_is_on_disk(queue: Outbox, disk: MemoryStore) -> None:
    accepted = await queue.accept([job(2, 20.0), job(1, 10.0)])
    assert accepted == [job(2, 20.0), job(1, 10.0)]
    again = await reloaded(disk)
    assert again.at(Stage.QUEUED) == queue.at(Stage.QUEUED) == [job(1, 10.0), job(2, 20.0)]
    assert again.count(Stage.QUEUED) == 2
    assert again.at(Stage.FAILED) == []
    assert disk.commits == 1


async def test_reloading_writes_nothing(queue: Outbox, disk: MemoryStore) -> None:
    await queue.accept([job(1)])
    again = await reloaded(disk)
    await again.commit()
    assert disk.commits == 1


async def test_refused_by_the_disk(queue: Outbox, disk: MemoryStore) -> None:
    """Nothing has been accepted, what was on the books is as it was, and later ones get through."""
    await queue.accept([job(1)])
    disk.error = StorageError("full")
    wishes = AddOptions(category="other")
    with pytest.raises(StorageError):
        await queue.accept([job(2), replace(job(1), options=wishes), job(HYBRID), job(2)])
    assert contents(queue) == [job(1)]
    assert queue.known(job(2).magnet) is None
    disk.error = None
    await queue.accept([job(3)])
    assert contents(await reloaded(disk)) == contents(queue) == [job(1), job(3)]


async def test_undone_where_the_disk_refuses(queue: Outbox, disk: MemoryStore) -> None:
    """Changed, dropped and newly added jobs are as they were."""
    await queue.accept([job(1), job(2)])
    queue.put(job(1).failed_with("rejected", 9.0))
    queue.drop(info_hash(2))
    disk.error = StorageError("full")
    with pytest.raises(StorageError):
        await queue.commit_or_roll_back(
            {info_hash(1): job(1), info_hash(2): job(2), "none": None},
            {info_hash(1): queue.get(info_hash(1)), info_hash(2): None, "none": None},
        )
    assert contents(queue) == [job(1), job(2)]
    assert {stage: queue.count(stage) for stage in Stage if queue.count(stage)} == {Stage.QUEUED: 2}
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue)


async def test_order_survives(queue: Outbox, disk: MemoryStore) -> None:
    """Magnets of one call have one time, and stay in the order of the call."""
    numbers = [5, 3, 9, 1, 7, 2, 8]
    await queue.accept([job(number) for number in numbers])
    again = await reloaded(disk)
    assert [one.info_hash for one in again.at(Stage.QUEUED)] == [*map(info_hash, numbers)]


async def test_changed_while_the_disk_refuses(queue: Outbox, disk: MemoryStore) -> None:
    """A roll-back leaves alone what others did meanwhile."""
    await queue.accept([job(1), job(2)])
    disk.halt()
    disk.error = StorageError("full")
    accepting = asyncio.create_task(queue.accept([job(1), job(2), job(3)]))
    await asyncio.sleep(0)
    failed = job(1).failed_with("rejected", 9.0)
    queue.put(failed)
    queue.drop(info_hash(2))
    queue.drop(info_hash(3))
    disk.go_on()
    with pytest.raises(StorageError):
        await accepting
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue) == [failed]


@pytest.mark.parametrize("error", [StorageError("full"), asyncio.CancelledError()], ids=repr)
async def test_failed_commit_keeps_the_changes(
    queue: Outbox, disk: MemoryStore, error: BaseException
) -> None:
    await queue.accept([job(1), job(2)])
    queue.put(job(1).attempted("timeout", 5.0))
    queue.drop(info_hash(2))
    disk.error = error
    with pytest.raises(type(error)):
        await queue.commit()
    assert contents(await reloaded(disk)) == [job(1), job(2)]
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == [job(1).attempted("timeout", 5.0)]


async def test_one_commit_at_a_time(queue: Outbox, disk: MemoryStore) -> None:
    """What is changed while a commit is under way is in the next one."""
    disk.halt()
    first = asyncio.create_task(queue.accept([job(1)]))
    await asyncio.sleep(0)
    second = asyncio.create_task(queue.accept([job(1).attempted("timeout", 2.0), job(2)]))
    for _ in range(3):
        await asyncio.sleep(0)
    assert disk.commits == 1
    disk.go_on()
    await asyncio.gather(first, second)
    assert disk.commits == 2
    assert contents(await reloaded(disk)) == contents(queue) == [job(1), job(2)]


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
    queue: Outbox, disk: MemoryStore, first: str, second: str, kept: str
) -> None:
    """It keeps its link and its place and gets the new wishes."""
    await queue.accept([job(first, 1.0).attempted("timeout", 2.0)])
    wishes: dict[str, Any] = {
        "options": AddOptions(category="new"),
        "require_vpn": True,
        "max_retries": 0,
        "instances": ("second", "first"),
    }
    given = replace(job(second, 5.0), **wishes, keep=False)
    assert queue.key_of(given.magnet) == job(kept).info_hash
    [accepted] = await queue.accept([given])
    assert accepted == replace(job(kept, 1.0).attempted("timeout", 2.0), **wishes)
    assert queue.known(given.magnet) == accepted
    assert contents(await reloaded(disk)) == [accepted]


async def test_keep_is_asked_for_later(queue: Outbox) -> None:
    await queue.accept([replace(job(1), keep=False)])
    [accepted] = await queue.accept([job(1)])
    assert accepted.keep


@pytest.mark.parametrize(
    ("old", "place"),
    [
        (job(1).delivered_to("key", 2.0, Incarnation(1, 0.5)), ("key", 2.0)),
        (replace(job(1).with_intent("key", 2.0), stage=Stage.KEPT), ("key", 2.0)),
        (replace(job(1).with_intent("key", 2.0), stage=Stage.TOMBSTONE), ("key", 2.0)),
        (job(1).with_intent("key", 2.0).failed_with("expired", 3.0), (None, 0.0)),
        (replace(job(1).with_intent("key", 2.0), stage=Stage.DUPLICATE_CHECK), (None, 0.0)),
    ],
    ids=lambda one: one.stage if isinstance(one, Job) else "",
)
@pytest.mark.parametrize("again", [link(1, extra="&tr=new"), HYBRID])
async def test_given_again(
    queue: Outbox, old: Job, place: tuple[str | None, float], again: str
) -> None:
    """It starts anew, with the new link; only where it may be stays known."""
    await queue.accept([job(1)])
    queue.put(replace(old, attempts=5, suspects=("other",)))
    [accepted] = await queue.accept([job(again, 9.0)])
    known = replace(job(again, 9.0), suspects=("other",))
    assert accepted == replace(known, sent_to=place[0], sent_at=place[1])
    assert {stage: queue.count(stage) for stage in Stage if queue.count(stage)} == {Stage.QUEUED: 1}


async def test_given_again_by_another_hash(queue: Outbox) -> None:
    """It keeps the link whose hash is its key."""
    await queue.accept([job(V2_LINK)])
    queue.put(job(V2_LINK).failed_with("expired", 3.0))
    assert await queue.accept([job(HYBRID, 9.0)]) == [job(V2_LINK, 9.0)]
    assert contents(queue) == [job(V2_LINK, 9.0)]


async def test_removed_stays_removed(queue: Outbox, disk: MemoryStore) -> None:
    await queue.accept([job(HYBRID), job(2)])
    queue.drop(info_hash(1))
    queue.drop(info_hash(1))
    queue.put(job(HYBRID))
    assert queue.get(info_hash(1)) is None
    assert queue.known(job(V2_LINK).magnet) is None
    assert queue.key_of(job(V2_LINK).magnet) == V2
    await queue.commit()
    assert contents(await reloaded(disk)) == [job(2)]


async def test_dropping_one_half_leaves_the_other(queue: Outbox) -> None:
    """Two links that a third one says are the same torrent."""
    await queue.accept([job(V2_LINK)])
    queue.put(replace(job(V2_LINK), attempts=1))
    await queue.accept([job(1), job(HYBRID)])
    assert len(contents(queue)) == 2
    queue.drop(info_hash(1))
    assert queue.known(job(HYBRID).magnet) == replace(job(V2_LINK), attempts=1)


async def test_unreadable_records_survive(
    disk: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {
        info_hash(8): {"link": "canary"},
        info_hash(9): ["canary"],
    }
    disk.records = broken | {info_hash(1): to_record(job(1))}
    queue = await reloaded(disk)
    assert contents(queue) == [job(1)]
    await queue.accept([job(2)])
    queue.drop(info_hash(1))
    queue.drop(info_hash(9))
    await queue.commit()
    assert disk.records.keys() == {info_hash(8), info_hash(9), info_hash(2)}
    assert {key: disk.records[key] for key in broken} == broken
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage() for one in warnings] == ["2 stored magnets cannot be read: left as is"]
    assert "canary" not in caplog.text


async def test_closed(queue: Outbox, disk: MemoryStore) -> None:
    """The next owner has the store; nothing is written any more, not even what waited."""
    await queue.accept([job(1)])
    queue.put(job(1).attempted("timeout", 5.0))
    queue.close()
    with pytest.raises(StorageError):
        await queue.commit()
    with pytest.raises(StorageError):
        await queue.accept([job(2)])
    assert queue.get(info_hash(2)) is None
    assert contents(await reloaded(disk)) == [job(1)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda queue: queue.put(job(1).attempted("timeout", 5.0)), 1),
        (lambda queue: queue.drop(info_hash(1)), 1),
        (lambda queue: queue.drop(info_hash(2)), 0),
    ],
)
async def test_listener_hears_of_commits(
    queue: Outbox, disk: MemoryStore, change: Callable[[Outbox], None], told: int
) -> None:
    """It is told when there is something new, and it is on disk."""
    heard = []
    await queue.accept([job(1)])
    queue.subscribe(lambda: heard.append(disk.commits))
    change(queue)
    assert heard == []
    await queue.commit()
    await queue.commit()
    assert heard == [2] * told


async def test_thousands_leave_others_their_turn(queue: Outbox, disk: MemoryStore) -> None:
    """While they are put on the books, and while they are taken off."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(others())
    many = [job(number) for number in range(1, 10 * YIELD_EVERY)]
    await queue.accept(many)
    assert turns >= 18
    turns = 0
    assert await queue.change((one, None) for one in many) == many
    assert turns >= 9
    working.cancel()
    assert contents(await reloaded(disk)) == contents(queue) == []


async def test_change(queue: Outbox, disk: MemoryStore) -> None:
    """Replaced or taken off, durably; but not what has changed since it was looked at."""
    await queue.accept([job(1), job(2), job(3), job(4)])
    looked_at = queue.at(Stage.QUEUED)
    queue.put(job(3).failed_with("rejected", 9.0))
    queue.drop(info_hash(4))
    retried = job(2).attempted("timeout", 5.0)
    changes = zip(looked_at, [None, retried, None, retried], strict=True)
    assert await queue.change(changes) == [job(1), job(2)]
    expected = [retried, job(3).failed_with("rejected", 9.0)]
    assert contents(await reloaded(disk)) == contents(queue) == expected


async def test_change_that_the_disk_refuses(queue: Outbox, disk: MemoryStore) -> None:
    await queue.accept([job(1), job(2)])
    disk.error = StorageError("full")
    one, two = queue.at(Stage.QUEUED)
    with pytest.raises(StorageError):
        await queue.change([(one, None), (two, two.attempted("timeout", 5.0))])
    assert contents(queue) == [job(1), job(2)]
    disk.error = None
    await queue.commit()
    assert contents(await reloaded(disk)) == contents(queue)


async def test_no_hash_leads_to_an_entry_that_is_gone(queue: Outbox) -> None:
    """A hybrid that was delivered is given again by its v1 hash only, and leaves the books."""
    (whole,) = await queue.accept([job(HYBRID)])
    queue.put(whole.delivered_to("first", 2.0, Incarnation()))
    await queue.accept([job(1)])
    queue.drop(info_hash(1))
    assert queue.known(Magnet.parse(V2_LINK)) is None
    assert await queue.accept([job(HYBRID)]) == [job(HYBRID)]


async def test_remembered_deliveries(disk: MemoryStore) -> None:
    """They are forgotten in time, and older versions take them for deliveries that are over."""
    queue = Outbox(disk, remember_seconds=100.0)
    await queue.accept([job(number) for number in (1, 2)])
    for number, at in ((1, 10.0), (2, 50.0)):
        queue.put(job(number).delivered_to("first", at, Incarnation()).remembered())
    await queue.commit()
    assert [one["stage"] for one in disk.records.values()] == ["watched", "watched"]
    queue = Outbox(disk, remember_seconds=100.0)
    await queue.load()
    assert queue.count(Stage.DELIVERED) == 2
    assert queue.delivered(job(1).magnet, 109.0) is not None
    assert queue.delivered(job(1).magnet, 110.0) is None
    queue.forget_delivered(110.0)
    assert [one.info_hash for one in queue.everything()] == [info_hash(2)]


async def test_given_again_by_another_hash_when_it_is_no_longer_remembered(
    disk: MemoryStore,
) -> None:
    queue = Outbox(disk, remember_seconds=100.0)
    await queue.accept([job(HYBRID)])
    queue.put(job(HYBRID).delivered_to("first", 10.0, Incarnation()).remembered())
    await queue.commit()
    before = queue.everything()
    disk.error = StorageError("full")
    with pytest.raises(StorageError):
        await queue.accept([job(V2_LINK, 500.0)])
    assert queue.everything() == before
    disk.error = None
    await queue.accept([job(V2_LINK, 500.0)])
    assert queue.everything() == [job(V2_LINK, 500.0)]
    assert list(disk.records) == [V2]
