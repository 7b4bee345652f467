"""Start-up waits for nobody, and unloading and stopping leave nothing running or lost."""

import asyncio
import threading
import time
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.outbox.journal import Journal
from custom_components.qbittorrent_resilient.core.qbittorrent.exchange import REQUEST_SECONDS
from custom_components.qbittorrent_resilient.storage import record_file
from tests.support.actions import add, call, hashes, stored
from tests.support.common import (
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
from tests.support.fake.server import FakeQBittorrent
from tests.support.moments import our_tasks
from tests.support.states import state_of


async def test_unload_leaves_nothing_running(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    entry = await start(instance("first", primary), targets=(TARGET,))
    assert entry.state is ConfigEntryState.LOADED
    assert "magnet dispatcher" in our_tasks()
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


@pytest.mark.parametrize(
    ("write", "earlier"),
    [((record_file, "seal"), []), ((Journal, "append_line"), [link(9)])],
    ids=["snapshot", "journal"],
)
async def test_what_is_being_written_when_home_assistant_stops_is_finished(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    hass_storage: dict[str, Any],
    write: tuple[object, str],
    earlier: list[str],
) -> None:
    await primary.refuse()
    await start(instance("first", primary))
    for magnet in earlier:
        await add(hass, magnet)
    await settled(hass)
    begun, go_on = threading.Event(), threading.Event()
    original = getattr(*write)

    def slow(*args: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return original(*args)

    with patch.object(*write, slow):
        adding = asyncio.create_task(add(hass, link(1)))
        await eventually(begun.is_set)
        stopping = asyncio.create_task(hass.async_stop(force=True))
        await eventually(lambda: hass.state is CoreState.stopping or stopping.done())
        for _ in range(20):  # turns of the loop, in which everything could be cut off
            await asyncio.sleep(0)
        go_on.set()
        await stopping
        response = await adding
    assert hashes(response["queued"]) == [info_hash(1)]
    assert info_hash(1) in stored(hass_storage)
