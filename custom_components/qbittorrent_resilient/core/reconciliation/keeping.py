"""Deliveries of which nobody can say whether they were saved: kept until a restart has shown it.

That is so where the log said that saves fail, and where a server stores its resume data in SQLite:
since 4.6 it does not say if that fails (docs/qbittorrent.md). It lists them all the same, until it
is restarted; then it lists what it has saved. Months may lie before that. So these deliveries are
apart from those that settle, cost nothing while nothing happens, and are asked for rarely: what is
missing without a restart was deleted by the user, and is not to come back after the next one.
"""

from collections.abc import Sequence
from copy import replace
import logging

from ..clock import Clock
from ..health.instance import InstanceMonitor
from ..health.save_watch import was_restarted
from ..outbox.job import Job, Stage
from ..outbox.outbox import Outbox
from ..qbittorrent.errors import ServerError
from ..qbittorrent.incarnation import Incarnation
from ..turns import cooperatively
from .settling import complete, take_back

_LOGGER = logging.getLogger(__name__)

LOOK_SECONDS = 900.0
"""How often they are looked for; with 400 of them and a check each 30 s: 0.03 requests a check."""
RETRY_SECONDS = 60.0
"""After a look that failed."""
MOST_KEPT = 10_000
"""Of all instances together; some 1 kB each in memory and on disk."""


class Keeper:
    """Looks after the deliveries that are kept."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        """Look after those of `outbox`."""
        self._outbox = outbox
        self._clock = clock
        self._looked: dict[str, tuple[tuple[object, ...], float]] = {}
        """By instance: the sign of its process before the last look, and when the next is due.

    What is listed is judged by that process; if another came up meanwhile, one more look follows.
    """
        self._has_said_so = False

    async def look(self, monitor: InstanceMonitor) -> None:
        """Look for those of an instance if it may have been restarted, and now and then."""
        if not self._outbox.count(Stage.KEPT) or not monitor.is_ok:
            return
        self._let_the_oldest_go()
        key, sign, now = monitor.settings.key, monitor.saves.sign, self._clock.monotonic()
        before, next_look = self._looked.get(key, ((), now))
        if sign == before and now < next_look:
            return
        jobs = [job for job in self._outbox.at(Stage.KEPT) if job.sent_to == key]
        self._looked[key] = sign, now + LOOK_SECONDS
        if not jobs:
            return
        try:
            answer = await _ask(monitor, jobs)
        except ServerError as err:
            monitor.report_failure(err)
            answer = None
        if answer is None:
            self._looked[key] = sign, now + RETRY_SECONDS
            return
        await self._judge(monitor, jobs, *answer)

    async def _judge(
        self,
        monitor: InstanceMonitor,
        jobs: Sequence[Job],
        listed: set[str],
        earlier: Incarnation,
        later: Incarnation,
    ) -> None:
        """Take out what has survived a restart or was deleted; deliver what was lost again.

        `earlier` is the process before the list was read, `later` the one after that: nobody knows
        which of the two has answered.
        """
        lost = []
        async for job in cooperatively(jobs):
            if self._outbox.get(job.info_hash) is not job:
                continue  # given again, or removed, while the instance was asked
            if job.info_hash in listed:
                restarted = was_restarted(job.incarnation, earlier)
                if restarted:
                    complete(self._outbox, job)
                elif restarted is None and job.incarnation.log_began is None and earlier.log_began:
                    self._outbox.put(replace(job, incarnation=earlier))
            elif was_restarted(job.incarnation, later) is False:
                complete(self._outbox, job)
            else:
                lost.append(job)
        take_back(monitor, self._outbox, lost, self._clock.now())

    def _let_the_oldest_go(self) -> None:
        """Keep no more than MOST_KEPT: what was delivered first is taken to be saved by now."""
        if (excess := self._outbox.count(Stage.KEPT) - MOST_KEPT) <= 0:
            return
        for job in self._outbox.at(Stage.KEPT)[:excess]:
            complete(self._outbox, job)
        if not self._has_said_so:
            self._has_said_so = True
            _LOGGER.warning(
                "More than %d magnets wait for their server's next restart, which alone shows "
                "that they were saved; the oldest are no longer watched",
                MOST_KEPT,
            )


async def _ask(
    monitor: InstanceMonitor, jobs: Sequence[Job]
) -> tuple[set[str], Incarnation, Incarnation] | None:
    """Return what is listed, the process before that, and the one after that.

    None if that one could not be found out. Raises ServerError.
    """
    earlier = later = await _process(monitor)
    listed = await monitor.client.find([job.magnet for job in jobs])
    if len(listed) < len(jobs):  # a restart may lie before the list
        for _ in range(2):  # the check under way may have begun before that
            if not await monitor.answers_ok():
                return None
        later = await _process(monitor)
    return listed, earlier, later


async def _process(monitor: InstanceMonitor) -> Incarnation:
    incarnation = await monitor.current_incarnation()
    return replace(incarnation, log_began=monitor.saves.log_began)
