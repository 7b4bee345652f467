"""The entry's life: what is changed while it is set up, and without any instance."""

import asyncio
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.actions import add, call
from tests.support.common import Start, eventually, info_hash, instance, link, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.states import state_of

DOMAIN = "qbittorrent_resilient"


async def test_actions_without_an_entry(hass: HomeAssistant, start: Start) -> None:
    entry = await start()
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await call(hass, "add_magnets", magnets=link(1))
    assert await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await call(hass, "get_queue")


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
    line = [one.settings.key for one in entry.runtime_data.dispatcher.instances]
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
