"""What is stored of the entry itself is damaged: the rest works, and it is said once in the log."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.diagnostics import async_get_config_entry_diagnostics
from tests.support.actions import add, call, status_of
from tests.support.common import TARGET, FakeVpn, Start, instance, link, settled
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")
NO_NUMBER: list[Any] = [None, "x", float("nan"), -1, 10**30]
DAMAGED: dict[str, list[Any]] = {
    "scan_interval": NO_NUMBER,
    "failures_before_down": NO_NUMBER,
    "successes_before_up": NO_NUMBER,
    "remember_days": NO_NUMBER,
    "queue_expiry": NO_NUMBER,
    "fetch_links": [None, 5, "yes", []],
    "ask_home_address": [None, 5, "yes", []],
    "fetch_proxy": [None, 5, "ftp://x", [], "x" * 70_000],
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
        form = await hass.config_entries.options.async_init(entry.entry_id)
        await hass.config_entries.options.async_configure(form["flow_id"], {})
        await settled(hass)
        assert entry.options[name] in (30, 3, 2, False, "", 0, 21)
        await hass.config_entries.async_remove(entry.entry_id)
    assert "Traceback" not in caplog.text


async def test_nothing_is_fetched_past_a_damaged_proxy(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    options = {"fetch_links": True, "fetch_proxy": 5}
    await set_up(hass, entry_of(instance("first", primary), options=options))
    response = await add(hass, link(1), "http://192.0.2.1/a.torrent")
    assert [one["reason"] for one in response["failed"]] == ["web_link"]


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
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, title: Any
) -> None:
    """It goes by its key."""
    first: Any = {**instance("first", primary), "title": title}
    await set_up(hass, entry_of(first, instance("second", primary, priority=2)))
    assert [one["instance"] for one in (await add(hass, link(1)))["added"]] == ["first"]
    assert await hass.config_entries.async_remove("hub")
