"""How long the event loop is held, and where: a tick that is late, and a look at who is at it."""

import asyncio
from collections import Counter
import gc
from pathlib import Path
import sys
import threading
import time
from types import FrameType

TICK_SECONDS = 0.001
_LOOK_SECONDS = 0.004
_LATE_SECONDS = 0.015
"""Later than this, the stack of the main thread is looked at."""
_OURS = "custom_components"


class LoopWatch:
    """Watches the running loop.

    `held` counts the main thread's own work, as the machine is shared; `collected` is the longest
    garbage collection, which is not part of it: it looks through all that Home Assistant has.
    """

    def __init__(self, tick_seconds: float = TICK_SECONDS, *, look: bool = True) -> None:
        """Watch nothing yet; to `look` at the stack takes a thread, which costs something."""
        self._tick_seconds = tick_seconds
        self.late = self.held = self.collected = 0.0
        self.over = 0
        self._collecting = self._garbage = 0.0
        self.spots: Counter[str] = Counter()
        self._beat = time.monotonic()
        self._main = threading.get_ident()
        self._ended = threading.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._looking = threading.Thread(target=self._look, daemon=True) if look else None

    def start(self) -> None:
        """Begin."""
        gc.callbacks.append(self._collect)
        self._ticking = asyncio.create_task(self._tick())
        if self._looking is not None:
            self._looking.start()

    def stop(self) -> None:
        """End."""
        gc.callbacks.remove(self._collect)
        self._ended.set()
        if self._ticking is not None:
            self._ticking.cancel()

    def reset(self) -> None:
        """Forget what was seen."""
        self.late = self.held = self.collected = 0.0
        self.over = 0
        self.spots.clear()

    async def _tick(self) -> None:
        while True:
            begun, worked = time.monotonic(), time.thread_time() - self._garbage
            self._beat = begun
            await asyncio.sleep(self._tick_seconds)
            self.late = max(self.late, time.monotonic() - begun - self._tick_seconds)
            held = time.thread_time() - self._garbage - worked
            self.held = max(self.held, held)
            self.over += held > 0.05

    def _collect(self, phase: str, _info: dict[str, int]) -> None:
        if threading.get_ident() != self._main:
            return
        if phase == "start":
            self._collecting = time.thread_time()
            return
        spent = time.thread_time() - self._collecting
        self.collected = max(self.collected, spent)
        self._garbage += spent

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            if time.monotonic() - self._beat > _LATE_SECONDS and (
                frame := sys._current_frames().get(self._main)
            ):
                self.spots[_spot(frame)] += 1


def _spot(frame: FrameType) -> str:
    """Return where the main thread is: the innermost of our lines, else of any."""
    names = []
    ours: list[str] = []
    at: FrameType | None = frame
    while at is not None:
        path = at.f_code.co_filename
        name = f"{Path(path).name}:{at.f_lineno} {at.f_code.co_qualname}"
        names.append(name)
        if _OURS in path:
            ours.append(name)
        at = at.f_back
    if not ours:
        return f"({names[0]})"
    deepest = "" if names[0] == ours[0] else f" ({names[0]})"
    return " < ".join(ours[:2]) + deepest
