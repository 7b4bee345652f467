"""The loop of a life: virtual time without anything that only real loops need."""

import asyncio
from asyncio import events
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from typing import Any, cast, override

from tests.promises.crashing.stepping import DeadlockError, VirtualLoop


class SwiftLoop(VirtualLoop):
    """A virtual loop without selector, threads and debugging, in a third of their time.

    Timers that are due together run in the order in which they were set.
    """

    def __init__(self) -> None:
        """Begin without timers."""
        super().__init__()
        self._timers: list[tuple[float, int, Any]] = []
        self._count = 0
        self._soon: Any = cast("Any", self)._ready

    @override
    def call_soon[*Parts](
        self, callback: Callable[[*Parts], object], *args: *Parts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = events.Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    @override
    def call_later[*Parts](
        self,
        delay: float,
        callback: Callable[[*Parts], object],
        *args: *Parts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.seconds + delay, callback, *args, context=context)

    @override
    def call_at[*Parts](
        self,
        when: float,
        callback: Callable[[*Parts], object],
        *args: *Parts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = events.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heappush(self._timers, (when, self._count, timer))
        return timer

    def _run_once(self) -> None:
        """Run what is due; where nothing is, it is the time of the next timer."""
        soon, timers = self._soon, self._timers
        if not soon:
            while timers and timers[0][2]._cancelled:
                heappop(timers)
            if not timers:
                raise DeadlockError
            self.seconds = max(self.seconds, timers[0][0])
        now = self.seconds
        while timers and timers[0][0] <= now:
            soon.append(heappop(timers)[2])
        for _ in range(len(soon)):
            handle = soon.popleft()
            if not handle._cancelled:
                handle._run()
