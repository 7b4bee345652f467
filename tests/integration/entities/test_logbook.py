"""What the logbook makes of our entities, with a real recorder behind it."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.events import EventType
from custom_components.qbittorrent_resilient.logbook import async_activity_text
from tests.support.actions import add, check
from tests.support.common import TARGET, FakeVpn, Start, eventually, instance, link, poll, settled
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
        if "state" in one
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


async def messages(recorder: Any, ws: Any, began: str, **wanted: Any) -> list[str]:
    """Return our own lines, as they are shown."""
    await recorder.async_block_till_done()
    await ws.send_json_auto_id({"type": "logbook/get_events", "start_time": began, **wanted})
    found = (await ws.receive_json())["result"]
    return [f"{one['name']} {one['message']}" for one in found if one.get("domain") == DOMAIN]


async def test_how_many_where_and_why(
    recorder_mock: Any,
    hass: HomeAssistant,
    hass_ws_client: Any,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    """A line for each event, on the page of the hub's entity as well; no name of a torrent."""
    hass.config.components.add("frontend")  # which needs more than is installed here
    assert await async_setup_component(hass, "logbook", {})
    began = dt_util.utcnow().isoformat()
    await start(instance("a_{b}", primary), instance("second", secondary, priority=2))
    await add(hass, link(1), link(2))
    await primary.refuse()
    await add(hass, link(3), max_retries=0)
    await secondary.refuse()
    await add(hass, link(4), max_retries=0)
    await add(hass, link(5), "bogus", max_retries=0)
    await primary.listen()
    await check(hass)
    await eventually(lambda: len(primary.hashes) == 4)
    await settled(hass)
    ws = await hass_ws_client(hass)
    expected = [
        "qBittorrent Resilient added 2 magnets to A_{b}",
        "qBittorrent Resilient added 1 magnet to Second, as the first server could not take it",
        "qBittorrent Resilient queued 1 magnet: Unreachable",
        "qBittorrent Resilient could not add 1 magnet: Not a valid magnet link",
        "qBittorrent Resilient queued 1 magnet: Unreachable",
        "qBittorrent Resilient delivered 2 magnets from the queue to A_{b}",
    ]
    assert await messages(recorder_mock, ws, began) == expected
    entity = [f"event.{DOMAIN}_magnets"]
    assert await messages(recorder_mock, ws, began, entity_ids=entity) == expected


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", EventType)
async def test_every_kind(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, kind: EventType, count: int
) -> None:
    """Each has a text, without a gap and with the right plural."""
    await start(instance("first", primary))
    data = {"type": kind.value, "count": count, "instance": "First", "reason": "vpn_down"}
    text = async_activity_text(hass, data)
    assert text != kind.value
    assert "{" not in text
    if kind is not EventType.LEAK:
        assert f"{count} magnet{'s' * (count > 1)} " in f"{text} ".replace(":", " ")
