"""Troubles that the user can do something about: said while they last."""

from copy import replace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.qbittorrent_resilient import troubles
from tests.actions import add, call, status_of
from tests.common import (
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
from tests.fake.dialect import V4_5
from tests.fake.server import FakeQBittorrent

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


async def _fail(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    primary.torrents.never_listed = {info_hash(1), info_hash(2)}
    await call(hass, "add_magnets", magnets=[link(1), link(2), link(3)])
    assert issues(hass) == {"failed_magnets": {"count": "2"}}


async def _fix(hass: HomeAssistant, hass_client: ClientSessionGenerator, option: str) -> Any:
    """Click through the repair as a user does; return how it ended."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    url = "/api/repairs/issues/fix"
    answer = await client.post(url, json={"handler": DOMAIN, "issue_id": "failed_magnets"})
    form = await answer.json()
    assert (form["type"], form["menu_options"]) == (FlowResultType.MENU, ["retry", "discard"])
    assert form["description_placeholders"] == {"count": "2"}
    answer = await client.post(f"{url}/{form['flow_id']}", json={"next_step_id": option})
    result = await answer.json()
    await settled(hass)
    return result["type"], result.get("reason")


async def test_failed_magnets_are_tried_again(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
) -> None:
    await start(instance("first", primary))
    await _fail(hass, primary)
    primary.torrents.never_listed = set()
    assert await _fix(hass, hass_client, "retry") == (FlowResultType.CREATE_ENTRY, None)
    assert primary.hashes == {info_hash(number) for number in (1, 2, 3)}
    assert issues(hass) == {}


async def test_failed_magnets_are_discarded(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
) -> None:
    await start(instance("first", primary))
    await _fail(hass, primary)
    assert await _fix(hass, hass_client, "discard") == (FlowResultType.CREATE_ENTRY, None)
    assert (await call(hass, "get_queue"))["failed"] == []
    assert issues(hass) == {}


async def test_failed_magnets_of_an_entry_that_does_not_run(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await start(instance("first", primary))
    await _fail(hass, primary)
    await hass.config_entries.async_unload(entry.entry_id)
    assert issues(hass) == {}
    await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass)
    assert issues(hass) == {"failed_magnets": {"count": "2"}}


async def test_failed_magnets_that_cannot_be_written(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = await start(instance("first", primary))
    await _fail(hass, primary)
    monkeypatch.setattr(entry.runtime_data.courier.queue, "_closed", True)
    assert await _fix(hass, hass_client, "retry") == (FlowResultType.ABORT, "not_done")
    assert issues(hass) == {"failed_magnets": {"count": "2"}}


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
    pass_time(hass, troubles.BANNED_SECONDS + 60)
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
    pass_time(hass, troubles.BANNED_SECONDS + 60)
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
