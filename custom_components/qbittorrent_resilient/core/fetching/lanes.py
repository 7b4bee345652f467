"""A few fetches at a time, and fewer at one host, so that a slow one holds up no other."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

FETCHES_AT_ONCE = 8
FETCHES_AT_ONE_HOST = 2
BEGIN_AT_ONCE = 200
"""Fetches begun, in some 10 ms, before the event loop may do something else."""


class Lanes:
    """Whoever fetches takes a lane first."""

    def __init__(self) -> None:
        """Begin with all lanes free."""
        self._all = asyncio.Semaphore(FETCHES_AT_ONCE)
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def at(self, host: str) -> AsyncGenerator[None]:
        """Wait for a lane to this host, and hold it."""
        of_host = self._hosts.setdefault(host, asyncio.Semaphore(FETCHES_AT_ONE_HOST))
        self._users[host] = self._users.get(host, 0) + 1
        try:
            async with of_host, self._all:
                yield
        finally:
            self._users[host] -= 1
            if not self._users[host]:
                del self._users[host], self._hosts[host]


async def few_at_a_time[T](items: Iterable[T]) -> AsyncGenerator[T]:
    """Yield all items, and let the event loop run after every BEGIN_AT_ONCE of them."""
    for number, item in enumerate(items):
        if number and number % BEGIN_AT_ONCE == 0:
            await asyncio.sleep(0)
        yield item
