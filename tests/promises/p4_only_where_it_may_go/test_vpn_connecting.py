"""The VPN falls while an add waits for its connection: after the check, before the bytes."""

import socket

import aiohttp
from aiohttp.abc import ResolveResult
import pytest

from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import link
from tests.support.core import Http, Names, Time, TimedServer, failure


class SlowNames(Names):
    """A resolver that takes its time, in which the VPN falls."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.slow = False
        self.vpn_is_up = True

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self.slow:
            self.time.seconds += 20
            self.vpn_is_up = False
        return await super().resolve(host, port, family)

    async def ping(self, target: str) -> Echoes:
        return Echoes(3, (10.0,) if self.vpn_is_up else ())


@pytest.mark.parametrize("falls", [False, True])
async def test_vpn_falls_while_connecting(newest: TimedServer, time: Time, falls: bool) -> None:
    """What counts is the moment before the first byte of an add, not that before connecting."""
    names = SlowNames(time)
    monitor = VpnMonitor(["far"], names.ping, clock=time.clock)
    connector = aiohttp.TCPConnector(resolver=names, force_close=True, use_dns_cache=False)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        url = newest.url.replace("127.0.0.1", "localhost")
        settings = Http(session, time).settings(newest, url=url)
        client = Client(Connection(session, settings, time.clock, gate=monitor.gate))
        assert (await monitor.round()).state is VpnState.ON
        await client.open()
        names.slow = falls
        adding = client.add([link(1)], AddOptions())
        if falls:
            assert await failure(adding) == ("vpn_down", False)
        else:
            await adding
        assert bool(newest.adds) is not falls
        assert bool(newest.requests_to("torrents/add")) is not falls
