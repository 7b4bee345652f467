"""A server whose stored settings are damaged: the others work, and a repair says what to do."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.diagnostics import async_get_config_entry_diagnostics
from tests.support.actions import add, again, fall_silent, look_away, work
from tests.support.common import FakeClock, Start, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import shown
from tests.support.states import state_of

MISSING = "missing"
DAMAGED: list[dict[str, Any]] = [
    {"url": MISSING},
    {"url": ""},
    {"url": "http://["},
    {"url": "ftp://x.example"},
    {"url": None},
    {"url": ["http://x.example"]},
    {"username": 5},
    {"username": "\ud800"},
    {"password": {"a": 1}},
    {"api_key": ["k"]},
    {"requires_vpn": "maybe"},
    {"requires_vpn": None},
    {"priority": "first"},
    {"priority": None},
    {"priority": [1]},
    {"priority": float("inf")},
    {"proxy": "x"},
    {"proxy": ["x"]},
    {"proxy": {"proxy_username": 5}},
    {"proxy": {"proxy_username": "a:b"}},
    {"proxy": {"proxy_password": "\ud800"}},
    {"proxy": {"headers": "X: y"}},
    {"proxy": {"headers": [5]}},
    {"proxy": {"headers": ["no colon"]}},
    {"defaults": "linux"},
    {"defaults": ["linux"]},
    {"defaults": {"category": 7}},
    {"defaults": {"save_path": ["a"]}},
    {"defaults": {"tags": 3}},
    {"defaults": {"tags": [1, None]}},
    {"defaults": {"stopped": "perhaps"}},
    {"defaults": {"stopped": None}},
    {"defaults": {"stopped": 1}},
    {"defaults": {"stopped": ["stop"]}},
]


def damaged(key: str, server: FakeQBittorrent, change: dict[str, Any], **fields: Any) -> Any:
    """Return the subentry of a server with a damage."""
    given = instance(key, server, **fields)
    data = {**given["data"], **change}
    return {**given, "data": {name: value for name, value in data.items() if value is not MISSING}}


def told(hass: HomeAssistant) -> dict[str, Any]:
    """Return the servers that a repair calls damaged, by their keys."""
    return {
        one.issue_id.removeprefix("instance_damaged_"): one.translation_placeholders
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN and one.issue_id.startswith("instance_damaged")
    }


async def repaired(
    hass: HomeAssistant, entry: MockConfigEntry, key: str, server: FakeQBittorrent
) -> None:
    """Open a server's form, correct it, and send it."""
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": "reconfigure", "subentry_id": key}
    )
    assert (flow["type"], flow["errors"]) == (FlowResultType.FORM, {})
    good = {
        "name": key.capitalize(),
        "url": server.url,
        "username": server.settings.username,
        "password": server.settings.password,
        "api_key": "",
        "requires_vpn": False,
        "priority": 1,
        "defaults": {},
    }
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], good)
    assert (flow["type"], flow.get("reason")) == (FlowResultType.ABORT, "reconfigure_successful")
    await settled(hass)


@pytest.mark.parametrize("change", DAMAGED, ids=ascii)
async def test_the_others_work_and_it_can_be_corrected(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    change: dict[str, Any],
) -> None:
    entry = await start(
        damaged("first", primary, change), instance("second", secondary, priority=2)
    )
    assert entry.state is ConfigEntryState.LOADED
    assert told(hass) == {"first": {"name": "First"}}
    answer = await add(hass, link(1))
    assert [one["instance"] for one in answer["added"]] == ["Second"]
    assert answer["health"]["instances"] == {"Second": "ok"}
    assert await async_get_config_entry_diagnostics(hass, entry)
    assert not primary.requests
    await repaired(hass, entry, "first", primary)
    assert told(hass) == {}
    assert state_of(hass, "sensor.first_status") == "ok"
    answer = await add(hass, link(2))
    assert [one["instance"] for one in answer["added"]] == ["First"]


async def test_a_sibling_can_be_added_and_changed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """The forms of the others look at all that are set up."""
    entry = await start(
        *(
            damaged(f"bad{place}", primary, change)
            for place, change in enumerate([*DAMAGED, {"name": 7}])
        ),
        instance("second", secondary),
    )
    assert len(told(hass)) == len(DAMAGED)
    await repaired(hass, entry, "second", secondary)
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": "user"}
    )
    assert (flow["type"], flow["errors"]) == (FlowResultType.FORM, {})
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": entry.entry_id}
    )
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {"vpn_targets": []})
    assert flow["type"] is FlowResultType.FORM  # {"requires_vpn": "maybe"} might mean yes
    assert flow["errors"] == {"vpn_targets": "vpn_required"}


async def test_deleted(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(
        damaged("first", primary, {"url": MISSING}), instance("second", secondary, priority=2)
    )
    assert told(hass).keys() == {"first"}
    assert hass.config_entries.async_remove_subentry(entry, "first")
    await settled(hass)
    assert told(hass) == {}


async def test_the_only_one(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    """Magnets wait until it is corrected."""
    entry = await start(damaged("first", primary, {"url": "http://["}))
    answer = await add(hass, link(1))
    assert [one["reason"] for one in answer["queued"]] == ["no_instance"]
    await again(hass, entry)
    await repaired(hass, entry, "first", primary)
    await work(entry)
    assert primary.hashes == {info_hash(1)}


def stages(entry: MockConfigEntry) -> dict[str, str | None]:
    """Return the stage of each magnet on the books."""
    dispatcher = entry.runtime_data.dispatcher
    return {job.info_hash: stage.value for stage in Stage for job in dispatcher.jobs(stage)}


async def test_what_it_may_have_stays_on_the_books(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    """What it was given is looked after again later; what it may have is not given away at once."""
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    await add(hass, link(1))
    fall_silent(primary)
    answer = await add(hass, link(2))
    assert [one["reason"] for one in answer["queued"]] == ["uncertain"]
    before = stages(entry)
    assert before == {info_hash(1): "settling", info_hash(2): "queued"}
    good = dict(entry.subentries["first"].data)
    subentry = entry.subentries["first"]
    hass.config_entries.async_update_subentry(entry, subentry, data={**good, "url": 7})
    await settled(hass)
    assert told(hass).keys() == {"first"}
    await work(entry)
    assert stages(entry) == before
    assert not secondary.adds
    clock.tick(1000)
    await work(entry)
    assert secondary.hashes == {info_hash(2)}
    assert stages(entry)[info_hash(1)] == "settling"
    look_away(primary)
    primary.faults.clear()
    await repaired(hass, entry, "first", primary)
    await work(entry)
    assert primary.hashes >= {info_hash(1)}


@pytest.mark.parametrize(("stored", "used"), [(0, 1), (-5, 1), (10**18, 1_000_000), (True, 1)])
async def test_priority_out_of_its_range(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, stored: int, used: int
) -> None:
    """The nearest in range counts, and stands in the form."""
    entry = await start(damaged("first", primary, {"priority": stored}))
    assert entry.runtime_data.instances["first"].monitor.settings.priority == used
    flow: Any = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": "reconfigure", "subentry_id": "first"}
    )
    assert shown(flow)["priority"] == used


@pytest.mark.parametrize("stored", [None, 0, "", []])
async def test_a_certificate_is_verified_unless_that_is_off(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, stored: Any
) -> None:
    entry = await start(damaged("first", primary, {"verify_ssl": stored}))
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["instances"]["instance_1"]["verify_ssl"] is True
    flow: Any = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": "reconfigure", "subentry_id": "first"}
    )
    assert shown(flow)["verify_ssl"] is True
