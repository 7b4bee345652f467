"""What the logbook makes of our entities, with a real recorder behind it."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from tests.support.actions import add
from tests.support.common import TARGET, FakeVpn, Start, instance, link, poll
from tests.support.fake.server import FakeQBittorrent


@pytest.fixture(autouse=True)
def _custom_integrations(recorder_mock: Any, enable_custom_integrations: None) -> None:
    """Start the recorder, which must be there before all else, and let integrations load."""


async def entries(recorder: Any, ws: Any, began: str) -> list[tuple[str, Any]]:
    """Return what the logbook tells of each entity: the type of an event, else the state."""
    await recorder.async_block_till_done()
    await ws.send_json_auto_id({"type": "logbook/get_events", "start_time": began})
    found = (await ws.receive_json())["result"]
    return [
        (one["entity_id"], one.get("attributes", {}).get("event_type", one["state"]))
        for one in found
        if "entity_id" in one
    ]


async def test_states_and_events_are_told_and_counts_are_not(
    recorder_mock: Any,
    hass: HomeAssistant,
    hass_ws_client: Any,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
) -> None:
    hass.config.components.add("frontend")  # which needs more than is installed here
    assert await async_setup_component(hass, "logbook", {})
    began = dt_util.utcnow().isoformat()
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    vpn.up = False
    for _ in range(3):
        await poll(hass)
    await add(hass, link(1))
    found = await entries(recorder_mock, await hass_ws_client(hass), began)
    assert ("binary_sensor.qbittorrent_resilient_vpn", "off") in found
    assert ("binary_sensor.first", "off") in found
    assert ("sensor.first_status", "vpn_down") in found
    assert ("event.qbittorrent_resilient_magnets", "queued") in found
    assert not [one for one, _ in found if "_magnets" in one and one.startswith("sensor.")]
