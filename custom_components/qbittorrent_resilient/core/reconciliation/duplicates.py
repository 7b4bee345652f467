"""Magnets that went on without an instance that may have them: is it the second one to have them?

A magnet waits for the answer of an instance for 15 min and then goes to another (promise 3 in
docs/reliability.md). The first may have got it anyway: frozen, it does what it was sent as
soon as it wakes up. So it is asked when it is back. Nothing is deleted there, as only the user can
know which of the two is to go; but the user is told.
"""

import logging

from ..clock import Clock
from ..health.instance import InstanceMonitor
from ..log_words import counted
from ..outbox.job import Job, Stage
from ..outbox.outbox import Outbox
from ..qbittorrent.client import LISTING_SECONDS, SECOND_LOOK_SECONDS
from ..qbittorrent.errors import ServerError
from .settling import complete

_LOGGER = logging.getLogger(__name__)


async def find_duplicates(monitor: InstanceMonitor, outbox: Outbox, clock: Clock) -> list[Job]:
    """Ask an instance that is back for what was delivered elsewhere; return what it has, too."""
    key = monitor.settings.key
    suspected = [
        job
        for stage in (Stage.SETTLING, Stage.KEPT, Stage.DUPLICATE_CHECK)
        for job in outbox.at(stage)
        if key in job.suspects
    ]
    if not suspected or not monitor.is_answering:
        return []
    magnets = [job.magnet for job in suspected]
    try:
        await monitor.client.find(magnets[:1])  # it answers again: a moment later it is done
        await clock.sleep(SECOND_LOOK_SECONDS)
        listed = await monitor.client.find(magnets)
    except ServerError as err:
        monitor.report_failure(err)
        return []
    duplicates, listed_by = [], clock.now() - LISTING_SECONDS
    for job in suspected:
        if outbox.get(job.info_hash) is not job:
            continue  # given again, or removed, while the instance was asked
        if job.info_hash not in listed and job.sent_at > listed_by:
            continue  # it may have been sent it a moment before the other, and list it late
        cleared = job.cleared_of(key)
        if job.stage is Stage.DUPLICATE_CHECK:
            complete(outbox, cleared)
        else:
            outbox.put(cleared)
        if job.info_hash in listed:
            duplicates.append(job)
    if duplicates:
        _LOGGER.warning(
            "%s has %s delivered elsewhere while it could not be asked; "
            "what is on both servers can be removed from one",
            monitor.settings.name,
            counted(len(duplicates), "magnet"),
        )
    return duplicates
