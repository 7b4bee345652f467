"""How real servers say that they are bound, and that what they are bound to is missing."""

import asyncio

import aiohttp
import pytest

from custom_components.qbittorrent_resilient.core.health.home import HomeAddresses
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.route import RouteMonitor
from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.qbittorrent import Binding, Client, Connection
from tests.live.common import configure
from tests.live.conftest import StartServer
from tests.support.harness.qbittorrent import VERSIONS

LOG_SECONDS = 5.0
"""How long a server may take to say that it cannot listen."""


@pytest.mark.parametrize("suite", VERSIONS, ids=VERSIONS.values())
async def test_bound_and_bound_anew(start_server: StartServer, suite: str) -> None:
    """The settings are read at the first look, and where the log says that something is wrong."""
    server = start_server(suite)
    settings = InstanceSettings(
        key="key", name="Name", url=server.url, username=server.username, password=server.password
    )
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        client = Client(Connection(http, settings))
        route = RouteMonitor(HomeAddresses())
        monitor = InstanceMonitor(settings, client, route=route)
        first = await _bound_to(monitor, "lo")
        assert first.is_bound
        assert not first.lacks_its_interface
        assert "lo" in {one.value for one in first.interfaces}
        vitals = await client.vitals()
        while vitals.listening < 0:  # it listens a moment after it answers
            await asyncio.sleep(0.1)
            vitals = await client.vitals()
        assert vitals.log_began is not None
        assert 0 <= vitals.log_began[0] < 50
        assert vitals.addresses == ()
        assert vitals.last_v4 is vitals.last_v6 is None
        configure(server, current_network_interface="", current_interface_address="127.0.0.1")
        monitor.ask_for_binding()  # behind the dead proxy of the sealed profile no log tells
        assert (await _bound_to(monitor, "")).interface_address == "127.0.0.1"
        configure(server, current_network_interface="tun7", current_interface_address="")
        missing = await _bound_to(monitor, "tun7")
        assert missing.lacks_its_interface
        assert monitor._network.is_cut_off


async def _bound_to(monitor: InstanceMonitor, interface: str) -> Binding:
    """Check until the settings are read again, as the log is what gives cause for that."""
    assert monitor.route is not None
    for _ in range(int(LOG_SECONDS * 10)):
        await monitor.check()
        if (bound := monitor.route.binding) and bound.network_interface == interface:
            return bound
        await asyncio.sleep(0.1)
    raise AssertionError(f"not seen: {interface}")
