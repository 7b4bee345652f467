"""Deliveries that an instance lists but may not have saved: watched until it had the time to.

qBittorrent answers and lists long before it writes. A kill within seconds of an answered add, or
merely a restart, loses what was not written (QBITTORRENT_API section 5). So a delivery is looked
at again, after that time and at every sign of a restart. What is then missing was lost by a
restart and is delivered again, or, without any sign of one, was deleted by the user and is not.
"""

from collections.abc import Sequence
import logging

from .entry import Entry, Stage
from .errors import InstanceError
from .health import InstanceMonitor
from .models import Clock
from .queue import MagnetQueue

_LOGGER = logging.getLogger(__name__)

SETTLE_SECONDS = 60.0
"""Generous: 200 magnets were saved after 1 to 5 s, 2000 after 2 to 10 s."""
SETTLE_SECONDS_EACH = 1 / 200
"""On top for each magnet under way, after the slowest disk seen: 200 resume files a second."""
_SAME_START_SECONDS = 2.0


async def settle(monitor: InstanceMonitor, queue: MagnetQueue, clock: Clock) -> bool:
    """Look after the deliveries to one instance; tell whether any must be delivered again."""
    key = monitor.settings.key
    entries = [entry for entry in queue.at(Stage.SETTLING) if entry.sent_to == key]
    if not entries or not monitor.is_ok:
        return False
    settled_before = clock.now() - SETTLE_SECONDS - len(entries) * SETTLE_SECONDS_EACH
    renewals = monitor.client.renewals
    if not any(entry.sent_at <= settled_before or entry.renewals != renewals for entry in entries):
        return False
    try:
        launched = await monitor.client.launch_time()
        due = [
            entry
            for entry in entries
            if entry.sent_at <= settled_before or _restarted(entry, renewals, launched)
        ]
        found = await monitor.client.find([entry.magnet for entry in due])
    except InstanceError as err:
        monitor.met(err)
        return False
    return _book(due, found, queue, monitor, launched)


def _book(
    due: Sequence[Entry],
    found: set[str],
    queue: MagnetQueue,
    monitor: InstanceMonitor,
    launched: float | None,
) -> bool:
    """Take off the books what is saved or deleted, and put back into the queue what is lost."""
    lost = 0
    for entry in due:
        if queue.get(entry.info_hash) is not entry:
            continue
        if entry.info_hash not in found and _restarted(entry, monitor.client.renewals, launched):
            queue.put(entry.again())
            lost += 1
        else:
            queue.drop(entry.info_hash)
    if lost:
        _LOGGER.warning(
            "%s lost %d magnets in a restart; they are delivered again",
            monitor.settings.name,
            lost,
        )
    return bool(lost)


def _restarted(entry: Entry, renewals: int, launched: float | None) -> bool:
    """Tell whether the server may have been restarted since it listed the magnet.

    Its own start time settles that (5.3 and newer). Else a session that was gone is the sign, and
    not to know, after a restart of our own, counts as one: a magnet more is better than one less.
    """
    if launched is not None and entry.launched is not None:
        return abs(launched - entry.launched) > _SAME_START_SECONDS
    return entry.renewals != renewals
