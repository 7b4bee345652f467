"""Magnets that went on without an instance that may have them: is it the second one to have them?

A magnet waits for the answer of an instance for 15 min and then goes to another (promise 3 in
docs/reliability.md). The first may have got it all the same: frozen, it does what it was sent as
soon as it wakes up. So it is asked when it is back. Nothing is deleted there, as only the user can
know which of the two is to go; but the user is told.
"""

import logging

from .entry import Entry, Stage
from .errors import InstanceError
from .health import InstanceMonitor
from .models import Clock
from .queue import MagnetQueue
from .settling import finish

_LOGGER = logging.getLogger(__name__)

SECOND_LOOK_SECONDS = 1.0
"""A server that was frozen carries out what it was sent right after it answers again."""


async def find_doubles(monitor: InstanceMonitor, queue: MagnetQueue, clock: Clock) -> list[Entry]:
    """Ask an instance that is back for what was delivered elsewhere; return what it has, too."""
    key = monitor.settings.key
    suspected = [
        entry
        for stage in (Stage.SETTLING, Stage.WATCHED)
        for entry in queue.at(stage)
        if key in entry.suspects
    ]
    if not suspected or not monitor.can_be_asked:
        return []
    magnets = [entry.magnet for entry in suspected]
    try:
        await monitor.client.find(magnets[:1])  # it answers again: a moment later it is done
        await clock.sleep(SECOND_LOOK_SECONDS)
        found = await monitor.client.find(magnets)
    except InstanceError as err:
        monitor.met(err)
        return []
    doubles = []
    for entry in suspected:
        if queue.get(entry.info_hash) is not entry:
            continue  # given again, or removed, while the instance was asked
        cleared = entry.cleared(key)
        if entry.stage is Stage.WATCHED:
            finish(queue, cleared)
        else:
            queue.put(cleared)
        if entry.info_hash in found:
            doubles.append(entry)
    if doubles:
        _LOGGER.warning(
            "%s has %d magnets that were delivered elsewhere while it could not be asked; "
            "remove them from one of the two servers",
            monitor.settings.name,
            len(doubles),
        )
    return doubles
