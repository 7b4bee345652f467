"""Deliveries that an instance lists but may not have saved: watched until it had the time to.

qBittorrent answers and lists long before it writes. A kill within seconds of an answered add, or
merely a restart, loses what was not written (docs/qbittorrent.md). So a delivery is looked
at again, after that time and at every sign of a restart. What is missing then was lost by the
restart and is delivered again, or, without any sign of one, was deleted by the user and is not.
What is still there after a restart gets its time anew. While the server's log says that it cannot
save, no time is enough: then only a restart that the delivery survives takes it off the books.
"""

from copy import replace
import logging

from .entry import Entry, Mark, Stage
from .errors import InstanceError
from .health import InstanceMonitor
from .models import Clock, InstanceStatus
from .queue import MagnetQueue, in_turns

_LOGGER = logging.getLogger(__name__)

SETTLE_SECONDS = 60.0
"""Generous: 200 magnets were saved after 1 to 5 s, 2000 after 2 to 10 s."""
SETTLE_SECONDS_EACH = 1 / 200
"""On top for each magnet under way, after the slowest disk seen: 200 resume files a second."""


async def settle(monitor: InstanceMonitor, queue: MagnetQueue, clock: Clock) -> None:
    """Look after the deliveries to one instance; what it lost goes back into the queue."""
    key = monitor.settings.key
    entries = [entry for entry in queue.at(Stage.SETTLING) if entry.sent_to == key]
    if not entries or not monitor.is_ok:
        return
    settled_before = clock.now() - SETTLE_SECONDS - len(entries) * SETTLE_SECONDS_EACH
    renewals = monitor.client.renewals
    if not any(
        entry.sent_at <= settled_before or entry.mark.renewals != renewals for entry in entries
    ):
        return
    # The log says whether it could save, and may have been read long ago.
    if await monitor.check() is not InstanceStatus.OK:
        return
    try:
        mark = await monitor.process()
        due = [
            entry
            for entry in entries
            if entry.sent_at <= settled_before or not entry.mark.same_process(mark)
        ]
        found = await monitor.client.find([entry.magnet for entry in due])
        if len(found) < len(due):  # a restart may lie between the two questions
            mark = await monitor.process()
    except InstanceError as err:
        monitor.met(err)
        return
    if mark.renewals is not None:  # else the process has only just started
        mark = Mark(monitor.client.renewals, mark.launched)
    lost = 0
    async for entry in in_turns(due):
        if queue.get(entry.info_hash) is not entry:
            continue  # given again, or removed, while the instance was asked
        same_process = entry.mark.same_process(mark)
        unsaved = monitor.save_failed_at >= entry.sent_at or entry.unsaved
        if entry.info_hash not in found and not same_process:
            queue.put(entry.again())
            lost += 1
        elif entry.info_hash in found and not same_process:
            queue.put(entry.settling(key, clock.now(), mark))
        elif entry.info_hash in found and unsaved:
            if not entry.unsaved:
                queue.put(replace(entry, sent_at=clock.now(), unsaved=True))
        else:
            finish(queue, entry)
    if lost:
        _LOGGER.warning(
            "%s lost %d magnets in a restart; they are delivered again", monitor.settings.name, lost
        )


def finish(queue: MagnetQueue, entry: Entry) -> None:
    """Take a delivery off the books, unless another instance may turn out to have it, too."""
    if entry.suspects:
        queue.put(replace(entry, stage=Stage.WATCHED))
    else:
        queue.drop(entry.info_hash)
