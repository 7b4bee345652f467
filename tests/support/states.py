"""What tests look for in the states of our entities, and in what is said of them."""

import re

from homeassistant.core import HomeAssistant
import pytest

from tests.support.common import FakeVpn, poll
from tests.support.fake.server import FakeQBittorrent

CHECK = ["transfer/info", "log/main"]
"""What a check asks of a server, in a session."""
VPN = "binary_sensor.qbittorrent_resilient_vpn"


def state_of(hass: HomeAssistant, entity: str) -> str:
    """Return the state of an entity, which has to be there."""
    state = hass.states.get(entity)
    assert state
    return state.state


def status(hass: HomeAssistant) -> str:
    """Return the status of the first instance; its binary sensor has to agree."""
    state, main = hass.states.get("sensor.first_status"), hass.states.get("binary_sensor.first")
    assert state
    assert main
    if state.state == "unknown":
        assert main.state == "unknown"
    else:
        assert main.state == ("on" if state.state == "ok" else "off")
    return state.state


def endpoints(server: FakeQBittorrent) -> list[str]:
    """Return what was asked of a server, in order."""
    return [request.endpoint for request in server.requests]


def edges(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what our coordinators said, reasons aside."""
    modules = ("coordinator", "vpn_coordinator")
    names = {f"custom_components.qbittorrent_resilient.{module}" for module in modules}
    said = [
        one.getMessage() for one in caplog.records if one.name in names and one.levelname != "DEBUG"
    ]
    return [re.sub(r" \(.+\)$", "", one) for one in said]


def vpn_state(hass: HomeAssistant) -> str:
    """Return the verdict on the VPN."""
    state = hass.states.get(VPN)
    assert state
    return state.state


async def take_down(hass: HomeAssistant, vpn: FakeVpn) -> None:
    """Take the VPN down, and let the three rounds pass that it takes."""
    vpn.up = False
    await poll(hass)
    await poll(hass, 3)
    assert vpn_state(hass) == "on"
    await poll(hass, 3)
    assert vpn_state(hass) == "off"


async def bring_up(hass: HomeAssistant, vpn: FakeVpn) -> None:
    """Take the VPN up, and let the two rounds pass that it takes."""
    vpn.up = True
    await poll(hass)
    await poll(hass, 3)
    assert vpn_state(hass) == "on"
