"""The names of servers, and the way that a process of Home Assistant takes to their addresses."""

import asyncio
from collections.abc import Sequence
import socket
from typing import TYPE_CHECKING, Any, cast, override
from urllib.parse import SplitResult

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from custom_components.qbittorrent_resilient.core.qbittorrent.resolver import FollowingResolver
from tests.promises.crashing.stepping import Life
from tests.promises.crashing.world import Machine, Network

if TYPE_CHECKING:
    from .world import World

TTL_SECONDS = 600.0
"""How long Home Assistant's own resolver keeps an address: the usual life of a record."""
_ANSWER_SECONDS = 0.002
_FAMILY = socket.AF_INET


class System(AbstractResolver):
    """Knows of a record that was changed at once."""

    def __init__(self, world: World) -> None:
        """Look names up in the world."""
        self._world = world

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = _FAMILY
    ) -> list[ResolveResult]:
        await asyncio.sleep(_ANSWER_SECONDS)
        return _result(host, self._world.names[host])

    @override
    async def close(self) -> None:
        """Leave nothing behind."""


class Roads(Network):
    """The HTTP session of a life, in a world in which servers move."""

    def __init__(self, world: World, life: Life) -> None:
        """Know no address yet."""
        super().__init__(cast("Any", world), life)
        self._addresses = world
        self._cache: dict[str, tuple[float, str]] = {}
        self._names = FollowingResolver(self._usual, System(world))

    @override
    async def connect(self, url: SplitResult) -> Machine:
        """As FollowingConnector does, beneath which there is no network here."""
        host = url.hostname or ""
        if host not in self._addresses.names:
            return self._server(host)
        try:
            return self._server(await self._look_up(host))
        except aiohttp.ClientConnectorError:
            if not await self._names.has_moved(host, _FAMILY):
                raise
        return self._server(await self._look_up(host))

    async def _look_up(self, host: str) -> str:
        return (await self._names.resolve(host, 0, _FAMILY))[0]["host"]

    def _server(self, address: str) -> Machine:
        for server in self._addresses.servers:
            if server.address == address and server.up:
                return server
        raise aiohttp.ClientConnectorError(cast("Any", None), OSError("refused"))

    async def _usual(self, host: str) -> Sequence[ResolveResult]:
        now = self._addresses.loop.time()
        until, address = self._cache.get(host, (now, ""))
        if until <= now:
            address = self._addresses.names[host]
            self._cache[host] = now + TTL_SECONDS, address
        return _result(host, address)


def _result(host: str, address: str) -> list[ResolveResult]:
    return [
        ResolveResult(hostname=host, host=address, port=0, family=_FAMILY, proto=0, flags=0),
    ]
