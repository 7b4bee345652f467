"""The verdict on the VPN: rounds of echoes, with as many failures before `off` as the user says.

One round asks every target; any answer makes it a success. The first success after start-up is
enough for `on`. From then on a change wants some rounds in a row, so that lost packets change
nothing: with one target and 20 % loss a round fails with 0.2³, three in a row with 5·10⁻⁷, which
is once in two years at a round every 30 s; with two targets with 3·10⁻¹³.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import InstanceError, PingNotPermittedError
from .models import Clock, InstanceStatus, VpnState
from .ping import ROUND_SECONDS, Ping, all_of

DOUBT_SECONDS = 2.0
"""Pause before the next round while the verdict is in doubt: an outage shows within 10 s."""
FRESH_SECONDS = 2 * ROUND_SECONDS
"""How long ago the last successful round may have begun when magnets are handed over.

Two rounds of the longest kind: while one grows too old, the next one is over, so that a delivery
does not wait for it, even where a target is silent or echoes are lost.
"""
_NEXT_ROUND_SECONDS = 1.0
"""From this age on a round that is still good for a delivery has its successor begun."""


@dataclass(frozen=True, slots=True)
class VpnReading:
    """The verdict, and the last round: mean round trip in ms (None: no answer), loss in percent."""

    state: VpnState
    latency: float | None = None
    loss: float | None = None
    permitted: bool = True


class VpnMonitor:
    """Judges the VPN; without targets there is nothing to judge."""

    def __init__(
        self,
        targets: Sequence[str],
        ping: Ping,
        *,
        failures_before_down: int = 3,
        successes_before_up: int = 2,
        clock: Clock | None = None,
    ) -> None:
        """Watch `targets`, host names or addresses that answer only while the VPN is up."""
        self.targets = tuple(targets)
        self._ping = ping
        self._fall = failures_before_down
        self._rise = successes_before_up
        self._clock = clock or Clock()
        self._round: asyncio.Task[VpnReading] | None = None
        self._streak = 0
        self._succeeded: bool | None = None
        self._good_at = self._over_at = float("-inf")
        """When the last good round began, and when the last one of either kind was over."""
        self.reading = VpnReading(VpnState.UNKNOWN)
        self.listener: Callable[[VpnReading], None] | None = None

    @property
    def state(self) -> VpnState:
        """Return the verdict."""
        return self.reading.state

    @property
    def in_doubt(self) -> bool:
        """Tell whether the last round spoke against the verdict, so that the next follows soon."""
        against = {VpnState.ON: False, VpnState.OFF: True, VpnState.UNKNOWN: False}
        return self._succeeded is against[self.state]

    async def round(self) -> VpnReading:
        """Do one round, or join the one under way, and return the verdict after it."""
        return await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[VpnReading]:
        """Return the round under way, begun now if there is none."""
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._do_round(), name="vpn round")
        return self._round

    async def confirm(self) -> bool:
        """Tell whether the VPN is up and a round begun within FRESH_SECONDS says so, too.

        While the last round speaks against `on`, goes on until the doubt is settled. The rounds
        that `off` wants are enough for that; more are done on no account, however long they take.
        """
        rounds = 0
        while self.state is VpnState.ON and rounds <= self._fall:
            now = self._clock.monotonic()
            if self.in_doubt:
                if (pause := self._over_at + DOUBT_SECONDS - now) > 0:
                    await self._clock.sleep(pause)
                    continue  # somebody else may have done a round meanwhile
            elif now - self._good_at <= FRESH_SECONDS:
                if now - self._good_at > _NEXT_ROUND_SECONDS:
                    self._begin()
                return True
            await self.round()
            rounds += 1
        return False

    async def gate(self, *, handing_over: bool) -> None:
        """Raise InstanceError (`vpn_down`) unless a request may go out through the VPN now."""
        up = await self.confirm() if handing_over else self.state is VpnState.ON
        if not up:
            raise InstanceError(InstanceStatus.VPN_DOWN, "the VPN is not up")

    async def wait_until_up(self, seconds: float) -> bool:
        """Do rounds until the VPN is up, for at most `seconds`; tell whether it is."""
        deadline = self._clock.monotonic() + seconds
        while self.state is not VpnState.ON:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return False
            if (await self.round()).state is not VpnState.ON:
                await self._clock.sleep(min(DOUBT_SECONDS, left))
        return True

    def close(self) -> None:
        """Give up a round that is under way."""
        if self._round is not None:
            self._round.cancel()

    async def _do_round(self) -> VpnReading:
        self.reading = reading = await self._measure()
        if self.listener is not None:
            self.listener(reading)
        return reading

    async def _measure(self) -> VpnReading:
        began = self._clock.monotonic()
        try:
            answers = await all_of(self._ping(target) for target in self.targets)
        except PingNotPermittedError:
            self._succeeded, self._streak = None, 0
            return VpnReading(VpnState.UNKNOWN, permitted=False)
        self._over_at = self._clock.monotonic()
        if succeeded := any(answer.answered for answer in answers):
            self._good_at = began
        trips = [trip for answer in answers for trip in answer.round_trips]
        sent = sum(answer.sent for answer in answers)
        return VpnReading(
            self._judge(succeeded=succeeded),
            latency=round(sum(trips) / len(trips), 2) if trips else None,
            loss=round(100 * (1 - len(trips) / sent), 1) if sent else None,
        )

    def _judge(self, *, succeeded: bool) -> VpnState:
        """Count rounds of one kind in a row, and return the verdict they amount to."""
        self._streak = self._streak + 1 if succeeded is self._succeeded else 1
        self._succeeded = succeeded
        if succeeded:
            first = self.state is VpnState.UNKNOWN
            return VpnState.ON if first or self._streak >= self._rise else self.state
        return VpnState.OFF if self._streak >= self._fall else self.state
