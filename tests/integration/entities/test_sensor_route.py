"""The sensors of a route, which only an instance that requires the VPN has."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from tests.support.common import TARGET, Start, eventually, instance, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.leaks import leak, start_at_home
from tests.support.routes import HOME, TUNNEL
from tests.support.states import edges, state_of

ROUTE = "sensor.first_route"
ADDRESS = "sensor.first_external_address"

pytestmark = pytest.mark.usefixtures("vpn")


async def test_route(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    await start_at_home(hass, start, primary)
    assert state_of(hass, ROUTE) == "unproven"
    primary.network.bind("")
    await poll(hass)
    assert state_of(hass, ROUTE) == "exposed"
    assert state_of(hass, "sensor.first_status") == "ok"
    await leak(hass, primary)
    assert state_of(hass, ROUTE) == "leaking"
    state = hass.states.get(ROUTE)
    assert state
    assert state.attributes["evidence"] == "log_ipv4"
    assert state.attributes["options"] == ["vpn", "unproven", "exposed", "leaking"]
    await poll(hass)
    primary.network.bind("tun0")
    await poll(hass)
    assert state_of(hass, ROUTE) == "unproven"
    state = hass.states.get(ROUTE)
    assert state
    assert "evidence" not in state.attributes
    assert edges(caplog) == [
        "The VPN is up",
        "First is ok",
        "First leaks: its torrents leave by the home line",
        "First leaks no more",
        "First is ok",
    ]


async def test_address(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = await start_at_home(hass, start, primary)
    found = entity_registry.async_get(ADDRESS)
    assert found
    assert found.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert found.entity_category == "diagnostic"
    entity_registry.async_update_entity(ADDRESS, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    assert state_of(hass, ADDRESS) == "unknown"
    for address in (TUNNEL, HOME):
        primary.network.detect(address)
        await poll(hass)
        assert state_of(hass, ADDRESS) == address


async def test_only_where_the_vpn_is_required(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    assert entity_registry.async_get(ROUTE)
    subentry = entry.subentries["first"]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "requires_vpn": False}
    )
    await settled(hass)
    assert entity_registry.async_get(ROUTE) is None
    assert entity_registry.async_get(ADDRESS) is None
    assert state_of(hass, "sensor.first_status") == "ok"


async def test_leak_is_shown_before_the_check_is_over(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The settings that are read then may take long."""
    await start_at_home(hass, start, primary)
    primary.network.detect(HOME)
    fault = primary.faults.hang("app/preferences")
    (entry,) = hass.config_entries.async_entries("qbittorrent_resilient")
    refreshing = hass.async_create_task(entry.runtime_data.instances["first"].async_refresh())
    await eventually(lambda: fault.hits)
    assert state_of(hass, ROUTE) == "leaking"
    primary.faults.clear()
    await refreshing
    assert state_of(hass, "sensor.first_status") == "leaking"
