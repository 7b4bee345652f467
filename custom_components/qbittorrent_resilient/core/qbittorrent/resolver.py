"""Follows a server that moves: a name that leads nowhere any more is looked up anew.

The usual resolver keeps an address for as long as its DNS record says, often ten minutes. The new
address is there from the moment that the record is changed, for whoever asks the system.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import socket
import ssl
from typing import TYPE_CHECKING, override

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from .interim import end_floods

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

type LookUp = Callable[[str], Awaitable[Sequence[ResolveResult]]]

LOOK_UP_SECONDS = 5.0
"""How long the system may take; a DNS client repeats a lost question after 5 s."""
LOOK_UPS_AT_ONCE = 4
"""Each holds a thread for as long as the system takes, which a dead DNS server makes a minute."""


class FollowingResolver(AbstractResolver):
    """Looks names up by the usual way, and anew by the system where that leads nowhere.

    `usual` and `system` return addresses, or raise OSError. The port of their results is not used.
    """

    def __init__(self, usual: LookUp, system: AbstractResolver) -> None:
        """Know no name yet."""
        self._usual = usual
        self._system = system
        self._known: dict[str, frozenset[str]] = {}
        self._moved: set[str] = set()
        """FollowingResolver of which the usual way told an address that was over."""
        self._running: dict[str, asyncio.Task[list[ResolveResult]]] = {}
        self._few = asyncio.Semaphore(LOOK_UPS_AT_ONCE)

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name; raises OSError."""
        found: Sequence[ResolveResult] = ()
        if host in self._moved:
            try:
                found = await self._anew(host, family)
            except OSError:
                self._moved.discard(host)
        if not found:
            try:
                found = await self._usual(host)
            except OSError:
                found = await self._anew(host, family)
        self._known[host] = _addresses(found)
        return [ResolveResult({**one, "port": port}) for one in found]

    async def has_moved(self, host: str, family: socket.AddressFamily) -> bool:
        """Tell whether the system knows other addresses than those that were told last."""
        if host not in self._known:
            return False
        try:
            found = _addresses(await self._anew(host, family))
        except OSError:
            return False
        if not found or found == self._known[host]:
            return False
        self._moved.add(host)
        return True

    async def _anew(self, host: str, family: socket.AddressFamily) -> list[ResolveResult]:
        """Ask the system, or wait for its answer to whoever has asked; raises OSError."""
        if (running := self._running.get(host)) is None:
            running = asyncio.create_task(self._ask(host, family), name="name look-up")
            self._running[host] = running
            running.add_done_callback(lambda task: self._over(host, task))
        return await asyncio.wait_for(asyncio.shield(running), LOOK_UP_SECONDS)

    async def _ask(self, host: str, family: socket.AddressFamily) -> list[ResolveResult]:
        async with self._few:
            return await self._system.resolve(host, 0, family)

    def _over(self, host: str, task: asyncio.Task[list[ResolveResult]]) -> None:
        del self._running[host]
        if not task.cancelled():
            task.exception()  # nobody may be waiting for it any more

    @override
    async def close(self) -> None:
        """Wait for no look-up any more."""
        for task in [*self._running.values()]:
            task.cancel()
        await self._system.close()


class FollowingConnector(aiohttp.TCPConnector):
    """Connects to where a name leads now, if a connection to where it led before has failed."""

    def __init__(self, names: FollowingResolver, context: ssl.SSLContext) -> None:
        """Look names up in `names`, which the caller closes afterwards."""
        super().__init__(resolver=names, ssl=context)
        end_floods(self)
        self._names = names

    @property
    def names(self) -> FollowingResolver:
        """Return what looks names up."""
        return self._names

    @override
    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        """Return a connection; raises what aiohttp's does."""
        try:
            return await super().connect(req, traces, timeout)
        except aiohttp.ClientConnectorError, TimeoutError:
            host = req.url.raw_host or ""
            if not await self._names.has_moved(host, self._family):
                raise
            self.clear_dns_cache()
        return await super().connect(req, traces, timeout)


def _addresses(found: Sequence[ResolveResult]) -> frozenset[str]:
    return frozenset(one["host"] for one in found)
