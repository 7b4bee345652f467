"""A home whose address is known, and a server behind a VPN that is seen with it."""

from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.support.common import TARGET, Start, instance, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.routes import HOME

ROUTER = "sensor.router_external_ip"
"""The entity that tells the home's address."""


async def start_at_home(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, *others: Any, **options: Any
) -> MockConfigEntry:
    """Start with a server that requires the VPN and is bound to it, and a router that tells."""
    if server.network.interface == "lo":
        server.network.bind("tun0")
    hass.states.async_set(ROUTER, HOME)
    first = instance("first", server, requires_vpn=True)
    entry: MockConfigEntry = await start(
        first, *others, targets=(TARGET,), home=(ROUTER,), options=options
    )
    return entry


async def leak(hass: HomeAssistant, server: FakeQBittorrent, address: str = HOME) -> None:
    """Let the server see the home's address while it is bound to nothing; one check passes."""
    server.network.bind("")
    server.network.detect(address)
    await poll(hass)
