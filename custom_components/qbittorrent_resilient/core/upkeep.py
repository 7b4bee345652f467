"""Looking after the books: what they mean after a restart, with time, and when the clock is set."""

from collections.abc import Collection, Container, Iterable
from copy import replace
import logging

from .delivery import UNCERTAIN_SECONDS
from .entry import EXPIRED, Entry, Stage
from .health import InstanceMonitor
from .jumps import Jump
from .models import InstanceStatus
from .queue import MagnetQueue, in_turns
from .settling import finish

_LOGGER = logging.getLogger(__name__)


async def take_over(queue: MagnetQueue, instances: Collection[str], now: float) -> None:
    """See what the books of an earlier life mean now; `instances` are the keys of those set up.

    A magnet that was not to be queued failed when its call was cut off. One that was delivered to
    an instance that has been removed cannot be looked after any more. A time that lies ahead was
    taken from a clock that was wrong.
    """
    for entry in queue.at(Stage.QUEUED):
        if not entry.keep and entry.sent_to is None:
            queue.put(entry.failed(entry.reason or InstanceStatus.ERROR.value, now))
    async for entry in in_turns(everything(queue)):
        left = entry
        for removed in set(entry.suspects).difference(instances):
            left = left.cleared(removed)
        if left.sent_at > now:
            left = replace(left, sent_at=now)
        if left is not entry:
            queue.put(left)
        is_removed = left.stage is Stage.SETTLING and left.sent_to not in instances
        if is_removed or left.stage is Stage.WATCHED:
            finish(queue, left)


async def expire(
    queue: MagnetQueue, now: float, expiry: float, *, busy: Container[str], down: Container[str]
) -> list[Entry]:
    """Move what has waited for `expiry` seconds to the failed list, and return it.

    Forget what was only suspected. Nothing is done to what somebody is working on. A delivery has
    waited in vain only where its instance, by its key, is among those that are down.
    """
    limit = now - expiry
    waiting = [one for one in queue.at(Stage.QUEUED) if one.queued_at <= limit]
    settling = [one for one in queue.at(Stage.SETTLING) if one.sent_at <= limit]
    waiting += [one for one in settling if one.sent_to in down]
    expired = []
    async for entry in in_turns(waiting):
        if queue.get(entry.info_hash) is entry and entry.info_hash not in busy:
            queue.put(entry.moved_on().failed(EXPIRED, now))
            expired.append(entry)
    uncertain = now - UNCERTAIN_SECONDS
    forgotten = [one for one in queue.at(Stage.WATCHED) if one.sent_at <= limit]
    forgotten += [one for one in queue.at(Stage.DISCLAIMED) if one.sent_at <= uncertain]
    for entry in forgotten:
        queue.drop(entry.info_hash)
    return expired


def follow(queue: MagnetQueue, line: Iterable[InstanceMonitor], jump: Jump) -> None:
    """Correct the times that were taken from the clock before it was set."""
    _LOGGER.info("The clock was set by %.0f s; the times in the queue follow it", jump.by)
    for entry in everything(queue):
        if (shifted := entry.shifted(jump.by, jump.since, jump.until)) is not entry:
            queue.put(shifted)
    for monitor in line:
        if jump.since <= monitor.save_failed_at <= jump.until:
            monitor.save_failed_at += jump.by


def everything(queue: MagnetQueue) -> list[Entry]:
    """Return all that is on the books."""
    return [entry for stage in Stage for entry in queue.at(stage)]
