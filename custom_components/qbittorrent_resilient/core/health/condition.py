"""The VPN as one instance needs it: what all witnesses say that are set for it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, override

from ..clock import Clock
from ..listeners import Listeners
from .status import VpnState
from .witness import Reading, Watch, Witness

_ATTEMPTS = 3
"""One witness may need so long to settle a doubt that the other's good round is too old by then."""


@dataclass(frozen=True, slots=True)
class ConditionReading:
    """The verdict."""

    state: VpnState

    @property
    def verdict(self) -> VpnState:
        """Return the state."""
        return self.state


class VpnCondition(Watch):
    """Up while no witness says down, and at least one says up."""

    def __init__(self, witnesses: Sequence[Witness[Any]], *, clock: Clock | None = None) -> None:
        """Listen to `witnesses`, which others may share; without any, there is no verdict."""
        self._witnesses = tuple(witnesses)
        self._clock = clock or Clock()
        self.reading = ConditionReading(self.state)
        self._verdicts = 0
        """How often it turned `on` or `off`."""
        self._listeners = Listeners[ConditionReading, ConditionReading]()
        for witness in self._witnesses:
            witness.subscribe(self._round_over)

    def subscribe(
        self, callback: Callable[[ConditionReading, ConditionReading], None]
    ) -> Callable[[], None]:
        """Tell `callback` the reading before and after every round; return how to unsubscribe."""
        return self._listeners.subscribe(callback)

    @property
    @override
    def state(self) -> VpnState:
        """Return the verdict; there is none while a witness may still say down."""
        states = {witness.state for witness in self._witnesses}
        if VpnState.OFF in states:
            return VpnState.OFF
        if any(witness.may_say_down for witness in self._witnesses):
            return VpnState.UNKNOWN
        return VpnState.ON if VpnState.ON in states else VpnState.UNKNOWN

    @property
    def is_up_since_the_start(self) -> bool:
        """Tell whether the first verdict was `on`, and is the only one so far."""
        return self.state is VpnState.ON and self._verdicts == 1

    @property
    @override
    def in_doubt(self) -> bool:
        """Tell whether the verdict of any witness is in doubt."""
        return any(witness.in_doubt for witness in self._witnesses)

    @property
    @override
    def reasons(self) -> Mapping[str, str]:
        """Return what was not up in the last round, by its name: why, in plain words."""
        return {name: why for one in self._witnesses for name, why in one.reasons.items()}

    @override
    async def round(self) -> ConditionReading:
        """Let every witness do a round, or join the one under way; return the verdict after it."""
        await asyncio.gather(*(witness.round() for witness in self._witnesses))
        return ConditionReading(self.state)

    @override
    async def settle(self) -> None:
        """Do rounds of each witness until none contradicts its verdict."""
        await asyncio.gather(*(witness.settle() for witness in self._witnesses))

    @override
    async def confirm(self) -> bool:
        """Tell whether the VPN is up, and a witness has just seen so.

        What is in doubt is settled first: none may say down by then.
        """
        for _ in range(_ATTEMPTS):
            if self.state is not VpnState.ON:
                return False
            up = [witness for witness in self._witnesses if witness.state is VpnState.ON]
            await asyncio.gather(*(witness.confirm() for witness in up))
            if self._is_seen_up(up):
                return True
        return False

    def _is_seen_up(self, up: Sequence[Witness[Any]]) -> bool:
        """Tell whether one of these has just seen it up, and none of all says otherwise."""
        seen = any(witness.is_fresh for witness in up)
        doubted = any(witness.in_doubt for witness in up)
        return seen and not doubted and self.state is VpnState.ON

    def _round_over(self, _before: Reading, _now: Reading) -> None:
        before, self.reading = self.reading, ConditionReading(self.state)
        if self.state is not before.state and self.state is not VpnState.UNKNOWN:
            self._verdicts += 1
        self._listeners.notify(before, self.reading)
