"""The clock, and a watch that notices when the wall clock is set while the integration runs.

A Raspberry Pi has no clock of its own: it starts with the time of its last shutdown, or with 1970,
and jumps once the network is there. Without a correction, magnets would expire at that moment, and
uncertain ones would go on to a second server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
import time

_CLOCK_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


CLOCK_STEP_SECONDS = 5.0
"""A smaller step is a clock that is being adjusted, or a busy machine between two readings."""
BELIEVED_SECONDS = 3600.0
"""After so long without a step, a clock that was behind at the start would have been set."""
_NEVER_SECONDS = 365 * 86_400.0
"""No steady clock advances by a year between two readings, unless a test has replaced it."""


def _now() -> float:
    return time.time()  # looked up at each call, so that tests elsewhere can set the time


def _steady() -> float:
    """Return seconds of a clock that cannot be set; on Linux it goes on while the host sleeps."""
    asleep = time.clock_gettime(_CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic() + asleep


@dataclass(frozen=True, slots=True)
class Clock:
    """A source of time: `now` in epoch seconds, `monotonic` in steady seconds, and a sleep."""

    now: Callable[[], float] = _now
    monotonic: Callable[[], float] = _steady
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Alarm:
    """Rings once, so many steady seconds after it was set."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Set it now."""
        self._clock = clock
        self._at = clock.monotonic() + seconds

    def rings(self) -> bool:
        """Tell whether it is time; true only the first time."""
        if self._clock.monotonic() < self._at:
            return False
        self._at = inf
        return True


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock was set by `by` seconds; the times `since` to `until` were read before."""

    by: float
    since: float
    until: float


class ClockWatch:
    """Compares the wall clock with the steady one."""

    def __init__(self, clock: Clock) -> None:
        """Compare the clocks from now on."""
        self._clock = clock
        self._since = self._wall = clock.now()
        self._steady = clock.monotonic()

    def step(self) -> ClockStep | None:
        """Return how the wall clock was set since the last call, or None if it was not."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        passed = steady - self._steady
        until = self._wall + passed
        by = wall - until
        self._wall, self._steady = wall, steady
        if abs(by) < CLOCK_STEP_SECONDS or not 0 <= passed < _NEVER_SECONDS:
            return None
        step = ClockStep(by, self._since, until)
        self._since += by
        return step
