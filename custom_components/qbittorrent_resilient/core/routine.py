"""Work that is done in the background whenever there is reason to, and every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import logging

from .errors import StorageError

_LOGGER = logging.getLogger(__name__)


class Routine:
    """Does some work again and again, whatever becomes of it, until it is stopped."""

    def __init__(self, work: Callable[[], Awaitable[None]], what: str) -> None:
        """Do `work`; `what` says what it is, in the log."""
        self._work = work
        self._what = what
        self._woken = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        """Do the work at once, or once more after what is being done."""
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing more; `run` returns soon."""
        self._stopped = True
        self.wake()

    async def run(self, seconds: Callable[[], float]) -> None:
        """Do the work whenever woken, and at least every so many seconds as are said then."""
        while not self._stopped:
            self._woken.clear()
            try:
                await self._work()
            except StorageError:
                pass  # the outbox has said so
            except Exception:  # one that died would leave what waits to itself
                _LOGGER.exception("%s broke off; the next one goes on", self._what)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds()):
                    await self._woken.wait()
