"""A witness of the VPN: rounds, and as many of them before a verdict as the user says.

The first good round after start-up is enough for `on`. From then on, a change takes several rounds
in a row, so that lost packets change nothing.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Protocol, override

from ..clock import Clock
from ..listeners import Listeners
from ..qbittorrent.errors import GateClosedError
from ..qbittorrent.gate import Content
from .probe import ROUND_SECONDS
from .status import VpnState

DOUBT_SECONDS = 2.0
"""Pause before the next round while the verdict is in doubt: an outage shows within 10 s."""
FRESH_SECONDS = 2 * ROUND_SECONDS
"""How long ago the last good round may have begun when magnets are sent.

Two rounds of the longest kind: before a round is too old, the next round is over, so that a
delivery does not wait for it, even if a target is silent or echoes are lost.
"""
SILENT_ROUNDS = 3
"""Silent rounds in a row that end every verdict."""
_NEXT_ROUND_SECONDS = 1.0
"""A delivery that relies on an older round begins the next round."""


class Opinion(Enum):
    """What one round says. Only good and bad rounds are counted; the others change no count."""

    GOOD = "good"
    BAD = "bad"
    NONE = "none"
    """Answered, and neither good nor bad."""
    SILENT = "silent"
    """No answer of a witness that would say so if the VPN were down."""
    VOID = "void"
    """The witness cannot be heard for now: there is no verdict, and the count begins anew."""


class Reading(Protocol):
    """The verdict, and what the last round found out."""

    @property
    def state(self) -> VpnState:
        """Return the verdict."""

    @property
    def verdict(self) -> object:
        """Return what does not change from round to round while nothing happens."""


class Watch(ABC):
    """What tells whether the VPN is up."""

    _clock: Clock

    @property
    @abstractmethod
    def state(self) -> VpnState:
        """Return the verdict."""

    @property
    @abstractmethod
    def reasons(self) -> Mapping[str, str]:
        """Return what was not up in the last round, by its name: why, in plain words."""

    @abstractmethod
    async def round(self) -> Reading:
        """Do one round, or join the one under way, and return the verdict after it."""

    @abstractmethod
    async def confirm(self) -> bool:
        """Tell whether the VPN is up, and a round that began within FRESH_SECONDS says so, too."""

    @property
    @abstractmethod
    def in_doubt(self) -> bool:
        """Tell whether the last round contradicts the verdict."""

    @abstractmethod
    async def settle(self) -> None:
        """Do rounds until no round contradicts the verdict, at most as many as `off` takes."""

    async def gate(self, content: Content) -> None:
        """Raise GateClosedError unless a request may go out through the VPN now.

        What would tell something waits until a doubt is settled; magnets want a round of just now.
        """
        if not await self._lets_pass(content):
            raise GateClosedError("the VPN is not up")

    async def _lets_pass(self, content: Content) -> bool:
        if content is Content.MAGNETS:
            return await self.confirm()
        if content is Content.SECRET and self.state is VpnState.ON:
            await self.settle()
            return self.state is VpnState.ON and not self.in_doubt
        return self.state is VpnState.ON


async def wait_until_any_is_up(watches: Sequence[Watch], seconds: float, clock: Clock) -> bool:
    """Do rounds until one of these is up, for at most `seconds`; tell whether one is."""
    deadline = clock.monotonic() + seconds
    while not any(watch.state is VpnState.ON for watch in watches):
        remaining = deadline - clock.monotonic()
        if remaining <= 0:
            return False
        await asyncio.gather(*(watch.round() for watch in watches))
        if not any(watch.state is VpnState.ON for watch in watches):
            await clock.sleep(min(DOUBT_SECONDS, remaining))
    return True


class Witness[R: Reading](Watch):
    """Counts rounds. A subclass does them, and says what it has found out."""

    def __init__(
        self, *, failures_before_down: int, successes_before_up: int, clock: Clock | None
    ) -> None:
        """Count as the user says; there is no verdict yet."""
        self._fall = failures_before_down
        self._rise = successes_before_up
        self._clock = clock or Clock()
        self._round: asyncio.Task[R] | None = None
        self._last: Opinion | None = None
        self._counted: Opinion | None = None
        """The last opinion that counted, and below how often in a row it came."""
        self._streak = self._silent = 0
        self._rounds = 0
        """How many there were."""
        self._good_at = self._over_at = float("-inf")
        """When the last good round began, and when the last round of all was over."""
        self.reading = self._read(VpnState.UNKNOWN)
        self._listeners = Listeners[R, R]()

    @abstractmethod
    async def _ask(self) -> Opinion:
        """Do one round, and keep what it found out for `_read`."""

    @abstractmethod
    def _read(self, state: VpnState) -> R:
        """Return this verdict with what the last round found out."""

    def subscribe(self, callback: Callable[[R, R], None]) -> Callable[[], None]:
        """Tell `callback` the reading before and after every round; return how to unsubscribe."""
        return self._listeners.subscribe(callback)

    @property
    @override
    def state(self) -> VpnState:
        """Return the verdict."""
        return self.reading.state

    @property
    @override
    def in_doubt(self) -> bool:
        """Tell whether the last round contradicts the verdict, so that the next follows soon.

        A silent one does while it is `on`.
        """
        if self._last is Opinion.SILENT:
            return self.state is VpnState.ON
        if self._last not in (Opinion.GOOD, Opinion.BAD):
            return False
        return (self._last is Opinion.GOOD) is (self.state is VpnState.OFF)

    @property
    def may_say_down(self) -> bool:
        """Tell whether it has no verdict, and was not asked yet or has just said down."""
        return self.state is VpnState.UNKNOWN and self._last in (None, Opinion.BAD)

    @property
    def is_fresh(self) -> bool:
        """Tell whether it is up, and the last round of all was good and began just now."""
        age = self._clock.monotonic() - self._good_at
        return self._is_good and age <= FRESH_SECONDS

    @property
    def _is_good(self) -> bool:
        return self.state is VpnState.ON and self._last is Opinion.GOOD

    @override
    async def round(self) -> R:
        """Do one round, or join the one under way, and return the verdict after it."""
        return await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[R]:
        """Return the round under way, begun now if there is none."""
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._do_round(), name="vpn round")
        return self._round

    @override
    async def confirm(self) -> bool:
        """Tell whether the VPN is up, and a round that began within FRESH_SECONDS says so, too.

        While the last round was not good, do rounds until the doubt is settled. The first and
        as many more as `off` takes are enough for that, whoever begins them; it never runs more
        rounds than those, however long they take. Where these have no opinion, there is no verdict
        any more.
        """
        before = self._rounds
        while self.state is VpnState.ON and self._rounds - before <= self._fall:
            if self.is_fresh:
                if self._clock.monotonic() - self._good_at > _NEXT_ROUND_SECONDS:
                    self._begin()
                return True
            await self._next_round(at_once=self._is_good)
        if self.state is VpnState.ON and self._last in (Opinion.NONE, Opinion.SILENT):
            self._publish(VpnState.UNKNOWN)
        return False

    @override
    async def settle(self) -> None:
        """Do rounds until no round contradicts the verdict, at most as many as `confirm` does."""
        before = self._rounds
        while self.in_doubt and self._rounds - before <= self._fall:
            await self._next_round(at_once=False)

    async def _next_round(self, *, at_once: bool) -> None:
        """Do a round, or else sleep until there may be one; another caller may do one meanwhile."""
        pause = self._over_at + DOUBT_SECONDS - self._clock.monotonic()
        if not at_once and pause > 0:
            await self._clock.sleep(pause)
        else:
            await self.round()

    def close(self) -> None:
        """Cancel a round that is under way."""
        if self._round is not None:
            self._round.cancel()

    async def _do_round(self) -> R:
        began = self._clock.monotonic()
        opinion = await self._ask()
        self._over_at = self._clock.monotonic()
        self._rounds += 1
        if opinion is Opinion.GOOD:
            self._good_at = began
        return self._publish(self._judge(opinion))

    def _publish(self, state: VpnState) -> R:
        before, self.reading = self.reading, self._read(state)
        self._listeners.notify(before, self.reading)
        return self.reading

    def _judge(self, opinion: Opinion) -> VpnState:
        """Count rounds that say the same in a row, and return the verdict after this one."""
        self._last = opinion
        self._silent = self._silent + 1 if opinion is Opinion.SILENT else 0
        if opinion is Opinion.VOID:
            self._counted, self._streak = None, 0
            return VpnState.UNKNOWN
        if opinion is Opinion.SILENT:
            return VpnState.UNKNOWN if self._silent >= SILENT_ROUNDS else self.state
        if opinion is Opinion.NONE:
            return self.state
        self._streak = self._streak + 1 if opinion is self._counted else 1
        self._counted = opinion
        if opinion is Opinion.GOOD:
            first = self.state is VpnState.UNKNOWN
            return VpnState.ON if first or self._streak >= self._rise else self.state
        return VpnState.OFF if self._streak >= self._fall else self.state
