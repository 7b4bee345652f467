"""A wall clock that is set while we run, and what that would do to the times on the books.

A Raspberry Pi has no clock of its own: it starts with the time of its last shutdown, or with 1970,
and jumps once the network is there. Without care, magnets would expire at once then, and those that
are uncertain would go on to a second server.
"""

from dataclasses import dataclass

from .models import Clock

JUMP_SECONDS = 5.0
"""Less than this is the steering of a clock, or a busy machine between two readings."""
_NEVER_SECONDS = 365 * 86_400.0
"""No steady clock goes on by a year between two looks; one that does was replaced by a test's."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock was set by so many seconds; `since` to `until` are the wrong times it told."""

    by: float
    since: float
    until: float


class JumpWatch:
    """Compares the wall clock with the steady one."""

    def __init__(self, clock: Clock) -> None:
        """Take the times from now on."""
        self._clock = clock
        self._since = self._wall = clock.now()
        self._steady = clock.monotonic()

    def jump(self) -> Jump | None:
        """Return by how much the clock was set since this was last asked; mostly None."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        passed = steady - self._steady
        until = self._wall + passed
        by = wall - until
        self._wall, self._steady = wall, steady
        if abs(by) < JUMP_SECONDS or not 0 <= passed < _NEVER_SECONDS:
            return None
        jump = Jump(by, self._since, until)
        self._since += by
        return jump
