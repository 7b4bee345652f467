"""The diagnostics as they are downloaded: useful, the same shape always, and nothing private."""

from collections import Counter
import json
import re
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    _get_diagnostics_for_config_entry,
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from tests.support.actions import STORE, add
from tests.support.canaries import NAME, SECRET, secret_link, variants
from tests.support.common import TARGET, FakeClock, FakeVpn, Start, info_hash, instance, link, poll
from tests.support.fake.server import FakeQBittorrent

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")
OPTIONS = {
    "scan_interval": 30,
    "failures_before_down": 3,
    "successes_before_up": 2,
    "ask_home_address": False,
    "fetch_links": False,
    "fetch_proxy": False,
    "remember_days": 0,
    "queue_expiry": 21,
}
EMPTY = {stage.value: {"count": 0} for stage in Stage}


def timeless(value: Any) -> Any:
    """Return the data with each time replaced by a word."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items()}
    if isinstance(value, list):
        return [timeless(one) for one in value]
    return "TIME" if isinstance(value, str) and _TIME.fullmatch(value) else value


async def taken(hass: HomeAssistant, hass_client: Any, entry: MockConfigEntry) -> Any:
    """Return the diagnostics of the entry, without times."""
    return timeless(await get_diagnostics_for_config_entry(hass, hass_client, entry))


def device_of(hass: HomeAssistant, key: str) -> Any:
    """Return the device of the hub or of an instance."""
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, key), "hub")
    assert device
    return device


def seen(verdict: str | None, **more: Any) -> dict[str, Any]:
    return {"at": "TIME", "verdict": verdict, **more}


def history(*looks: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "changed": len(changes),
        "looked": len(looks),
        "last_changes": changes,
        "last_looks": list(looks),
    }


def stage(
    count: int, ages: tuple[int, int], reasons: list[str], *, attempts: int = 0
) -> dict[str, Any]:
    return {
        "count": count,
        "oldest": pytest.approx(ages[0], abs=15),
        "newest": pytest.approx(ages[1], abs=15),
        "reasons": dict(Counter(reasons)),
        "attempts": {"most": min(attempts, 1), "sum": attempts},
        "require_vpn": 0,
        "instances": 0,
        "sent_to": {},
        "suspects": 0,
        "unsaved": 0,
    }


GOOD_ROUND = seen("on", latency=12.5, loss=0.0)
SILENT_ROUND = seen("on", in_doubt=True, loss=100.0)
DOWN = seen("off", reason="silent", loss=100.0)


async def test_exact_shape(
    hass: HomeAssistant,
    hass_client: Any,
    start: Start,
    vpn: FakeVpn,
    clock: FakeClock,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    entry = await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2, verify_ssl=False),
        targets=(TARGET, "2001:db8::7", "far.example", "also.example"),
        options={"scan_interval": 20, "queue_expiry": 7},
    )
    secondary.torrents.never_listed = {info_hash(9)}
    vpn.up = False
    for _ in range(3):
        await poll(hass)
    await add(hass, link(9), link(1))
    await secondary.refuse()
    await poll(hass)
    await add(hass, link(2), require_vpn=True)
    clock.tick(100)
    await add(hass, link(3))
    clock.tick(20)
    found = await taken(hass, hass_client, entry)
    histories = [found["instances"][f"instance_{one}"].pop("history") for one in (1, 2)]
    assert [one["last_changes"] for one in histories] == [
        [seen("vpn_down"), seen("ok"), seen("vpn_down")],
        [seen("ok"), seen("unreachable", reason="connection refused")],
    ]
    vpn_history = found["vpn"].pop("history")
    assert vpn_history["last_changes"] == [GOOD_ROUND, DOWN]
    assert vpn_history["last_looks"][:4] == [GOOD_ROUND, SILENT_ROUND, SILENT_ROUND, DOWN]
    common = {
        "host": "ipv4",
        "has_path": False,
        "scheme": "http",
        "log_in": "password",
        "log_in_refused": False,
        "sessions_renewed": 0,
        "in_doubt": False,
        "is_active": False,
        "defaults": {"category": False, "save_path": False, "tags": 0, "stopped": "server"},
    }
    assert found == {
        "taken_at": "TIME",
        "state": "loaded",
        "why": None,
        "options": OPTIONS | {"scan_interval": 20, "queue_expiry": 7},
        "damaged": [],
        "vpn": {
            "targets": {"ipv4": 1, "ipv6": 1, "name": 2},
            "state": "off",
            "icmp_permitted": True,
            "in_doubt": False,
            "no_answer": {f"target_{place}": "silent" for place in range(1, 5)},
        },
        "instances": {
            "instance_1": common
            | {
                "status": "vpn_down",
                "reason": None,
                "version": "5.3.0",
                "verify_ssl": True,
                "requires_vpn": True,
                "priority": 1,
                "route": {
                    "state": "unproven",
                    "knows_an_address": False,
                    "home_is_the_exit": False,
                    "evidence": None,
                    "since": None,
                    "binding": {
                        "bound": True,
                        "lacks_its_interface": False,
                        "interfaces": 3,
                        "tunnel_and_other": True,
                        "port_mapping": False,
                        "proxy_hides_trackers_only": False,
                    },
                },
            },
            "instance_2": common
            | {
                "status": "unreachable",
                "reason": "connection refused",
                "version": "4.5.2",
                "verify_ssl": False,
                "requires_vpn": False,
                "priority": 2,
                "route": None,
            },
        },
        "web_links": {"queued": 0, "failed": 0},
        "magnets": EMPTY
        | {
            "queued": stage(2, (120, 20), ["vpn_down"] * 2, attempts=2) | {"require_vpn": 1},
            "failed": stage(1, (120, 120), ["rejected"], attempts=1),
            "settling": stage(1, (120, 120), []) | {"sent_to": {"instance_2": 1}},
        },
    }


async def test_device_of_an_instance_tells_of_no_other(
    hass: HomeAssistant,
    hass_client: Any,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    whole = await get_diagnostics_for_device(hass, hass_client, entry, device_of(hass, "hub"))
    part = await get_diagnostics_for_device(hass, hass_client, entry, device_of(hass, "second"))
    assert whole["instances"].keys() == {"instance_1", "instance_2"}
    assert part["instances"] == {"instance_2": whole["instances"]["instance_2"]}
    assert part["magnets"] == whole["magnets"] == EMPTY
    assert [whole["instances"][one]["is_active"] for one in ("instance_1", "instance_2")] == [
        True,
        False,
    ]
    assert whole["vpn"] == {"targets": {}}


async def test_before_the_first_verdict(
    hass: HomeAssistant,
    hass_client: Any,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    primary.faults.hang()
    vpn.permitted = False
    entry = await start(
        instance("first", primary),
        instance("second", primary, requires_vpn=True, url="http://localhost:1/x/"),
        targets=(TARGET,),
    )
    found = await taken(hass, hass_client, entry)
    assert found["instances"]["instance_1"]["status"] is None
    assert found["instances"]["instance_1"]["version"] is None
    assert found["instances"]["instance_1"]["history"] == history(changes=[])
    second = found["instances"]["instance_2"]
    assert (second["host"], second["has_path"]) == ("name", True)
    not_permitted = seen("unknown", reason="icmp_not_permitted")
    assert found["vpn"] == {
        "targets": {"ipv4": 1},
        "state": "unknown",
        "icmp_permitted": False,
        "in_doubt": False,
        "no_answer": {},
        "history": history(not_permitted, changes=[not_permitted]),
    }


async def test_everything_down_and_the_history_stays_short(
    hass: HomeAssistant,
    hass_client: Any,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
) -> None:
    entry = await start(instance("first", primary), targets=(TARGET,))
    vpn.up = False
    await primary.refuse()
    for _ in range(30):
        await poll(hass)
    found = await taken(hass, hass_client, entry)
    for one in (found["instances"]["instance_1"]["history"], found["vpn"]["history"]):
        assert one["changed"] == len(one["last_changes"]) == 2
        assert len(one["last_looks"]) == 20
        assert one["looked"] > 20
    assert found["instances"]["instance_1"]["status"] == "unreachable"
    assert found["vpn"]["state"] == "off"


@pytest.mark.parametrize("state", [ConfigEntryState.NOT_LOADED, ConfigEntryState.SETUP_RETRY])
async def test_what_does_not_run_tells_its_settings(
    hass: HomeAssistant,
    hass_client: Any,
    start: Start,
    primary: FakeQBittorrent,
    state: ConfigEntryState,
) -> None:
    entry = await start(instance("first", primary), instance("second", primary, priority=2))
    assert await hass.config_entries.async_unload(entry.entry_id)
    entry.mock_state(hass, state)
    found = await taken(hass, hass_client, entry)
    assert found.keys() == {"taken_at", "state", "why", "options", "damaged", "vpn", "instances"}
    assert found["state"] == state.value
    assert "status" not in found["instances"]["instance_2"]


async def test_address_that_cannot_be_read(
    hass: HomeAssistant, hass_client: Any, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    assert await hass.config_entries.async_unload(entry.entry_id)
    subentry = entry.subentries["first"]
    data = dict(subentry.data) | {"url": f"ftp://{SECRET}"}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    found = await taken(hass, hass_client, entry)
    assert found["instances"]["instance_1"] == {"scheme": None}


@pytest.mark.parametrize("kind", ["api_key", "password", "none"])
async def test_kind_of_log_in(
    hass: HomeAssistant, hass_client: Any, start: Start, primary: FakeQBittorrent, kind: str
) -> None:
    credentials: dict[str, Any] = {"api_key": f"qbt_{SECRET}" if kind == "api_key" else ""}
    if kind == "none":
        credentials |= {"username": "", "password": ""}
    entry = await start(instance("first", primary, **credentials))
    found = await taken(hass, hass_client, entry)
    assert found["instances"]["instance_1"]["log_in"] == kind


async def test_nothing_private(
    hass: HomeAssistant,
    hass_client: Any,
    hass_storage: dict[str, Any],
    start: Start,
    vpn: FakeVpn,
    names: None,
    socket_enabled: None,
) -> None:
    record = {
        "link": secret_link(5),
        "stage": "failed",
        "reason": SECRET,
        "queued_at": 253_402_300_799.0,
        "failed_at": 1.0,
        "sent_to": SECRET,
        "suspects": [SECRET],
        "category": SECRET,
    }
    hass_storage[STORE] = {
        "version": 1,
        "minor_version": 1,
        "key": STORE,
        "data": {"revision": 1, "magnets": {info_hash(5): record}},
    }
    async with FakeQBittorrent(username=f"user-{SECRET}", password=f"pw-{SECRET}") as server:
        defaults = {"category": SECRET, "save_path": f"/{SECRET}", "tags": [SECRET, NAME]}
        entry = await start(
            instance("first", server, defaults=defaults | {"stopped": "stop"})
            | {"title": SECRET, "unique_id": SECRET},
            instance("second", server, url=f"https://{SECRET}.example:1/{SECRET}", priority=2)
            | {"title": NAME},
            targets=(f"{SECRET}.example", "203.0.113.99", "2001:db8::99"),
        )
        options = {"category": SECRET, "save_path": f"/{SECRET}", "tags": [SECRET]}
        await add(hass, secret_link(1), **options)
        await server.refuse()
        await poll(hass)
        await add(hass, secret_link(2), **options)
        found = [
            await get_diagnostics_for_config_entry(hass, hass_client, entry),
            await get_diagnostics_for_device(hass, hass_client, entry, device_of(hass, "first")),
            await _get_diagnostics_for_config_entry(hass, hass_client, entry),  # the whole file
        ]
    assert found[0]["magnets"]["failed"]["reasons"] == {"other": 1}
    assert found[0]["magnets"]["failed"]["sent_to"] == {"gone": 1}
    assert found[0]["magnets"]["queued"]["count"] == 1
    assert found[0]["magnets"]["settling"]["count"] == 1
    assert found[0]["instances"]["instance_1"]["defaults"] == {
        "category": True,
        "save_path": True,
        "tags": 2,
        "stopped": "stop",
    }
    text = json.dumps(found, ensure_ascii=False).lower()
    private = [*variants(SECRET), *variants(NAME), "203.0.113", "2001:db8", "127.0.0.1"]
    private += [info_hash(one) for one in (1, 2, 5)] + [str(server.url.rpartition(":")[2])]
    private += [one.partition("=")[2] for one in cookies(server)]
    assert not [one for one in private if one in text]


def cookies(server: FakeQBittorrent) -> set[str]:
    """Return the cookies that the server was shown; there is at least one."""
    shown = {one.headers["Cookie"] for one in server.requests if "Cookie" in one.headers}
    assert shown
    return shown
