"""Handing magnets to one instance: send, read back, and say for each what is known of it.

An answer proves nothing (docs/qbittorrent.md): "Ok." can be untrue, "Fails." and 409 mostly
mean "already there", a lost answer leaves it open. Only a list that names the hash counts.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
import random
from typing import Any

from .entry import Mark
from .errors import InstanceError
from .health import InstanceMonitor
from .magnet import Magnet
from .models import AddOptions, Clock, InstanceStatus
from .qbittorrent import AddAnswer

LISTING_SECONDS = 5.0
"""How long a magnet may take from "Ok." to the list; 5000 at once were seen to take 0.2 s."""
REFUSAL_SECONDS = 1.0
"""The same after a refusal or an odd answer: one that is being added already is refused, too."""
_FIRST_LOOK_SECONDS = 0.002
"""Pause after a look that came too early, doubled each time; 5.3 lists some ms after its answer."""
_RETRY_SECONDS = (0.5, 5.0)
"""First and longest pause before another try on the same instance; doubled each time."""
SOON_SECONDS = (0.01, 0.05)
"""The same while nothing has been sent: where a fault does not pass, the next instance is near."""
_PASSING = frozenset({InstanceStatus.UNREACHABLE, InstanceStatus.TIMEOUT, InstanceStatus.ERROR})


@dataclass(slots=True)
class Handover:
    """What became of some magnets at one instance, by info-hash; in one of five sets each."""

    added: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    """Of those that are absent: a request that got no answer may still be on its way."""
    error: InstanceError | None = None


async def hand_over(
    monitor: InstanceMonitor,
    magnets: Sequence[Magnet],
    options: AddOptions,
    *,
    process: Mark,
    max_retries: int,
    turn: AbstractAsyncContextManager[Any],
    clock: Clock,
    is_wanted: Callable[[Magnet], bool] = lambda magnet: True,
) -> Handover:
    """Give the magnets of one request to an instance and return what became of each.

    Never raises InstanceError. `process` is the one that answered when it was last asked. `absent`
    are those that the instance is known not to have; what is sent while a `doubtful` request
    may still be on its way stays suspected. `turn` is held while sending. What is not wanted any
    more when its turn comes is not sent, and in none of the sets.
    """
    result = Handover()
    waiting = {magnet.info_hash: magnet for magnet in magnets}
    for attempt in range(max_retries + 1):
        if attempt:
            await clock.sleep(_pause(attempt))
        waiting = {key: one for key, one in waiting.items() if is_wanted(one)}
        if not waiting:
            break
        patience = LISTING_SECONDS
        answer: AddAnswer | None = None
        sending = False
        try:
            if attempt:
                process = await monitor.process()
            sending = True
            async with turn:
                links = [one.link for one in waiting.values()]
                answer = await monitor.client.add(links, options)
            result.error = None
        except InstanceError as err:
            result.error = err
            if not (sending and err.maybe_done):
                if err.status in _PASSING:
                    continue
                break
            if err.status is InstanceStatus.ERROR:
                patience = REFUSAL_SECONDS
            else:
                result.doubtful.update(waiting)
        if answer is AddAnswer.NONE_NEW:
            patience = REFUSAL_SECONDS
        look = partial(_look_for, monitor, list(waiting.values()), patience, process, clock)
        try:
            listed, restarted = await ask_again(look, max_retries, clock)
        except InstanceError as err:
            result.error = err
            result.uncertain.update(waiting)
            break
        (result.present if answer is AddAnswer.NONE_NEW else result.added).update(listed)
        waiting = {key: one for key, one in waiting.items() if key not in listed}
        if not waiting:
            return result
        if answer is not None and not restarted:
            result.rejected.update(waiting)
            return result
    if result.error is not None:
        monitor.met(result.error)
    if not result.uncertain:
        result.absent.update(waiting)
    return result


async def ask_again[T](
    ask: Callable[[], Awaitable[T]],
    max_retries: int,
    clock: Clock,
    pauses: tuple[float, float] = _RETRY_SECONDS,
) -> T:
    """Ask, and up to so many times again after a passing fault; raises InstanceError.

    Not after a refused connection or a silence: the next instance need not wait for those.
    `pauses` are the first and the longest between two tries, in seconds.
    """
    for attempt in range(max_retries):
        try:
            return await ask()
        except InstanceError as err:
            cut = err.status is InstanceStatus.UNREACHABLE and err.maybe_done
            if not cut and err.status is not InstanceStatus.ERROR:
                raise
        await clock.sleep(_pause(attempt + 1, pauses))
    return await ask()


async def _look_for(
    monitor: InstanceMonitor,
    magnets: Collection[Magnet],
    patience: float,
    process: Mark,
    clock: Clock,
) -> tuple[set[str], bool]:
    """Return which are listed, and whether another process of the server answers by now."""
    listed = await _read_back(monitor, magnets, patience, clock)
    if len(listed) == len(magnets):
        return listed, False
    return listed, not (await monitor.process()).same_process(process)


async def _read_back(
    monitor: InstanceMonitor,
    magnets: Collection[Magnet],
    patience: float,
    clock: Clock,
) -> set[str]:
    """Look until all are listed or the time for it is over; return those that are."""
    deadline = clock.monotonic() + patience
    pause = _FIRST_LOOK_SECONDS
    listed: set[str] = set()
    while True:
        missing = [one for one in magnets if one.info_hash not in listed]
        last_look = clock.monotonic() >= deadline
        listed |= await monitor.client.find(missing, hybrids=last_look)
        if len(listed) == len(magnets) or last_look:
            return listed
        await clock.sleep(min(pause, max(deadline - clock.monotonic(), 0)))
        pause *= 2


def _pause(attempt: int, pauses: tuple[float, float] = _RETRY_SECONDS) -> float:
    """Return the pause before a further try, in seconds, spread so that clients do not align."""
    first, longest = pauses
    return min(first * 2.0 ** (attempt - 1), longest) * random.uniform(0.8, 1.2)  # noqa: S311
