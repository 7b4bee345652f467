"""What the books mean after a restart and with time; see test_jumps for clocks that are set."""

from copy import replace

import pytest

from custom_components.qbittorrent_resilient.core.entry import Entry, Mark, Stage
from custom_components.qbittorrent_resilient.core.queue import MagnetQueue
from custom_components.qbittorrent_resilient.core.upkeep import everything, expire, take_over
from tests.common import info_hash
from tests.core.common import magnets
from tests.core.test_courier import Books

NOW = 1_800_000_000.0
DAY = 86_400.0
(MAGNET,) = magnets(1)
ENTRY = Entry(magnet=MAGNET, queued_at=NOW - 2 * DAY)
SETTLING = ENTRY.settling("here", NOW - 50, Mark())


async def queue_of(*entries: Entry) -> MagnetQueue:
    """Return books with these entries, as they are."""
    queue = MagnetQueue(Books())
    await queue.accept([replace(one, stage=Stage.QUEUED, suspects=()) for one in entries])
    for one in entries:
        queue.put(one)
    return queue


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ENTRY, ENTRY),
        (SETTLING, SETTLING),
        (ENTRY.settling("gone", NOW, Mark()), None),
        (
            replace(ENTRY.settling("gone", NOW, Mark()), suspects=("here",)),
            replace(ENTRY.settling("gone", NOW, Mark()), suspects=("here",), stage=Stage.WATCHED),
        ),
        (
            replace(SETTLING, stage=Stage.WATCHED, suspects=("here", "gone")),
            replace(SETTLING, stage=Stage.WATCHED, suspects=("here",)),
        ),
        (replace(SETTLING, stage=Stage.WATCHED, suspects=("gone",)), None),
        (replace(ENTRY, suspects=("gone",)), ENTRY),
        (ENTRY.sent("here", NOW + 5), ENTRY.sent("here", NOW)),
        (ENTRY.sent("gone", NOW - 5), ENTRY.sent("gone", NOW - 5)),
        (
            replace(ENTRY, keep=False, reason="timeout"),
            replace(ENTRY, keep=False).failed("timeout", NOW),
        ),
    ],
)
async def test_after_a_restart(before: Entry, after: Entry | None) -> None:
    queue = await queue_of(before)
    await take_over(queue, {"here"}, NOW)
    assert everything(queue) == ([] if after is None else [after])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ENTRY, ENTRY.failed("expired", NOW)),
        (replace(ENTRY, queued_at=NOW - DAY + 1), replace(ENTRY, queued_at=NOW - DAY + 1)),
        # Whoever may have it stays a suspect, also when the user has it tried again.
        (
            ENTRY.sent("here", NOW - DAY),
            replace(ENTRY, suspects=("here",)).failed("expired", NOW),
        ),
        (SETTLING, SETTLING),
        (
            replace(SETTLING, sent_at=NOW - 2 * DAY),
            replace(SETTLING, suspects=("here",)).not_there().failed("expired", NOW),
        ),
        (replace(SETTLING, stage=Stage.WATCHED, sent_at=NOW - 2 * DAY), None),
        (replace(SETTLING, stage=Stage.DISCLAIMED, sent_at=NOW - 901), None),
        (
            replace(SETTLING, stage=Stage.DISCLAIMED, sent_at=NOW - 899),
            replace(SETTLING, stage=Stage.DISCLAIMED, sent_at=NOW - 899),
        ),
    ],
)
async def test_with_time(before: Entry, after: Entry | None) -> None:
    queue = await queue_of(before)
    expired = await expire(queue, NOW, DAY, busy=(), down={"here"})
    assert everything(queue) == ([] if after is None else [after])
    assert bool(expired) is (after is not None and after.stage is Stage.FAILED)


async def test_delivery_does_not_expire_while_its_instance_can_be_asked() -> None:
    """As after a day in which Home Assistant was off: whether it is there is found out first."""
    queue = await queue_of(delivered := replace(SETTLING, sent_at=NOW - 2 * DAY))
    assert await expire(queue, NOW, DAY, busy=(), down={"elsewhere"}) == []
    assert everything(queue) == [delivered]


async def test_nothing_expires_while_somebody_works_on_it() -> None:
    queue = await queue_of(ENTRY)
    assert await expire(queue, NOW, DAY, busy={info_hash(1)}, down=()) == []
    assert everything(queue) == [ENTRY]


def test_suspects() -> None:
    sent = ENTRY.sent("a", 1.0)
    moved = sent.moved_on().sent("b", 2.0).moved_on()
    assert (moved.sent_to, moved.suspects) == (None, ("a", "b"))
    assert moved.sent("a", 3.0).moved_on().suspects == ("a", "b")
    assert moved.settling("a", 4.0, Mark()).suspects == ("b",)
    assert sent.settling("c", 4.0, Mark()).suspects == ("a",)
    assert sent.settling("a", 4.0, Mark()).suspects == ()
    assert moved.failed("expired", 5.0).again().suspects == ("a", "b")
    assert ENTRY.moved_on() == ENTRY
