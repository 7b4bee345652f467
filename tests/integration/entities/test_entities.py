"""Which entities there are, what they are called, and what they do not tell."""

import json
from unittest.mock import patch

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.loader import async_get_loaded_integration
import pytest

from custom_components.qbittorrent_resilient import entity as entity_module
from tests.support.common import TARGET, FakeVpn, Start, info_hash, instance, link, poll
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("vpn")

HUB = "qbittorrent_resilient"
# unique id -> (entity id, translation key, device, friendly name, state)
ENTITIES = {
    "hub_vpn": (f"binary_sensor.{HUB}_vpn", "vpn", "hub", "qBittorrent Resilient VPN", "on"),
    "hub_queued_magnets": (
        f"sensor.{HUB}_queued_magnets",
        "queued_magnets",
        "hub",
        "qBittorrent Resilient Queued magnets",
        "0",
    ),
    "hub_failed_magnets": (
        f"sensor.{HUB}_failed_magnets",
        "failed_magnets",
        "hub",
        "qBittorrent Resilient Failed magnets",
        "0",
    ),
    "hub_delivered_magnets": (
        f"sensor.{HUB}_delivered_magnets",
        "delivered_magnets",
        "hub",
        "qBittorrent Resilient Delivered magnets",
        "0",
    ),
    "hub_last_delivery": (
        f"sensor.{HUB}_last_delivery",
        "last_delivery",
        "hub",
        "qBittorrent Resilient Last delivery",
        "unknown",
    ),
    "hub_magnets": (
        f"event.{HUB}_magnets",
        "magnets",
        "hub",
        "qBittorrent Resilient Magnets",
        "unknown",
    ),
    "hub_retry_queue": (
        f"button.{HUB}_retry_queue",
        "retry_queue",
        "hub",
        "qBittorrent Resilient Retry queue",
        "unknown",
    ),
    "hub_check_health": (
        f"button.{HUB}_check_health",
        "check_health",
        "hub",
        "qBittorrent Resilient Check health",
        "unknown",
    ),
    "hub_active_instance": (
        f"sensor.{HUB}_active_instance",
        "active_instance",
        "hub",
        "qBittorrent Resilient Active server",
        "First",
    ),
    "first_instance": ("binary_sensor.first", "instance", "first", "First", "on"),
    "first_status": ("sensor.first_status", "status", "first", "First Status", "ok"),
    "first_route": ("sensor.first_route", "route", "first", "First Route", "unproven"),
    "second_instance": ("binary_sensor.second", "instance", "second", "Second", "on"),
    "second_status": ("sensor.second_status", "status", "second", "Second Status", "ok"),
}


async def test_entities(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
) -> None:
    entry = await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    found = {}
    for one in entities:
        if one.disabled_by:
            continue
        state = hass.states.get(one.entity_id)
        assert state
        assert one.device_id
        device = device_registry.async_get(one.device_id)
        assert device
        ((domain, identifier),) = device.identifiers
        assert domain == HUB
        name = state.attributes["friendly_name"]
        found[one.unique_id] = (
            one.entity_id,
            one.translation_key,
            identifier,
            name,
            state.state,
        )
        assert one.config_subentry_id == (None if identifier == "hub" else identifier)
        assert one.entity_category == ("diagnostic" if one.translation_key == "route" else None)
    # More may come with later versions; these stay.
    assert found | ENTITIES == found


async def test_kinds(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start(instance("first", primary), targets=(TARGET,))
    for entity in (f"binary_sensor.{HUB}_vpn", "binary_sensor.first"):
        state = hass.states.get(entity)
        assert state
        assert state.attributes["device_class"] == BinarySensorDeviceClass.CONNECTIVITY
    kinds = {
        "queued_magnets": "measurement",
        "failed_magnets": "measurement",
        "delivered_magnets": "total_increasing",
    }
    for key, kind in kinds.items():
        state = hass.states.get(f"sensor.{HUB}_{key}")
        assert state
        assert state.attributes["state_class"] == kind
        assert state.attributes["unit_of_measurement"] == "magnets"
    last = hass.states.get(f"sensor.{HUB}_last_delivery")
    assert last
    assert last.attributes["device_class"] == "timestamp"
    status = hass.states.get("sensor.first_status")
    assert status
    assert status.attributes["device_class"] == "enum"
    assert status.attributes["options"] == [
        "ok",
        "vpn_down",
        "leaking",
        "unreachable",
        "timeout",
        "auth_failed",
        "banned",
        "host_rejected",
        "ssl_error",
        "disconnected",
        "not_saving",
        "error",
    ]


async def test_devices(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    device_registry: dr.DeviceRegistry,
) -> None:
    entry = await start(instance("first", primary))
    devices = {
        one.name: one for one in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    }
    assert set(devices) == {"qBittorrent Resilient", "First"}
    for one in devices.values():
        assert one.entry_type is dr.DeviceEntryType.SERVICE
    first = devices["First"]
    assert first.configuration_url == primary.url
    assert (first.manufacturer, first.model) == ("qBittorrent", "qBittorrent server")
    hub = devices["qBittorrent Resilient"]
    assert (hub.manufacturer, hub.model) == (
        "qBittorrent Resilient",
        "Magnet delivery with failover",
    )
    assert hub.sw_version == async_get_loaded_integration(hass, HUB).version


async def test_model_in_the_language_of_home_assistant(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    device_registry: dr.DeviceRegistry,
) -> None:
    with patch.object(
        entity_module, "async_selector_texts", lambda _hass, _table: {"hub": "Zustellung"}
    ):
        entry = await start(instance("first", primary))
    hub = device_registry.async_get_device_by_identifier((HUB, "hub"), entry.entry_id)
    assert hub
    assert hub.model == "Zustellung"


async def test_priority_and_need_of_the_vpn(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(
        instance("first", primary, requires_vpn=True, priority=2),
        instance("second", secondary, priority=3),
        targets=(TARGET,),
    )
    expected = {"first": (2, True), "second": (3, False)}
    for name, wanted in expected.items():
        state = hass.states.get(f"binary_sensor.{name}")
        assert state
        assert (state.attributes["priority"], state.attributes["requires_vpn"]) == wanted


async def test_active_instance_follows_the_line(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
) -> None:
    # The lower number is first in line, in whatever order they were set up.
    await start(
        instance("second", secondary, priority=2),
        instance("first", primary, priority=1, requires_vpn=True),
        targets=(TARGET,),
    )

    def active() -> str:
        state = hass.states.get(f"sensor.{HUB}_active_instance")
        assert state
        return state.state

    assert active() == "First"
    vpn.up = False
    for _ in range(3):
        await poll(hass)
    assert active() == "Second"
    await secondary.refuse()
    await poll(hass)
    assert active() == "unknown"
    vpn.up = True
    for _ in range(2):
        await poll(hass)
    assert active() == "First"
    await secondary.listen()
    await poll(hass)
    assert active() == "First"


async def test_counts(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    def counts() -> tuple[str, str]:
        states = [hass.states.get(f"sensor.{HUB}_{one}_magnets") for one in ("queued", "failed")]
        assert states[0]
        assert states[1]
        return states[0].state, states[1].state

    async def call(action: str, **data: object) -> None:
        await hass.services.async_call(HUB, action, data, blocking=True)

    await primary.refuse()
    await start(instance("first", primary))
    assert counts() == ("0", "0")
    await call("add_magnets", magnets=[link(number) for number in range(1, 6)])
    assert counts() == ("5", "0")
    await call("remove_magnets", info_hashes=[info_hash(1)])
    assert counts() == ("4", "0")
    await primary.listen()
    await poll(hass)
    assert counts() == ("0", "0")
    assert len(primary.hashes) == 4


async def test_no_magnet_in_any_state(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await primary.refuse()
    await start(instance("first", primary))
    tracker = "&tr=https%3A%2F%2Ftracker.example%2Fpasskey123"
    magnets = [link(255, name="Secret+title", extra=tracker), "bogus"]
    await hass.services.async_call(HUB, "add_magnets", {"magnets": magnets}, blocking=True)
    await poll(hass)
    assert hass.states.is_state(f"sensor.{HUB}_queued_magnets", "1")
    told = json.dumps(
        [one.as_dict() for one in hass.states.async_all() if one.domain != "event"], default=str
    )
    event = hass.states.get(f"event.{HUB}_magnets")
    assert event
    assert event.attributes["names"] == ["Secret title"]  # the one place, and not recorded
    for secret in ("magnet:", "Secret", info_hash(255), "tracker.example", "passkey123"):
        assert secret not in told
    ours = [one.getMessage() for one in caplog.records if f".{HUB}" in one.name]
    assert ours
    assert not [one for one in ours if "passkey123" in one or '"secret"' in one]
