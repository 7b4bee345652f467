"""The courier: takes magnets in, delivers them, and looks after those that wait.

A background task does all that nobody waits for. It sleeps until it is woken (an instance turned
ok, something was queued) or until some seconds have passed, and a magnet is never worked on twice
at a time: whoever finds it busy waits for the outcome.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
import contextlib
from dataclasses import replace
import logging
import random

from .delivery import UNCERTAIN_SECONDS, Delivery
from .entry import EXPIRED, REMOVED, Entry, Stage
from .errors import StorageError
from .health import InstanceMonitor
from .line import may_go_to, waiting_reason
from .models import Clock, InstanceStatus
from .outcome import Fate, Outcome
from .queue import MagnetQueue
from .settling import settle
from .vpn import VpnMonitor

_LOGGER = logging.getLogger(__name__)

TICK_SECONDS = 10.0
"""How often the worker looks whether something is due: a settled delivery, an expired wait."""
BACKOFF_SECONDS = (10.0, 300.0)
"""First and longest wait of a magnet that a healthy instance would not take, doubled each time.

Full jitter as AWS recommends it; the figures are those that clients of this kind use (PEERS B).
"""
_NO_USE_TO_ASK = (InstanceStatus.AUTH_FAILED, InstanceStatus.BANNED)

type _Pass = asyncio.Future[Mapping[str, Outcome]]
"""What everybody waits for who has a magnet in one pass: the outcomes, by info-hash."""


class Courier:
    """Delivers magnets to the first instance in line that is ok, and keeps those that wait."""

    def __init__(
        self,
        instances: Iterable[InstanceMonitor],
        vpn: VpnMonitor | None,
        queue: MagnetQueue,
        *,
        expiry_seconds: float,
        clock: Clock | None = None,
    ) -> None:
        """Deliver to `instances` in the order of their priority."""
        self.line = sorted(instances, key=lambda monitor: monitor.settings.priority)
        self.vpn = vpn
        self.queue = queue
        self._expiry = expiry_seconds
        self._clock = clock or Clock()
        self._turn = asyncio.Lock()
        self._wake_delivering = asyncio.Event()
        self._wake_settling = asyncio.Event()
        self._busy: dict[str, _Pass] = {}
        self._passes: set[asyncio.Task[None]] = set()
        self._not_before: dict[str, float] = {}
        self._stopped = False
        self._unwritable = False

    @property
    def active(self) -> InstanceMonitor | None:
        """Return the instance that the next magnet would go to."""
        return next((monitor for monitor in self.line if monitor.is_ok), None)

    def reason(self, entry: Entry) -> str:
        """Return why a queued magnet waits."""
        return waiting_reason(entry, self.line)

    async def start(self) -> None:
        """Read the books. A magnet that was not to be queued failed when its call was cut off."""
        await self.queue.load()
        for entry in self.queue.at(Stage.QUEUED):
            if not entry.keep and entry.sent_to is None:
                reason = entry.reason or InstanceStatus.ERROR.value
                self.queue.put(entry.failed(reason, self._clock.now()))

    async def stop(self) -> None:
        """Cut deliveries off where they are: the books say what may be where."""
        self._stopped = True
        self.wake()
        for task in self._passes:
            task.cancel()
        if self._passes:
            await asyncio.wait(self._passes)
        with contextlib.suppress(StorageError):
            await self.queue.commit()
        self.queue.close()

    def now(self) -> float:
        """Return the time that queued magnets are stamped with."""
        return self._clock.now()

    def wake(self) -> None:
        """Let the worker look at once."""
        self._wake_delivering.set()
        self._wake_settling.set()

    def instance_ready(self) -> None:
        """Deliver now: an instance turned ok, so earlier failures say nothing any more."""
        self._not_before.clear()
        self.wake()

    async def add(self, entries: Sequence[Entry], *, wait_for_vpn: float = 0.0) -> list[Outcome]:
        """Take magnets in and deliver them; return what became of each, in their order.

        They are on disk before any server is asked for anything. Raises StorageError if that
        cannot be, and then none has been accepted.
        """
        keys = [self.queue.key_of(entry.magnet) for entry in entries]
        claimed = self._claim(keys)
        futures = {key: self._busy[key] for key in keys}
        try:
            accepted = await self.queue.accept(entries)
        except BaseException:
            self._release(claimed, {})
            raise
        keys = [entry.info_hash for entry in accepted]
        self._start(claimed, self._prepare(wait_for_vpn), wanted=True)
        outcomes = await self._outcomes({key: futures[key] for key in keys})
        mine = set(claimed)
        return [
            _as_given(one, outcomes.get(key), shared=key not in mine)
            for one, key in zip(entries, keys, strict=True)
        ]

    async def retry(self) -> list[Outcome]:
        """Do one pass over the queue now, and return what became of each magnet in it."""
        await self._ask_those_that_are_down(but_not=_NO_USE_TO_ASK)
        return list((await self._pass_over(self.queue.at(Stage.QUEUED))).values())

    async def run(self) -> None:
        """Work until stopped. Looking after deliveries must not hold up the next one."""
        await asyncio.gather(
            self._whenever(self._wake_delivering, self._deliver_due),
            self._whenever(self._wake_settling, self._settle),
        )

    async def _whenever(self, woken: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work whenever woken, and every TICK_SECONDS."""
        while not self._stopped:
            woken.clear()
            try:
                await work()
                self._unwritable = False
            except StorageError as err:
                if not (self._stopped or self._unwritable):
                    _LOGGER.error("The queue cannot be written: %s", err)
                self._unwritable = True
            except Exception:  # a worker that died would leave the queue to itself
                _LOGGER.exception("A pass over the queue broke off; the next one goes on")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await woken.wait()

    async def _settle(self) -> None:
        """Look after what was delivered; what was lost again is delivered at once."""
        for monitor in self.line:
            await settle(monitor, self.queue, self._clock)
        await self.queue.commit()
        if self.queue.count(Stage.QUEUED):
            self._wake_delivering.set()

    async def _deliver_due(self) -> None:
        """Deliver what is due, and let what is still queued then wait before its next try."""
        self._expire()
        await self.queue.commit()
        now = self._clock.now()
        due = [entry for entry in self.queue.at(Stage.QUEUED) if self._due(entry, now)]
        if not due:
            return
        outcomes = await self._pass_over(due)
        delivered = sum(one.fate in (Fate.ADDED, Fate.ALREADY_PRESENT) for one in outcomes.values())
        if delivered:
            _LOGGER.info("Delivered %d magnets from the queue", delivered)
        for key in outcomes:
            self._back_off(key)

    def _due(self, entry: Entry, now: float) -> bool:
        """Tell whether a pass could do something for a queued magnet."""
        if entry.info_hash in self._busy or self._not_before.get(entry.info_hash, 0.0) > now:
            return False
        if entry.sent_to is not None and entry.sent_at > now - UNCERTAIN_SECONDS:
            asked = [one for one in self.line if one.settings.key == entry.sent_to]
            return not asked or asked[0].is_ok
        return any(monitor.is_ok and may_go_to(entry, monitor) for monitor in self.line)

    def _back_off(self, key: str) -> None:
        """Let a magnet that is still queued after a pass wait before its next try."""
        entry = self.queue.get(key)
        if entry is None or entry.stage is not Stage.QUEUED:
            self._not_before.pop(key, None)
            return
        first, longest = BACKOFF_SECONDS
        wait = min(first * 2.0 ** min(entry.attempts, 10), longest)
        self._not_before[key] = self._clock.now() + random.uniform(0, wait)  # noqa: S311

    def _expire(self) -> None:
        """Move what has waited too long to the failed list; forget what was only suspected."""
        now = self._clock.now()
        limit = now - self._expiry
        waiting = [one for one in self.queue.at(Stage.QUEUED) if one.queued_at <= limit]
        waiting += [one for one in self.queue.at(Stage.SETTLING) if one.sent_at <= limit]
        for entry in waiting:
            if entry.info_hash not in self._busy:
                self.queue.put(entry.failed(EXPIRED, now))
        for entry in self.queue.at(Stage.DISCLAIMED):
            if entry.sent_at <= now - UNCERTAIN_SECONDS:
                self.queue.drop(entry.info_hash)

    async def _prepare(self, wait_for_vpn: float) -> None:
        """Wait for the VPN where an instance requires it, and see who is back."""
        if self.vpn is not None and any(one.settings.requires_vpn for one in self.line):
            await self.vpn.wait_until_up(wait_for_vpn)
        await self._ask_those_that_are_down(but_not=(InstanceStatus.TIMEOUT, *_NO_USE_TO_ASK))

    async def _ask_those_that_are_down(self, *, but_not: Collection[InstanceStatus | None]) -> None:
        """Check the instances that were down when last asked: somebody waits for the answer."""
        checks = (
            monitor.check()
            for monitor in self.line
            if not monitor.is_ok and monitor.status not in but_not
        )
        await asyncio.gather(*checks, return_exceptions=True)

    async def _pass_over(self, entries: Iterable[Entry]) -> dict[str, Outcome]:
        """Deliver what is queued, unless somebody does already; return what became of it."""
        keys = [entry.info_hash for entry in entries]
        claimed = self._claim(keys)
        futures = {key: self._busy[key] for key in keys}
        self._start(claimed, _nothing(), wanted=False)
        return await self._outcomes(futures)

    def _claim(self, keys: Iterable[str]) -> list[str]:
        """Take what nobody else is working on; return what was taken, in order."""
        claimed = [key for key in dict.fromkeys(keys) if key not in self._busy]
        self._busy |= dict.fromkeys(claimed, asyncio.get_running_loop().create_future())
        return claimed

    def _release(self, keys: Sequence[str], outcomes: Mapping[str, Outcome]) -> None:
        """Let go of what was taken together, and tell whoever waits."""
        futures = {self._busy.pop(key) for key in keys}
        for future in futures:
            future.set_result(outcomes)

    def _start(
        self, keys: Sequence[str], prepared: Coroutine[None, None, None], *, wanted: bool
    ) -> None:
        """Start a pass over what was taken; it goes on even if nobody waits for it any more."""
        delivery = Delivery(
            keys,
            line=self.line,
            queue=self.queue,
            turn=self._turn,
            clock=self._clock,
            wanted=wanted,
        )

        def done(task: asyncio.Task[None]) -> None:
            self._passes.discard(task)
            self._release(keys, delivery.outcomes)
            if not task.cancelled() and (err := task.exception()):
                _LOGGER.error("A delivery broke off", exc_info=err)

        task = asyncio.create_task(delivery.run(prepared), name="magnet delivery")
        self._passes.add(task)
        task.add_done_callback(done)

    async def _outcomes(self, futures: Mapping[str, _Pass]) -> dict[str, Outcome]:
        """Wait for what becomes of these magnets, whoever is working on each."""
        outcomes = {}
        for key, future in futures.items():
            found = future.result() if future.done() else await asyncio.shield(future)
            outcome = found.get(key)
            if outcome is None and (entry := self.queue.get(key)):
                outcome = Outcome(entry.magnet, Fate.QUEUED, reason=self.reason(entry))
            if outcome is not None:
                outcomes[key] = outcome
        return outcomes


def _as_given(entry: Entry, outcome: Outcome | None, *, shared: bool) -> Outcome:
    """Return the outcome for one caller, under the link that this caller gave."""
    if outcome is None:
        return Outcome(entry.magnet, Fate.FAILED, reason=REMOVED)
    return replace(outcome.seen_again() if shared else outcome, magnet=entry.magnet)


async def _nothing() -> None:
    """Prepare nothing."""
