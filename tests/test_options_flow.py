"""Changing what the entry watches, and the pace and patience of the checks."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.common import TARGET, FakeClock, FakeVpn, Start, instance, link, poll, settled
from tests.fake.server import FakeQBittorrent
from tests.flow import Result, shown

DEFAULTS = {
    "scan_interval": 30,
    "failures_before_down": 3,
    "successes_before_up": 2,
    "queue_expiry": 21,
}
RANGES = {
    "scan_interval": (10, 3600),
    "failures_before_down": (1, 10),
    "successes_before_up": (1, 10),
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
    assert entry.data == {"vpn_targets": [TARGET]}
    assert hass.states.is_state(VPN, "on")
    form = await entry.start_reconfigure_flow(hass)
    assert shown(form) == {"vpn_targets": [TARGET]}
    await reconfigure(hass, entry, form)
    assert entry.data == {"vpn_targets": []}
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
    assert shown(result) == {"vpn_targets": ["not a host"]}
    vpn.permitted = False
    result = await reconfigure(hass, entry, result, "vpn.example")
    assert result["errors"] == {"base": "icmp_not_permitted"}
    assert entry.data == {"vpn_targets": [TARGET]}
    vpn.permitted = True
    result = await reconfigure(hass, entry, result, "vpn.example")
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {"vpn_targets": ["vpn.example"]}
