"""The survey before a delivery: every usable instance is asked which of the magnets it lists."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..clock import Clock
from ..health.instance import InstanceMonitor
from ..outbox.job import Job
from ..qbittorrent import exchange
from ..qbittorrent.client import LIST_MAGNETS
from ..qbittorrent.errors import ProtocolError, ServerError, TimedOutError
from ..qbittorrent.incarnation import Incarnation
from .attempt import SOON_SECONDS, retry_request
from .failover import InstancePool, is_eligible, kinds

DOUBTFUL_SECONDS = 1.0
"""How long a call waits for an instance that was too slow the last time: if it has recovered, it
answers in much less."""


@dataclass(slots=True)
class Survey:
    """What the instances said, each by its key."""

    listed: dict[str, set[str]] = field(default_factory=dict)
    """Info-hashes of the jobs that the instance lists; nothing of one that could not be asked."""
    incarnations: dict[str, Incarnation] = field(default_factory=dict)
    """Which process of the instance answered, known before it was asked what it lists."""
    errors: dict[str, ServerError] = field(default_factory=dict)
    """What the instance met instead of answering."""
    asked_for_all: set[str] = field(default_factory=set)
    """The instances that were ok when their turn came."""
    too_slow: set[str] = field(default_factory=set)
    """Those that are ok and were not waited for, so that they may have the magnets already."""

    def late(self, pool: InstancePool) -> Iterator[InstanceMonitor]:
        """Yield the instances that turned ok since: without a question they would get nothing."""
        for monitor in pool:
            key = monitor.settings.key
            if monitor.is_ok and key not in self.asked_for_all and key not in self.errors:
                yield monitor

    async def ask(self, monitor: InstanceMonitor, jobs: Sequence[Job], clock: Clock) -> bool:
        """Ask one instance, and tell whether it answered; without jobs there is no question."""
        if not jobs:
            return True
        key = monitor.settings.key

        async def look() -> set[str]:
            if key not in self.incarnations:
                self.incarnations[key] = await monitor.current_incarnation()
            return await monitor.client.find([job.magnet for job in jobs])

        try:
            retries = max(job.max_retries for job in jobs)
            self.listed[key] = await retry_request(look, retries, clock, SOON_SECONDS)
        except ServerError as err:
            self.errors[key] = err
            monitor.report_failure(err)
            await check_if_odd(monitor, err)
            return False
        return True

    def merge(self, other: Survey) -> None:
        """Add what was found out at another instance."""
        self.listed |= other.listed
        self.incarnations |= other.incarnations
        self.errors |= other.errors
        self.asked_for_all |= other.asked_for_all


async def survey(
    pool: InstancePool,
    jobs: Callable[[], Awaitable[Sequence[Job]]],
    clock: Clock,
    *,
    is_awaited: bool,
    check: Collection[InstanceMonitor] = (),
) -> Survey:
    """Ask all instances at the same time, in one time limit for all that they are asked.

    One that is ok is asked for all jobs, one that merely answers for those that it may have been
    sent before; those in `check` are checked first. A job that is there under another hash is
    asked for by its own magnet. What takes longer goes on, but is of no use for this survey; only
    where nobody waits for it (`is_awaited`), those are waited for that a job depends on.
    """
    result = Survey()
    wanted = await jobs()
    limit = exchange.REQUEST_SECONDS * max(1, -(-len(wanted) // LIST_MAGNETS))
    parts = {monitor.settings.key: Survey() for monitor in pool}
    asked: dict[str, asyncio.Task[None]] = {}
    for monitor in pool:
        if monitor.is_answering or monitor in check:
            key = monitor.settings.key
            asked[key] = pool.begin(
                _look(monitor, wanted, clock, parts[key], check=monitor in check)
            )
    doubtful = pool.slow | {key for key in asked if pool.by_key[key].in_doubt}
    began = asyncio.get_running_loop().time()
    await _wait([task for key, task in asked.items() if key not in doubtful], began, limit)
    await _wait(asked.values(), began, DOUBTFUL_SECONDS)
    while not is_awaited and (missing := _needed(pool, wanted, asked, parts)):
        await asyncio.wait(missing, return_when=asyncio.FIRST_COMPLETED)
    is_slow = asyncio.get_running_loop().time() - began > limit
    for key, task in asked.items():
        if task.done():
            task.result()
            result.merge(parts[key])
            if not is_slow:
                pool.slow.discard(key)
        else:
            pool.slow.add(key)
            if pool.by_key[key].is_ok:
                result.too_slow.add(key)
            result.errors[key] = TimedOutError("it takes too long to ask")
    return result


async def _look(
    monitor: InstanceMonitor, jobs: Sequence[Job], clock: Clock, part: Survey, *, check: bool
) -> None:
    """Check an instance where that is wanted, and ask it for the jobs that it may be asked for."""
    if check:
        await monitor.check()
    if monitor.is_ok:
        part.asked_for_all.add(monitor.settings.key)
        await part.ask(monitor, jobs, clock)
    elif monitor.is_answering:
        key = monitor.settings.key
        await part.ask(monitor, [job for job in jobs if job.sent_to == key], clock)


async def _wait(tasks: Iterable[asyncio.Task[None]], began: float, seconds: float) -> None:
    """Wait for tasks until so many seconds after `began`, by the time of the loop."""
    if running := [task for task in tasks if not task.done()]:
        left = began + seconds - asyncio.get_running_loop().time()
        await asyncio.wait(running, timeout=max(left, 0))


def _needed(
    pool: InstancePool,
    jobs: Sequence[Job],
    asked: Mapping[str, asyncio.Task[None]],
    parts: Mapping[str, Survey],
) -> list[asyncio.Task[None]]:
    """Return the questions under way that a job depends on.

    That is the instance that it may have been sent to, or any where no other one may get it.
    """
    running = {key: task for key, task in asked.items() if not task.done()}
    if not running:
        return []
    sent = {job.sent_to for job in jobs} | {job.crash.instance for job in jobs if job.crash}
    if needed := [task for key, task in running.items() if key in sent]:
        return needed
    answered = [
        one for one in pool if one.is_ok and one.settings.key in parts[one.settings.key].listed
    ]
    served = all(any(is_eligible(job, monitor) for monitor in answered) for job in kinds(jobs))
    return [] if served else list(running.values())


async def check_if_odd(monitor: InstanceMonitor, err: ServerError | None) -> None:
    """Check the instance if its answer was odd: perhaps only this request is the reason."""
    if isinstance(err, ProtocolError):
        await monitor.check()
