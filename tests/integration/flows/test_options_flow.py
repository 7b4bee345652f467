"""Changing what the entry watches, and the pace and patience of the checks."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.util.location import LocationInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.core.health.home import HomeAddresses
from tests.support.common import TARGET, FakeClock, FakeVpn, Start, instance, link, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import Result, shown
from tests.support.routes import HOME

DEFAULTS = {
    "scan_interval": 30,
    "failures_before_down": 3,
    "successes_before_up": 2,
    "ask_home_address": False,
    "fetch_links": False,
    "fetch_proxy": "",
    "remember_days": 0,
    "queue_expiry": 21,
}
RANGES = {
    "scan_interval": (10, 3600),
    "failures_before_down": (1, 10),
    "successes_before_up": (1, 10),
    "remember_days": (0, 365),
    "queue_expiry": (1, 365),
}
VPN = "binary_sensor.qbittorrent_resilient_vpn"


async def change(hass: HomeAssistant, entry: MockConfigEntry, **options: float) -> Result:
    """Change options as a user would, and let the reload come to rest."""
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "init")
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], shown(form) | options
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await settled(hass)
    assert entry.state is ConfigEntryState.LOADED
    return result


async def test_defaults(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    entry = await start(instance("first", primary))
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    assert shown(form) == DEFAULTS
    await change(hass, entry)
    assert entry.options == DEFAULTS
    await change(hass, entry, queue_expiry=7.0)
    assert repr(entry.options["queue_expiry"]) == "7"
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert shown(form) == DEFAULTS | {"queue_expiry": 7}


async def test_what_is_left_out_stays_as_it_is(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary), options={"scan_interval": 60})
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(form["flow_id"], {"queue_expiry": 7})
    assert entry.options == DEFAULTS | {"scan_interval": 60, "queue_expiry": 7}
    await settled(hass)


async def found(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return what the form says of the home's address."""
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    text: str = form["description_placeholders"]["found"]
    return text


async def test_the_home_address_that_is_known_is_shown(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain="qbittorrent_resilient")
    entry.add_to_hass(hass)
    assert await found(hass, entry) == "No address is known now."
    home = HomeAddresses()
    entry.runtime_data = SimpleNamespace(home=home)
    assert await found(hass, entry) == "No address is known now."
    home.tell("sensor.router", ["2001:db8:1:2:3::4", "203.0.113.5", "192.168.1.1", "unknown"])
    assert await found(hass, entry) == "Known now: 203.0.113.5, 2001:db8:1:2::/64."


async def test_asking_for_the_home_address(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    here = LocationInfo(HOME, "XX", "XXX", "", "", "", "", "UTC", 0.0, 0.0, use_metric=True)
    ask = "custom_components.qbittorrent_resilient.home_address.async_detect_location_info"
    with patch(ask, AsyncMock(return_value=here)):
        await change(hass, entry, ask_home_address=True)
    assert entry.options == DEFAULTS | {"ask_home_address": True}
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    assert shown(form)["ask_home_address"] is True
    assert HOME in form["description_placeholders"]["found"]


@pytest.mark.parametrize("option", RANGES)
async def test_ranges(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, option: str
) -> None:
    entry = await start(instance("first", primary))
    least, most = RANGES[option]
    for value in (least, most):
        await change(hass, entry, **{option: value})
        assert entry.options[option] == value
    for value in (least - 1, most + 1, -1):
        form: Any = await hass.config_entries.options.async_init(entry.entry_id)
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(
                form["flow_id"], DEFAULTS | {option: value}
            )
    assert entry.options[option] == most


async def test_scan_interval_takes_effect(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    primary.record.clear()
    await poll(hass, 12)
    assert not primary.requests
    await change(hass, entry, scan_interval=10)
    primary.record.clear()
    await poll(hass, 12)
    assert len(primary.requests_to("transfer/info")) == 1
    await change(hass, entry, scan_interval=3600)
    primary.record.clear()
    await poll(hass, 3500)
    assert not primary.requests
    await poll(hass, 3602)
    assert len(primary.requests_to("transfer/info")) == 1


async def test_failures_and_successes_take_effect(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    entry = await start(instance("first", primary), targets=(TARGET,))
    await change(hass, entry, failures_before_down=1, successes_before_up=1)
    assert hass.states.is_state(VPN, "on")
    vpn.up = False
    await poll(hass)
    assert hass.states.is_state(VPN, "off")
    vpn.up = True
    await poll(hass)
    assert hass.states.is_state(VPN, "on")


async def test_proxy_for_web_links(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """It is `http://host:port`; left out, it is none, so that it can be cleared."""
    entry = await start(instance("first", primary))
    for wrong in ("socks5://p:1", "http://", "http://u:p@p:1", "http://p:1/x", "p"):
        form: Any = await hass.config_entries.options.async_init(entry.entry_id)
        form = await hass.config_entries.options.async_configure(
            form["flow_id"], {"fetch_links": True, "fetch_proxy": wrong}
        )
        assert form["errors"] == {"fetch_proxy": "invalid_fetch_proxy"}
        hass.config_entries.options.async_abort(form["flow_id"])
    await change(hass, entry, fetch_links=True, fetch_proxy="http://P.example:8888/")
    assert entry.options["fetch_links"] is True
    assert entry.options["fetch_proxy"] == "http://p.example:8888"
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(form["flow_id"], {"fetch_links": True})
    assert entry.options["fetch_proxy"] == ""
    await settled(hass)


async def test_queue_expiry_takes_effect(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await primary.refuse()
    entry = await start(instance("first", primary))
    await hass.services.async_call(
        "qbittorrent_resilient", "add_magnets", {"magnets": link(1)}, blocking=True
    )
    clock.tick(2 * 86_400)
    await poll(hass)
    assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "1")
    await change(hass, entry, queue_expiry=1)
    await poll(hass)
    assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")
    assert hass.states.is_state("sensor.qbittorrent_resilient_failed_magnets", "1")


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, result: Result | None = None, *targets: str
) -> Result:
    """Submit VPN targets, in a new flow if there is none yet."""
    if result is None:
        result = await entry.start_reconfigure_flow(hass)
        assert result["step_id"] == "reconfigure"
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"vpn_targets": list(targets)}
    )
    await settled(hass)
    return result


async def test_targets_are_added_and_removed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    entry = await start(instance("first", primary))
    assert hass.states.get(VPN) is None
    result = await reconfigure(hass, entry, None, f" {TARGET} ", TARGET)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {"vpn_targets": [TARGET], "home_address": []}
    assert hass.states.is_state(VPN, "on")
    form = await entry.start_reconfigure_flow(hass)
    assert shown(form) == {"vpn_targets": [TARGET], "home_address": []}
    await reconfigure(hass, entry, form)
    assert entry.data == {"vpn_targets": [], "home_address": []}
    assert entry.state is ConfigEntryState.LOADED
    rounds = vpn.rounds
    await poll(hass)
    assert vpn.rounds == rounds


async def test_the_last_target_stays_while_an_instance_requires_the_vpn(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    result = await reconfigure(hass, entry)
    assert result["errors"] == {"vpn_targets": "vpn_required"}
    result = await reconfigure(hass, entry, result, "not a host")
    assert result["errors"] == {"vpn_targets": "invalid_target"}
    assert shown(result)["vpn_targets"] == ["not a host"]
    vpn.permitted = False
    result = await reconfigure(hass, entry, result, "vpn.example")
    assert result["errors"] == {"base": "icmp_not_permitted"}
    assert entry.data == {"vpn_targets": [TARGET], "home_address": []}
    vpn.permitted = True
    result = await reconfigure(hass, entry, result, "vpn.example")
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["vpn_targets"] == ["vpn.example"]
