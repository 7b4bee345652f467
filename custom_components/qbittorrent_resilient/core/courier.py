"""The courier: takes magnets in, delivers them, and looks after those that wait.

A background task does all that nobody waits for. It sleeps until it is woken (an instance turned
ok, something was queued) or until some seconds have passed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
import contextlib
from functools import partial
import logging

from .backoff import Backoff
from .delivery import UNCERTAIN_SECONDS, Delivery
from .doubles import find_doubles
from .entry import EXPIRED, INVALID_MAGNET, Entry, Stage
from .errors import StorageError
from .health import InstanceMonitor
from .jumps import JumpWatch
from .line import may_go_to, waiting_reason
from .magnet import Magnet
from .models import Clock, InstanceStatus
from .news import Happening, Item, News, of_call, of_pass, sum_up
from .notes import only_noted, with_notes
from .outcome import Fate, Outcome, as_given
from .passes import Claims, Outcomes, Passes, outcomes_of
from .queue import MagnetQueue, in_turns
from .settling import settle
from .upkeep import expire, follow, take_over
from .vpn import VpnMonitor

_LOGGER = logging.getLogger(__name__)

TICK_SECONDS = 10.0
"""How often the worker looks whether something is due: a settled delivery, an expired wait."""
_NO_USE_TO_ASK = (InstanceStatus.AUTH_FAILED, InstanceStatus.BANNED)


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
        self._jumps = JumpWatch(self._clock)
        self._turn = asyncio.Lock()
        self._wake_delivering = asyncio.Event()
        self._wake_settling = asyncio.Event()
        self.passes = Passes()
        self._backoff = Backoff()
        self._commits: set[asyncio.Task[None]] = set()
        self._stopped = False
        self.listener: Callable[[News], None] | None = None

    @property
    def active(self) -> InstanceMonitor | None:
        """Return the instance that the next magnet would go to."""
        return next((monitor for monitor in self.line if monitor.is_ok), None)

    def reason(self, entry: Entry) -> str:
        """Return why a queued magnet waits."""
        return waiting_reason(entry, self.line)

    async def start(self) -> None:
        """Read the books; raises StorageError."""
        await self.queue.load()
        await take_over(self.queue, {one.settings.key for one in self.line}, self._clock.now())

    async def stop(self) -> None:
        """Cut deliveries off where they are: the books say what may be where."""
        self._stopped = True
        self.wake()
        await self.passes.cancel()
        for task in self._commits:  # this one has what they have
            task.cancel()
        await self._commit()
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
        self._backoff.clear()
        self.wake()

    async def add(
        self, entries: Sequence[Entry], *, wait_for_vpn: float = 0.0, invalid: int = 0
    ) -> list[Outcome]:
        """Take magnets in and deliver them; return what became of each, in their order.

        They are on disk before any server is asked for anything. Raises StorageError if that
        cannot be, and then none has been accepted. `invalid` is the number of texts that came
        with them and are no magnets; they are part of the news.
        """
        keys = [self.queue.key_of(entry.magnet) for entry in entries]
        claimed, claims = self.passes.claim(keys)
        given = with_notes(entries, self.active, self._clock.now())
        try:
            accepted = await self.queue.accept(given)
        except BaseException:
            self.passes.release(claimed, {})
            raise
        keys = [entry.info_hash for entry in accepted]
        if others := [key for key in keys if key not in claims]:  # known by another hash meanwhile
            more, their_claims = self.passes.claim(others)
            claimed, claims = [*claimed, *more], {**claims, **their_claims}

        def done(outcomes: Outcomes) -> None:
            unreadable = [Item(Happening.FAILED, None, reason=INVALID_MAGNET)] * invalid
            self._tell([*unreadable, *of_call(outcomes.values(), self._first_for)])

        prepare = partial(self._prepare, wait_for_vpn)
        self._start(claimed, done, prepare=prepare, noted=only_noted(given, accepted))
        outcomes = await self._settled({key: claims[key] for key in keys})
        mine = set(claimed)
        return [
            as_given(one.magnet, outcomes.get(key), shared=key not in mine)
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
            except StorageError:
                pass  # the queue has said so
            except Exception:  # a worker that died would leave the queue to itself
                _LOGGER.exception("A pass over the queue broke off; the next one goes on")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await woken.wait()

    async def _settle(self) -> None:
        """Look after what was delivered; what was lost again is delivered at once."""
        self._mind_the_clock()
        for monitor in self.line:
            await settle(monitor, self.queue, self._clock)
            doubles = await find_doubles(monitor, self.queue, self._clock)
            name = monitor.settings.name
            self._tell(Item(Happening.DUPLICATE, one.magnet, instance=name) for one in doubles)
        await self.queue.commit()
        if self.queue.count(Stage.QUEUED):
            self._wake_delivering.set()

    async def _deliver_due(self) -> None:
        """Deliver what is due, and let what is still queued then wait before its next try."""
        self._mind_the_clock()
        now = self._clock.now()
        down = {one.settings.key for one in self.line if one.status and not one.is_ok}
        expired = await expire(self.queue, now, self._expiry, busy=self.passes, down=down)
        await self.queue.commit()
        self._tell(Item(Happening.FAILED, one.magnet, reason=EXPIRED) for one in expired)
        queued = self.queue.at(Stage.QUEUED)
        due = [entry async for entry in in_turns(queued) if self._due(entry, now)]
        if not due:
            return
        outcomes = await self._pass_over(due)
        delivered = sum(one.fate in (Fate.ADDED, Fate.ALREADY_PRESENT) for one in outcomes.values())
        if delivered:
            _LOGGER.info("Delivered %d magnets from the queue", delivered)
        async for key in in_turns(outcomes):
            self._back_off(key)

    def _due(self, entry: Entry, now: float) -> bool:
        """Tell whether a pass could do something for a queued magnet."""
        if entry.info_hash in self.passes or not self._backoff.is_over(entry.info_hash, now):
            return False
        if entry.sent_to is not None and entry.sent_at > now - UNCERTAIN_SECONDS:
            asked = [one for one in self.line if one.settings.key == entry.sent_to]
            return not asked or asked[0].can_be_asked
        return any(monitor.is_ok and may_go_to(entry, monitor) for monitor in self.line)

    def _back_off(self, key: str) -> None:
        """Let a magnet that is still queued after a pass wait before its next try."""
        entry = self.queue.get(key)
        if entry is None or entry.stage is not Stage.QUEUED:
            self._backoff.forget(key)
        else:
            self._backoff.tried(key, self._clock.now())

    def _mind_the_clock(self) -> None:
        """Where the clock was set, correct the times that were taken from it before."""
        if (jump := self._jumps.jump()) is None:
            return
        follow(self.queue, self.line, jump)
        self._backoff.shift(jump.by)

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
        claimed, claims = self.passes.claim(entry.info_hash for entry in entries)

        def done(outcomes: Outcomes) -> None:
            self._tell(of_pass(outcomes.values()))

        self._start(claimed, done)
        return await self._settled(claims)

    def _start(
        self,
        claimed: Sequence[str],
        done: Callable[[Outcomes], None],
        prepare: Callable[[], Awaitable[None]] | None = None,
        noted: Iterable[str] = (),
    ) -> None:
        """Start a pass; `prepare` comes before one that a caller waits for."""
        self._mind_the_clock()
        delivery = Delivery(
            claimed,
            line=self.line,
            queue=self.queue,
            turn=self._turn,
            clock=self._clock,
            prepare=prepare,
            noted=noted,
        )

        def over(outcomes: Outcomes) -> None:
            done(outcomes)
            self._commit_soon()

        self.passes.start(claimed, delivery, over)

    def _commit_soon(self) -> None:
        """Write what a pass has found out; nobody waits: what a kill loses can be asked again."""
        self._commits.add(task := asyncio.create_task(self._commit(), name="queue commit"))
        task.add_done_callback(self._commits.discard)

    async def _commit(self) -> None:
        with contextlib.suppress(StorageError):  # the queue has said so; the next one has it, too
            await self.queue.commit()

    async def _settled(self, claims: Claims) -> dict[str, Outcome]:
        """Wait for what becomes of these magnets; what was not settled is queued."""
        found = await outcomes_of(claims)
        outcomes = {}
        for key in claims:
            if (outcome := found.get(key)) is not None:
                outcomes[key] = outcome
            elif entry := self.queue.get(key):
                outcomes[key] = Outcome(entry.magnet, Fate.QUEUED, reason=self.reason(entry))
        return outcomes

    def _first_for(self, magnet: Magnet) -> str | None:
        """Return the name of the first instance in line that a magnet may go to."""
        entry = self.queue.get(magnet.info_hash)
        allowed = (one for one in self.line if entry is None or may_go_to(entry, one))
        return next((one.settings.name for one in allowed), None)

    def _tell(self, items: Iterable[Item]) -> None:
        for news in sum_up(items):
            if self.listener is not None:
                self.listener(news)
