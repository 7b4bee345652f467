"""The entry's life: set-up, reload, removal, and that start-up waits for nobody."""

import asyncio
import time
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.qbittorrent_resilient.core.qbittorrent.connection import REQUEST_SECONDS
from custom_components.qbittorrent_resilient.storage import QueueStorage
from tests.actions import add
from tests.common import (
    TARGET,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    pass_time,
    poll,
    settled,
)
from tests.fake.server import FakeQBittorrent

DOMAIN = "qbittorrent_resilient"


def state_of(hass: HomeAssistant, entity: str) -> str:
    state = hass.states.get(entity)
    assert state
    return state.state


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)


def our_tasks() -> set[str]:
    """Return the names of tasks that run our code."""
    package = f"custom_components/{DOMAIN}/"
    return {
        task.get_name()
        for task in asyncio.all_tasks()
        if any(package in frame.f_code.co_filename for frame in task.get_stack())
    }


async def test_actions_without_an_entry(hass: HomeAssistant, start: Start) -> None:
    entry = await start()
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await call(hass, "add_magnets", magnets=link(1))
    assert await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await call(hass, "get_queue")


async def test_unload_leaves_nothing_running(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    entry = await start(instance("first", primary), targets=(TARGET,))
    assert entry.state is ConfigEntryState.LOADED
    assert "magnet courier" in our_tasks()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await hass.async_block_till_done()
    assert not our_tasks()
    assert state_of(hass, "binary_sensor.first") == "unavailable"
    primary.record.clear()
    rounds = vpn.rounds
    await poll(hass, 3600)
    assert not primary.requests
    assert vpn.rounds == rounds


async def test_unload_in_the_middle_of_everything(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    primary.freeze()
    primary.record.clear()
    pass_time(hass, 31)
    await eventually(lambda: primary.requests_to("transfer/info"))
    adding = asyncio.create_task(call(hass, "add_magnets", magnets=link(1)))
    await eventually(lambda: len(primary.requests) > 1)
    before = time.monotonic()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert time.monotonic() - before < REQUEST_SECONDS  # it hangs for so long
    response = await adding
    assert [one["info_hash"] for one in response["queued"]] == [info_hash(1)]
    await hass.async_block_till_done()
    assert not our_tasks()
    await primary.thaw()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: primary.hashes == {info_hash(1)})


async def test_reload_keeps_the_queue(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    entry = await start(instance("first", primary))
    await call(hass, "add_magnets", magnets=[link(1), link(2)])
    for _ in range(3):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await settled(hass)
        queue = await call(hass, "get_queue")
        assert [one["info_hash"] for one in queue["queued"]] == [info_hash(1), info_hash(2)]
        assert state_of(hass, "sensor.qbittorrent_resilient_queued_magnets") == "2"
    await primary.listen()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: primary.hashes == {info_hash(1), info_hash(2)})
    assert len(primary.adds) == 1


async def test_start_up_waits_for_no_server(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The sensors say what they know, and soon more."""
    hass.set_state(CoreState.not_running)
    primary.faults.delay(3, times=1)
    await start(instance("first", primary))
    assert state_of(hass, "sensor.first_status") == "unknown"
    await eventually(lambda: state_of(hass, "sensor.first_status") == "ok")


async def test_set_up_does_not_wait_for_a_server_that_hangs(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    primary.freeze()
    before = time.monotonic()
    await start(instance("first", primary), instance("second", secondary, priority=2))
    assert time.monotonic() - before < REQUEST_SECONDS
    assert primary.requests
    assert state_of(hass, "sensor.first_status") == "unknown"
    assert state_of(hass, "binary_sensor.first") == "unknown"
    assert state_of(hass, "sensor.second_status") == "ok"
    assert state_of(hass, "sensor.qbittorrent_resilient_active_instance") == "Second"
    # One silence is no verdict, two in a row are.
    pass_time(hass, 11)
    await settled(hass)
    assert state_of(hass, "sensor.first_status") == "unknown"
    pass_time(hass, 3)
    await eventually(lambda: len(primary.requests) == 2)
    pass_time(hass, 11)
    await settled(hass)
    assert state_of(hass, "sensor.first_status") == "timeout"
    assert state_of(hass, "binary_sensor.first") == "off"
    await primary.thaw()
    await poll(hass)
    assert state_of(hass, "sensor.first_status") == "ok"


async def test_set_up_does_not_wait_for_a_ping_that_hangs(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    never = asyncio.Event()

    async def hang(_: FakeVpn, target: str) -> None:
        await never.wait()

    with patch.object(FakeVpn, "__call__", hang):
        await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
        assert state_of(hass, "binary_sensor.qbittorrent_resilient_vpn") == "unknown"
        assert state_of(hass, "sensor.first_status") == "vpn_down"
        never.set()
    assert not primary.record.connections


async def test_stopping_home_assistant(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    await start(instance("first", primary), targets=(TARGET,))
    primary.freeze()
    before = time.monotonic()
    await hass.async_stop(force=True)
    assert time.monotonic() - before < REQUEST_SECONDS
    assert not our_tasks()


async def test_an_instance_is_added_and_removed(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = await start(instance("first", primary))
    given = instance("second", secondary, priority=2)
    second = ConfigSubentry(
        data=MappingProxyType(dict(given["data"])),
        subentry_id="second",
        subentry_type="instance",
        title="Second",
        unique_id=None,
    )
    assert hass.config_entries.async_add_subentry(entry, second)
    await settled(hass)
    await eventually(lambda: state_of(hass, "sensor.second_status") == "ok")
    assert state_of(hass, "sensor.first_status") == "ok"

    assert hass.config_entries.async_remove_subentry(entry, "first")
    await settled(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.first_status") is None
    left = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert not [one for one in left if one.config_subentry_id == "first"]
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert {str(one.name) for one in devices} == {"qBittorrent Resilient", "Second"}
    primary.record.clear()
    response = await call(hass, "add_magnets", magnets=link(1))
    assert response["added"][0]["instance"] == "Second"
    assert not primary.requests


async def test_without_any_instance_magnets_are_queued(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start()
    response = await call(hass, "add_magnets", magnets=link(1))
    assert [one["info_hash"] for one in response["queued"]] == [info_hash(1)]
    assert state_of(hass, "sensor.qbittorrent_resilient_active_instance") == "unknown"
    given = instance("first", primary)
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(dict(given["data"])),
            subentry_id="first",
            subentry_type="instance",
            title="First",
            unique_id=None,
        ),
    )
    await eventually(lambda: primary.hashes == {info_hash(1)})


@pytest.mark.usefixtures("socket_enabled")
async def test_two_instances_on_one_address_keep_their_sessions_apart(
    hass: HomeAssistant, start: Start, dialect: Any
) -> None:
    async with FakeQBittorrent(dialect) as one, FakeQBittorrent(dialect) as two:
        await start(instance("first", one), instance("second", two, priority=2))
        for _ in range(3):
            await poll(hass)
        assert state_of(hass, "sensor.first_status") == "ok"
        assert state_of(hass, "sensor.second_status") == "ok"
        for server in (one, two):
            assert len(server.logins) == 1
            keys = {key.strip('"') for key in server.access.sessions}
            cookies = {request.headers["Cookie"] for request in server.requests_to("transfer/info")}
            assert len(cookies) == 1
            assert all(any(key in cookie for key in keys) for cookie in cookies)


async def test_change_while_it_is_set_up(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not missed: the entry is loaded once more."""
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    reading, go_on = asyncio.Event(), asyncio.Event()
    load = QueueStorage.load

    async def slow(self: QueueStorage) -> Any:
        reading.set()
        await go_on.wait()
        return await load(self)

    monkeypatch.setattr(QueueStorage, "load", slow)
    reloading = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await reading.wait()
    changed = {**entry.subentries["first"].data, "priority": 3}
    hass.config_entries.async_update_subentry(entry, entry.subentries["first"], data=changed)
    go_on.set()
    await reloading
    await settled(hass)
    line = [one.settings.key for one in entry.runtime_data.courier.line]
    assert line == ["second", "first"]


async def test_counts_are_right_from_the_first_on(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """An empty queue that fills up would be news to automations."""
    await primary.refuse()
    entry = await start(instance("first", primary))
    await add(hass, link(1))
    assert await hass.config_entries.async_unload(entry.entry_id)
    await primary.listen()
    primary.faults.hang()
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hass.set_state(CoreState.running)
    await hass.async_block_till_done()
    counts = [
        one.data["new_state"].state
        for one in changes
        if one.data["entity_id"] == "sensor.qbittorrent_resilient_queued_magnets"
    ]
    assert counts == ["1"]
