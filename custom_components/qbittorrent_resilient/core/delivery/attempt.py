"""One attempt to deliver a batch to one instance: send, read back, and a verdict per magnet.

An answer proves nothing (docs/qbittorrent.md): "Ok." can be untrue, "Fails." and 409 mostly
mean "already there", a lost answer leaves it open. Only a list that names the hash counts.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
import random
from typing import Any

from ..clock import Clock
from ..health.instance import InstanceMonitor
from ..magnet import Magnet
from ..qbittorrent import AddAnswer
from ..qbittorrent.client import LISTING_SECONDS
from ..qbittorrent.errors import CannotConnectError, ProtocolError, ServerError
from ..qbittorrent.incarnation import Incarnation
from ..qbittorrent.models import AddOptions

REFUSAL_SECONDS = 1.0
"""The same after a refusal or an odd answer: one that is being added already is refused, too."""
_FIRST_LOOK_SECONDS = 0.002
"""Pause after a look that came too early, doubled each time; 5.3 lists some ms after its answer."""
_RETRY_SECONDS = (0.5, 5.0)
"""First and longest pause before another try on the same instance; doubled each time."""
SOON_SECONDS = (0.01, 0.05)
"""The same while nothing has been sent: where a fault does not pass, the next instance is near."""
_GONE = (CannotConnectError, ProtocolError)
"""What is met at a server that is not there any more; the latter from a proxy in front of it."""
_PASSING = (CannotConnectError, ProtocolError)
"""Faults that may be over at the next try; a silence holds up others for too long."""


class Verdict(Enum):
    """What is known of one magnet at one instance after an attempt."""

    ADDED = "the instance lists it"
    ALREADY_PRESENT = "the instance lists it, and had it before"
    REJECTED = "the instance took the request and never listed it"
    ABSENT = "the instance does not have it"
    SUSPECTED = "the instance does not have it yet, but a request may still be on its way"
    UNCERTAIN = "the instance may have it, and cannot be asked"
    CRASHED = "the instance crashed right after it was sent it, and does not have it"


@dataclass(slots=True)
class Attempt:
    """A verdict for each magnet, by info-hash; none for those that nobody wanted any more."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    error: ServerError | None = None
    """What the instance met last, if it was not over at the last try."""
    went_down: bool = False
    """The instance could not be asked right after a request, as if it was not there any more."""
    crashes: int = 0
    """How often it was another process right after a request, without some of the magnets."""
    alone: bool = False
    """There was one magnet in the last request."""
    process: Incarnation = field(default_factory=Incarnation)
    """Which process got the last request."""

    @property
    def is_settled(self) -> bool:
        """Tell whether no magnet is left for another attempt."""
        unsettled = {Verdict.ABSENT, Verdict.SUSPECTED, Verdict.CRASHED}
        return not unsettled & {*self.verdicts.values()}

    def judge(self, magnets: Iterable[Magnet], verdict: Verdict) -> None:
        """Give all of these the same verdict."""
        self.verdicts |= dict.fromkeys((magnet.info_hash for magnet in magnets), verdict)


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how a batch is handed over; `send_lock` is held while sending.

    `files` has a torrent file for each of its magnets, by info-hash, or is empty.
    """

    monitor: InstanceMonitor
    options: AddOptions
    send_lock: AbstractAsyncContextManager[Any]
    clock: Clock
    files: Mapping[str, bytes] = field(default_factory=dict)


class _TakenBackError(ServerError):
    """Somebody took a magnet back while the request with it waited to be sent; it was not sent."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came of a request that may have arrived: the answer, or the error in its place."""

    magnets: Sequence[Magnet]
    answer: AddAnswer | None = None
    error: ServerError | None = None

    @property
    def may_arrive_late(self) -> bool:
        """Tell whether the server may carry the request out after it was asked for the list."""
        return self.error is not None and not isinstance(self.error, ProtocolError)

    @property
    def patience(self) -> float:
        """Return for how many seconds the list may go without the magnets."""
        is_odd = isinstance(self.error, ProtocolError)
        is_refusal = self.answer in (AddAnswer.NONE_NEW, AddAnswer.BAD_FILE)
        return REFUSAL_SECONDS if is_odd or is_refusal else LISTING_SECONDS


async def attempt_delivery(
    target: Target,
    magnets: Sequence[Magnet],
    *,
    incarnation: Incarnation,
    max_retries: int,
    is_wanted: Callable[[Magnet], bool] = lambda magnet: True,
) -> Attempt:
    """Hand the magnets of one batch to an instance; never raises ServerError.

    `incarnation` is the process that said before that it lists none of them. A passing fault is
    followed by up to `max_retries` further tries. `is_wanted` is asked right before each is
    sent, as a request may wait for the VPN, or for another one, for many seconds.
    """
    attempt = Attempt()
    waiting = list(magnets)
    for number in range(max_retries + 1):
        if number:
            await target.clock.sleep(_pause(number))
            if not (waiting := [magnet for magnet in waiting if is_wanted(magnet)]):
                break
        try:
            if number:
                incarnation = await target.monitor.current_incarnation()
            sent = await _send_wanted(target, waiting, is_wanted)
        except ServerError as err:  # nothing was sent
            attempt.error = err
            if not isinstance(err, _PASSING):
                break
            continue
        if not (waiting := [*sent.magnets]):
            break
        attempt.error, attempt.alone = sent.error, len(waiting) == 1
        attempt.process = target.monitor.client.process
        if sent.may_arrive_late:
            attempt.judge(waiting, Verdict.SUSPECTED)
        waiting = await _judge_sent(target, waiting, sent, incarnation, max_retries, attempt)
        if not waiting:
            return attempt
    known = attempt.verdicts
    attempt.judge([one for one in waiting if one.info_hash not in known], Verdict.ABSENT)
    if attempt.crashes:
        attempt.judge(waiting, Verdict.CRASHED)
    if attempt.error is not None:
        target.monitor.report_failure(attempt.error)
    return attempt


async def _send_wanted(
    target: Target, magnets: Sequence[Magnet], is_wanted: Callable[[Magnet], bool]
) -> _Sent:
    """Send one request with what is wanted by the time that it goes out, as `_send` does."""
    while wanted := [magnet for magnet in magnets if is_wanted(magnet)]:
        try:
            return await _send(target, wanted, partial(_confirm, wanted, is_wanted))
        except _TakenBackError:
            continue
    return _Sent(())


def _confirm(magnets: Iterable[Magnet], is_wanted: Callable[[Magnet], bool]) -> None:
    """Raise _TakenBackError if one of these is not wanted any more."""
    if not all(map(is_wanted, magnets)):
        raise _TakenBackError


async def _send(target: Target, magnets: Sequence[Magnet], confirm: Callable[[], None]) -> _Sent:
    """Send one request; raises ServerError where it certainly did not arrive."""
    try:
        async with target.send_lock:
            client, options = target.monitor.client, target.options
            if not target.files:
                links = [magnet.link for magnet in magnets]
                return _Sent(magnets, await client.add(links, options, confirm=confirm))
            files = [(one.info_hash, target.files[one.info_hash]) for one in magnets]
            return _Sent(magnets, await client.add([], options, files, confirm=confirm))
    except ServerError as err:
        if not err.maybe_done:
            raise
        return _Sent(magnets, None, err)


async def _judge_sent(
    target: Target,
    magnets: Sequence[Magnet],
    sent: _Sent,
    incarnation: Incarnation,
    max_retries: int,
    attempt: Attempt,
) -> list[Magnet]:
    """Read back what became of a request; return the magnets that another one may deliver."""
    read_back = partial(_read_back, target, magnets, sent.patience, incarnation)
    try:
        listed, restarted = await retry_request(read_back, max_retries, target.clock)
    except ServerError as err:
        attempt.error, attempt.went_down = err, isinstance(err, _GONE)
        attempt.judge(magnets, Verdict.UNCERTAIN)
        target.monitor.report_failure(err)
        return []
    had_all = sent.answer is AddAnswer.NONE_NEW
    attempt.judge(
        (magnet for magnet in magnets if magnet.info_hash in listed),
        Verdict.ALREADY_PRESENT if had_all else Verdict.ADDED,
    )
    missing = [magnet for magnet in magnets if magnet.info_hash not in listed]
    if sent.answer is AddAnswer.BAD_FILE and len(magnets) > 1 and not restarted:
        attempt.judge(missing, Verdict.ABSENT)  # which of them it was, smaller requests will tell
        return []
    if sent.answer is not None and not restarted:
        attempt.judge(missing, Verdict.REJECTED)
        return []
    if missing and target.monitor.client.process.differs_from(attempt.process):
        attempt.crashes += 1
        if attempt.crashes > 1 or not attempt.alone:
            attempt.judge(missing, Verdict.CRASHED)
            return []
    return missing


async def _read_back(
    target: Target, magnets: Collection[Magnet], patience: float, incarnation: Incarnation
) -> tuple[set[str], bool]:
    """Return which magnets are listed, and whether the server was restarted since `incarnation`.

    Goes on until all are listed or `patience` seconds are over; raises ServerError.
    """
    monitor, clock = target.monitor, target.clock
    deadline = clock.monotonic() + patience
    pause = _FIRST_LOOK_SECONDS
    listed: set[str] = set()
    while True:
        missing = [magnet for magnet in magnets if magnet.info_hash not in listed]
        is_last = clock.monotonic() >= deadline
        listed |= await monitor.client.find(missing, hybrids=is_last)
        if len(listed) == len(magnets):
            return listed, False
        if is_last:
            return listed, not (await monitor.current_incarnation()).is_same_as(incarnation)
        await clock.sleep(min(pause, max(deadline - clock.monotonic(), 0)))
        pause *= 2


async def retry_request[T](
    ask: Callable[[], Awaitable[T]],
    max_retries: int,
    clock: Clock,
    pauses: tuple[float, float] = _RETRY_SECONDS,
) -> T:
    """Ask, and up to `max_retries` times again after a passing fault; raises ServerError.

    Not after a refused connection or a silence: the next instance need not wait for those.
    `pauses` are the first and the longest between two tries, in seconds.
    """
    for number in range(max_retries):
        try:
            return await ask()
        except ServerError as err:
            was_cut = isinstance(err, CannotConnectError) and err.maybe_done
            if not was_cut and not isinstance(err, ProtocolError):
                raise
        await clock.sleep(_pause(number + 1, pauses))
    return await ask()


def _pause(number: int, pauses: tuple[float, float] = _RETRY_SECONDS) -> float:
    """Return the pause before a further try, in seconds, spread so that clients do not align."""
    first, longest = pauses
    return min(first * 2.0 ** (number - 1), longest) * random.uniform(0.8, 1.2)  # noqa: S311
