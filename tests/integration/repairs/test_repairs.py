"""Troubles that the user can do something about: said while they last."""

from collections.abc import Collection
from copy import replace

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient import issue_watch
from tests.support.actions import add, call, status_of
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    info_hash,
    instance,
    link,
    pass_time,
    poll,
    settled,
)
from tests.support.fake.dialect import V4_5
from tests.support.fake.server import FakeQBittorrent

DOMAIN = "qbittorrent_resilient"


def issues(hass: HomeAssistant) -> dict[str, dict[str, str] | None]:
    """Return what is said, with what stands in the texts."""
    return {
        one.issue_id: one.translation_placeholders
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN and one.active
    }


async def test_all_is_well(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start(instance("first", primary))
    assert issues(hass) == {}
    await primary.refuse()
    await add(hass, link(1))
    await poll(hass)
    assert issues(hass) == {}  # what passes by itself is for the sensors to say


async def test_pings_are_not_permitted(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    vpn.permitted = False
    await start(instance("first", primary), targets=(TARGET,))
    assert issues(hass) == {"icmp_not_permitted": None}
    vpn.permitted = True
    await poll(hass)
    assert issues(hass) == {}
    vpn.permitted = False
    await poll(hass)
    assert issues(hass) == {"icmp_not_permitted": None}


async def _fail(
    hass: HomeAssistant, primary: FakeQBittorrent, others: Collection[str] = ()
) -> None:
    primary.torrents.never_listed = {info_hash(1), info_hash(2)}
    await call(hass, "add_magnets", magnets=[link(1), link(2), link(3)])
    assert issues(hass).keys() == {"failed_magnets", *others}
    assert issues(hass)["failed_magnets"] == {"count": "2"}


async def test_host_rejected(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    primary.faults.answer(401, "Unauthorized")
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    assert issues(hass) == {"host_rejected_first": {"name": "First"}}
    primary.faults.clear()
    await poll(hass)
    assert issues(hass) == {}
    primary.faults.answer(401, "Unauthorized")
    primary.expire_sessions()
    await poll(hass)
    assert issues(hass) == {"host_rejected_first": {"name": "First"}}
    hass.config_entries.async_remove_subentry(entry, "first")
    await settled(hass)
    assert issues(hass) == {}


async def test_banned_for_long(
    hass: HomeAssistant, start: Start, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    primary.ban()
    await start(instance("first", primary))
    await poll(hass)
    assert issues(hass) == {}
    pass_time(hass, issue_watch.BANNED_SECONDS + 60)
    await settled(hass)
    assert issues(hass) == {"banned_first": {"name": "First"}}
    primary.clear_bans()
    clock.tick(4000)
    await call(hass, "check_health")
    assert status_of(hass, "first") == "ok"
    assert issues(hass) == {}


async def test_ban_that_ends_in_time(
    hass: HomeAssistant, start: Start, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    primary.ban()
    await start(instance("first", primary))
    primary.clear_bans()
    clock.tick(400)
    await call(hass, "check_health")
    pass_time(hass, issue_watch.BANNED_SECONDS + 60)
    await settled(hass)
    assert issues(hass) == {}


@pytest.mark.parametrize(
    ("version", "old"), [("4.4.5", True), ("3.3.16", True), ("4.5.0", False), ("5.3.0", False)]
)
async def test_old_qbittorrent(
    hass: HomeAssistant, start: Start, socket_enabled: None, version: str, old: bool
) -> None:
    async with FakeQBittorrent(replace(V4_5, name=version)) as server:
        entry = await start(instance("first", server))
        said = {"name": "First", "version": version}
        assert issues(hass) == ({"old_qbittorrent_first": said} if old else {})
        await hass.config_entries.async_remove(entry.entry_id)
        assert issues(hass) == {}


def ignored(hass: HomeAssistant) -> set[str]:
    """Return what the user ignores, seen or not."""
    return {
        one.issue_id
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN and one.dismissed_version
    }


async def _restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Start Home Assistant once more: of each issue it has kept only that it is ignored."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    registry = ir.async_get(hass)
    for key, issue in registry.issues.items():
        registry.issues[key] = replace(issue, active=False, translation_key=None)
    hass.set_state(CoreState.not_running)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hass.set_state(CoreState.running)
    await settled(hass)


async def test_ignored_issues_stay_ignored(
    hass: HomeAssistant, start: Start, clock: FakeClock, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """Over a reload and a restart, and while nothing is known; until the cause is gone."""
    async with FakeQBittorrent(replace(V4_5, name="4.4.5")) as old:
        entry = await start(
            instance("first", primary), instance("old", old, priority=2), targets=(TARGET,)
        )
        await _fail(hass, primary, others={"old_qbittorrent_old"})
        vpn.permitted = False
        primary.faults.answer(401, "Unauthorized")
        primary.expire_sessions()
        await call(hass, "check_health")
        all_of_them = {
            "failed_magnets",
            "host_rejected_first",
            "icmp_not_permitted",
            "old_qbittorrent_old",
        }
        assert issues(hass).keys() == all_of_them
        for issue_id in all_of_them:
            ir.async_ignore_issue(hass, DOMAIN, issue_id, True)
        await hass.config_entries.async_reload(entry.entry_id)
        await settled(hass)
        assert ignored(hass) == issues(hass).keys() == all_of_them
        await _restart(hass, entry)
        assert ignored(hass) == issues(hass).keys() == all_of_them
        await primary.refuse()
        await old.refuse()
        await _restart(hass, entry)
        assert ignored(hass) == all_of_them
        assert issues(hass).keys() == {"failed_magnets", "icmp_not_permitted"}
        await primary.listen()
        await old.listen()
        primary.faults.clear()
        vpn.permitted = True
        await call(hass, "remove_magnets", all=True, list="failed")
        await call(hass, "check_health")
        assert ignored(hass) == issues(hass).keys() == {"old_qbittorrent_old"}
        await hass.config_entries.async_remove(entry.entry_id)
        assert ignored(hass) == set()


async def test_long_ban_that_is_ignored(
    hass: HomeAssistant, start: Start, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    primary.ban()
    entry = await start(instance("first", primary))
    await poll(hass)
    pass_time(hass, issue_watch.BANNED_SECONDS + 60)
    await settled(hass)
    ir.async_ignore_issue(hass, DOMAIN, "banned_first", True)
    await hass.config_entries.async_reload(entry.entry_id)
    await poll(hass)
    assert ignored(hass) == issues(hass).keys() == {"banned_first"}


async def test_issues_of_what_is_set_up_no_longer(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """Whether it was removed while the entry ran or not."""
    vpn.permitted = False
    primary.faults.answer(401, "Unauthorized")
    entry = await start(instance("first", primary), targets=(TARGET,))
    assert issues(hass).keys() == {"host_rejected_first", "icmp_not_permitted"}
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_remove_subentry(entry, "first")
    hass.config_entries.async_update_entry(entry, data={"vpn_targets": []})
    await hass.config_entries.async_setup(entry.entry_id)
    assert issues(hass) == {}
