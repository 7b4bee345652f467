"""What the books mean after a restart and with time; see test_clock for clocks that are set."""

from copy import replace

import pytest

from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from custom_components.qbittorrent_resilient.core.reconciliation.maintenance import (
    expire,
    forget_removed,
    recover,
)
from tests.support.common import info_hash
from tests.support.core import magnets
from tests.support.store import MemoryStore

NOW = 1_800_000_000.0
DAY = 86_400.0
(MAGNET,) = magnets(1)
ENTRY = Job(magnet=MAGNET, queued_at=NOW - 2 * DAY)
SETTLING = ENTRY.delivered_to("here", NOW - 50, Incarnation())


async def queue_of(*jobs: Job) -> Outbox:
    """Return books with these jobs, as they are."""
    queue = Outbox(MemoryStore())
    await queue.accept([replace(one, stage=Stage.QUEUED, suspects=()) for one in jobs])
    for one in jobs:
        queue.put(one)
    return queue


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ENTRY, ENTRY),
        (SETTLING, SETTLING),
        (ENTRY.delivered_to("gone", NOW, Incarnation()), None),
        (
            replace(ENTRY.delivered_to("gone", NOW, Incarnation()), suspects=("here",)),
            replace(
                ENTRY.delivered_to("gone", NOW, Incarnation()),
                suspects=("here",),
                stage=Stage.DUPLICATE_CHECK,
            ),
        ),
        (
            replace(SETTLING, stage=Stage.DUPLICATE_CHECK, suspects=("here", "gone")),
            replace(SETTLING, stage=Stage.DUPLICATE_CHECK, suspects=("here", "gone")),
        ),
        (
            replace(SETTLING, stage=Stage.DUPLICATE_CHECK, suspects=("gone",)),
            replace(SETTLING, stage=Stage.DUPLICATE_CHECK, suspects=("gone",)),
        ),
        (replace(ENTRY, suspects=("gone",)), replace(ENTRY, suspects=("gone", "here"))),
        (
            replace(ENTRY, suspects=("gone",)).failed_with("rejected", NOW),
            replace(ENTRY, suspects=("gone", "here")).failed_with("rejected", NOW),
        ),
        (ENTRY.with_intent("here", NOW + 5), ENTRY.with_intent("here", NOW)),
        (ENTRY.with_intent("gone", NOW - 5), ENTRY.with_intent("gone", NOW - 5)),
        (
            replace(ENTRY, keep=False, reason="timeout"),
            replace(ENTRY, keep=False).failed_with("timeout", NOW),
        ),
        # The line of the journal that said where it was sent is damaged.
        (replace(SETTLING, sent_to=None), SETTLING.requeued()),
    ],
)
async def test_after_a_restart(before: Job, after: Job | None) -> None:
    queue = await queue_of(before)
    await recover(queue, {"here"}, NOW)
    assert queue.everything() == ([] if after is None else [after])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            replace(SETTLING, stage=Stage.DUPLICATE_CHECK, suspects=("here", "gone")),
            replace(SETTLING, stage=Stage.DUPLICATE_CHECK, suspects=("here",)),
        ),
        (replace(SETTLING, stage=Stage.DUPLICATE_CHECK, suspects=("gone",)), None),
        (replace(ENTRY, suspects=("gone", "here")), replace(ENTRY, suspects=("here",))),
        (
            replace(ENTRY, suspects=("gone", "here")).failed_with("rejected", NOW),
            replace(ENTRY, suspects=("here",)).failed_with("rejected", NOW),
        ),
        (replace(SETTLING, suspects=("gone",)), replace(SETTLING, suspects=("gone",))),
    ],
)
async def test_a_minute_after_a_restart(before: Job, after: Job | None) -> None:
    queue = await queue_of(before)
    forget_removed(queue, {"here"})
    assert queue.everything() == ([] if after is None else [after])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ENTRY, ENTRY.failed_with("expired", NOW)),
        (replace(ENTRY, queued_at=NOW - DAY + 1), replace(ENTRY, queued_at=NOW - DAY + 1)),
        # Whoever may have it stays a suspect, also when the user has it tried again.
        (
            ENTRY.with_intent("here", NOW - DAY),
            replace(ENTRY, suspects=("here",)).failed_with("expired", NOW),
        ),
        (SETTLING, SETTLING),
        (
            replace(SETTLING, sent_at=NOW - 2 * DAY),
            replace(SETTLING, suspects=("here",)).without_intent().failed_with("expired", NOW),
        ),
        (replace(SETTLING, stage=Stage.DUPLICATE_CHECK, sent_at=NOW - 2 * DAY), None),
        (replace(SETTLING, stage=Stage.TOMBSTONE, sent_at=NOW - 901), None),
        (
            replace(SETTLING, stage=Stage.TOMBSTONE, sent_at=NOW - 899),
            replace(SETTLING, stage=Stage.TOMBSTONE, sent_at=NOW - 899),
        ),
    ],
)
async def test_with_time(before: Job, after: Job | None) -> None:
    queue = await queue_of(before)
    expired = await expire(queue, NOW, DAY, busy=(), down={"here"})
    assert queue.everything() == ([] if after is None else [after])
    assert bool(expired) is (after is not None and after.stage is Stage.FAILED)


async def test_remembered_although_another_instance_may_have_it() -> None:
    """Nobody asks that one any more after the expiry; what was delivered stays known."""
    watched = replace(
        SETTLING, sent_at=NOW - 2 * DAY, stage=Stage.DUPLICATE_CHECK, suspects=("there",)
    )
    queue = await queue_of(watched)
    assert queue.delivered(MAGNET, NOW) is None
    queue.remember_seconds = 30 * DAY
    assert queue.delivered(MAGNET, NOW) is watched
    assert await expire(queue, NOW, DAY, busy=(), down=()) == []
    assert queue.everything() == [watched.remembered()]
    assert queue.delivered(MAGNET, NOW) is not None


async def test_delivery_does_not_expire_while_its_instance_can_be_asked() -> None:
    """As after a day in which Home Assistant was off: whether it is there is found out first."""
    queue = await queue_of(delivered := replace(SETTLING, sent_at=NOW - 2 * DAY))
    assert await expire(queue, NOW, DAY, busy=(), down={"elsewhere"}) == []
    assert queue.everything() == [delivered]


async def test_nothing_expires_while_somebody_works_on_it() -> None:
    queue = await queue_of(ENTRY)
    assert await expire(queue, NOW, DAY, busy={info_hash(1)}, down=()) == []
    assert queue.everything() == [ENTRY]


def test_suspects() -> None:
    sent = ENTRY.with_intent("a", 1.0)
    moved = sent.suspecting_target().with_intent("b", 2.0).suspecting_target()
    assert (moved.sent_to, moved.suspects) == (None, ("a", "b"))
    assert moved.with_intent("a", 3.0).suspecting_target().suspects == ("a", "b")
    assert moved.delivered_to("a", 4.0, Incarnation()).suspects == ("b",)
    assert sent.delivered_to("c", 4.0, Incarnation()).suspects == ("a",)
    assert sent.delivered_to("a", 4.0, Incarnation()).suspects == ()
    assert moved.failed_with("expired", 5.0).requeued().suspects == ("a", "b")
    assert ENTRY.suspecting_target() == ENTRY
