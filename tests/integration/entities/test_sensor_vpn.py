"""The figures of the last round of pings, and the parts that go with the VPN."""

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.common import TARGET, FakeVpn, Start, instance, poll, settled
from tests.support.fake.server import FakeQBittorrent

LATENCY = f"sensor.{DOMAIN}_vpn_latency"
LOSS = f"sensor.{DOMAIN}_vpn_packet_loss"


def states(hass: HomeAssistant) -> list[str | None]:
    found = [hass.states.get(one) for one in (LATENCY, LOSS)]
    return [one and one.state for one in found]


async def test_figures(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = await start(instance("first", primary), targets=(TARGET,))
    assert states(hass) == [None, None]
    for one in (LATENCY, LOSS):
        found = entity_registry.async_get(one)
        assert found
        assert found.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert found.entity_category == "diagnostic"
        entity_registry.async_update_entity(one, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    assert states(hass) == ["12.5", "0.0"]
    state = hass.states.get(LATENCY)
    assert state
    assert state.attributes["unit_of_measurement"] == "ms"
    vpn.up = False
    await poll(hass)
    assert states(hass) == [STATE_UNKNOWN, "100.0"]


async def test_gone_with_the_last_target(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = await start(instance("first", primary), targets=(TARGET,))
    assert entity_registry.async_get(LATENCY)
    hass.config_entries.async_update_entry(entry, data={"vpn_targets": []})
    await settled(hass)
    for one in (LATENCY, LOSS, f"binary_sensor.{DOMAIN}_vpn"):
        assert entity_registry.async_get(one) is None


async def test_devices_say_what_answers_behind_whom(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    device_registry: dr.DeviceRegistry,
) -> None:
    """The version is shown as soon as it is known, and follows an upgrade."""
    await primary.refuse()
    entry = await start(instance("first", primary))
    hub, first = (
        device_registry.async_get_device_by_identifier((DOMAIN, one), entry.entry_id)
        for one in ("hub", "first")
    )
    assert hub
    assert first
    assert first.via_device_id == hub.id
    assert (first.model, first.sw_version) == ("qBittorrent server", None)
    await primary.listen()
    await poll(hass)
    first = device_registry.async_get(first.id)
    assert first
    assert first.sw_version == primary.dialect.version.removeprefix("v")
