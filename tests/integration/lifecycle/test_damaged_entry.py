"""What is stored of the entry itself is damaged: the rest works, and a repair says so."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.diagnostics import async_get_config_entry_diagnostics
from tests.support.actions import add, call, status_of
from tests.support.common import TARGET, FakeVpn, Start, instance, link, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import entered, shown

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")
NO_NUMBER: list[Any] = [None, "x", float("nan"), -1, 10**30, True]
DAMAGED: dict[str, list[Any]] = {
    "scan_interval": [*NO_NUMBER, 0, 1, 9, 9.9, 3601],
    "failures_before_down": [*NO_NUMBER, 0, 11],
    "successes_before_up": [*NO_NUMBER, 0, 11],
    "remember_days": [*NO_NUMBER, 366],
    "queue_expiry": [*NO_NUMBER, 0, 366],
    "fetch_links": [None, 5, "yes", []],
    "ask_home_address": [None, 5, "yes", []],
    "fetch_proxy": [None, 5, "ftp://x", [], "x" * 70_000],
}
DEFAULTS: dict[str, Any] = {
    "scan_interval": 30,
    "failures_before_down": 3,
    "successes_before_up": 2,
    "remember_days": 0,
    "queue_expiry": 21,
    "fetch_links": False,
    "ask_home_address": False,
    "fetch_proxy": "",
}
LABELS = {
    "scan_interval": "Time between checks",
    "failures_before_down": "Failures before the VPN is down",
    "successes_before_up": "Successes before the VPN is up again",
    "remember_days": "Remember deliveries",
    "queue_expiry": "Queue expiry",
    "fetch_links": "Fetch web links",
    "ask_home_address": "Ask for the home address",
    "fetch_proxy": "Proxy for web links",
}


def entry_of(*subentries: Any, **fields: Any) -> MockConfigEntry:
    data = {"vpn_targets": [], "home_address": []} | fields
    options = data.pop("options", {})
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id="hub",
        minor_version=2,
        data=data,
        options=options,
        subentries_data=list(subentries),
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass)
    assert entry.state is ConfigEntryState.LOADED
    await call(hass, "check_health")
    await async_get_config_entry_diagnostics(hass, entry)


def told(hass: HomeAssistant) -> str | None:
    """Return which settings a repair calls damaged, or None without one."""
    if (issue := ir.async_get(hass).async_get_issue(DOMAIN, "settings_damaged")) is None:
        return None
    assert issue.severity is ir.IssueSeverity.WARNING
    assert issue.translation_placeholders
    return issue.translation_placeholders["settings"]


@pytest.mark.parametrize("name", DAMAGED)
async def test_option(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its default counts, and the form can be opened and mended."""
    for number, value in enumerate(DAMAGED[name], 1):
        caplog.clear()
        entry = entry_of(instance("first", primary), options={name: value})
        await set_up(hass, entry)
        assert [one["instance"] for one in (await add(hass, link(number)))["added"]] == ["First"]
        assert caplog.text.count(f"What is stored cannot be read: {name}") == 1
        assert told(hass) == LABELS[name]
        found = await async_get_config_entry_diagnostics(hass, entry)
        assert (found["options"], found["damaged"]) == (DEFAULTS | {"fetch_proxy": False}, [name])
        form: Any = await hass.config_entries.options.async_init(entry.entry_id)
        assert shown(form) == DEFAULTS
        await hass.config_entries.options.async_configure(form["flow_id"], {})
        await settled(hass)
        assert entry.options == DEFAULTS
        assert told(hass) is None
        await hass.config_entries.async_remove(entry.entry_id)
    assert "Traceback" not in caplog.text


async def test_nothing_is_fetched_past_a_damaged_proxy(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    options = {"fetch_links": True, "fetch_proxy": 5}
    await set_up(hass, entry_of(instance("first", primary), options=options))
    response = await add(hass, link(1), "http://192.0.2.1/a.torrent")
    assert [one["reason"] for one in response["failed"]] == ["web_link"]


async def test_the_pace_in_place_of_a_damaged_one(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """One that is below its range would ask the servers all the time."""
    await set_up(hass, entry_of(instance("first", primary), options={"scan_interval": 1}))
    primary.record.clear()
    await poll(hass, 20)
    assert not primary.requests
    await poll(hass, 32)
    assert primary.requests_to("transfer/info")


async def test_a_damaged_secret_is_told_nowhere(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by the repair, nor the diagnostics, nor the log, nor the form."""
    options = {"fetch_proxy": {"to": "http://u:hidden@p.example"}, "scan_interval": "hidden"}
    entry = entry_of(
        instance("first", primary),
        options=options | {"fetch_links": ["hidden"]},
        vpn_targets={"hidden": 1},
        home_address={"hidden": 1},
    )
    await set_up(hass, entry)
    labels = ("VPN target", "Home address", "Proxy for web links", "Time between checks")
    assert told(hass) == ", ".join((*labels, "Fetch web links"))
    assert "hidden" not in str(await async_get_config_entry_diagnostics(hass, entry))
    assert "hidden" not in str(ir.async_get(hass).issues) + caplog.text
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    assert shown(form) == DEFAULTS


async def test_it_is_not_told_of_an_entry_that_is_gone(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await set_up(hass, entry_of(instance("first", primary), options={"scan_interval": 1}))
    assert told(hass)
    await hass.config_entries.async_remove("hub")
    assert told(hass) is None


READABLE = [
    (5, []),
    ([None], []),
    ({"a": 1}, []),
    (TARGET, [TARGET]),
    ([None, TARGET], [TARGET]),
    (["a b", 7], ["a b"]),
]


@pytest.mark.parametrize(("stored", "readable"), READABLE)
async def test_targets_are_mended_in_the_form(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, stored: Any, readable: list[str]
) -> None:
    """It opens with what can be read of them."""
    entry = entry_of(instance("first", primary), vpn_targets=stored, home_address=7)
    await set_up(hass, entry)
    form: Any = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": "hub"}
    )
    assert shown(form) == {"vpn_targets": readable, "home_address": []}
    assert told(hass) == ("Home address" if stored == TARGET else "VPN target, Home address")
    done = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"vpn_targets": [TARGET], "home_address": []}
    )
    assert done["reason"] == "reconfigure_successful"
    await settled(hass)
    assert entry.data == {"vpn_targets": [TARGET], "home_address": []}
    assert told(hass) is None


async def test_diagnostics_say_who_waits_for_a_damaged_target(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    unsaid = instance("unsaid", primary)
    unsaid["data"] = {key: value for key, value in unsaid["data"].items() if key != "requires_vpn"}
    entry = entry_of(unsaid, vpn_targets=[None])
    await set_up(hass, entry)
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["instances"]["instance_1"]["requires_vpn"] is True


@pytest.mark.parametrize("targets", [5, True, [None], [[]], {"a": 1}, "a\nb", ["a b", 7]])
async def test_targets(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, targets: Any
) -> None:
    """Whoever requires the VPN waits, said so or not; the others work."""
    said, other = instance("said", primary, requires_vpn=True), instance("other", primary)
    unsaid = instance("unsaid", primary)
    unsaid["data"] = {key: value for key, value in unsaid["data"].items() if key != "requires_vpn"}
    await set_up(hass, entry_of(said, unsaid, other, vpn_targets=targets))
    states = [status_of(hass, name) for name in ("said", "unsaid", "other")]
    assert states == ["vpn_down", "vpn_down", "ok"]


async def test_one_target_of_several(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    first = instance("first", primary, requires_vpn=True)
    await set_up(hass, entry_of(first, vpn_targets=[None, TARGET, "a b"]))
    assert status_of(hass, "first") == "ok"


@pytest.mark.parametrize("home", [5, True, [None], [[]], {"a": 1}, ["sensor.wan", None]])
async def test_home_address(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, home: Any
) -> None:
    hass.states.async_set("sensor.wan", "203.0.113.5")
    entry = entry_of(instance("first", primary), home_address=home)
    await set_up(hass, entry)
    assert status_of(hass, "first") == "ok"
    assert entry.runtime_data.home.knows(4) is (home == ["sensor.wan", None])


@pytest.mark.parametrize("title", [None, 5, True, [None], {}, {"a": 1}])
async def test_title_of_an_instance(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    title: Any,
) -> None:
    """It goes by its key."""
    first: Any = {**instance("first", primary), "title": title}
    await set_up(hass, entry_of(first, instance("second", secondary, priority=2)))
    assert [one["instance"] for one in (await add(hass, link(1)))["added"]] == ["first"]
    form: Any = await hass.config_entries.subentries.async_init(
        ("hub", "instance"), context={"source": "reconfigure", "subentry_id": "first"}
    )
    assert not shown(form).get("name")
    form = await hass.config_entries.subentries.async_init(
        ("hub", "instance"), context={"source": "user"}
    )
    again = await hass.config_entries.subentries.async_configure(
        form["flow_id"], entered(secondary, "Third")
    )
    assert again["errors"] == {"url": "already_configured"}
    assert await hass.config_entries.async_remove("hub")
