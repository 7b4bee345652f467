"""The stored queue: its file, and what happens when it cannot be read or written."""

import json
from pathlib import Path
import shutil
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.support.common import Start, eventually, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent
from tools.soak.disk import read_books

DOMAIN = "qbittorrent_resilient"
FILE = f"{DOMAIN}.hub"
KEPT = f"{DOMAIN}.kept"
WRITE = "homeassistant.helpers.storage.write_utf8_file_atomic"
APPEND = "custom_components.qbittorrent_resilient.core.outbox.journal._write_checked"


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)


async def queued(hass: HomeAssistant) -> list[str]:
    return [one["info_hash"] for one in (await call(hass, "get_queue"))["queued"]]


def write(folder: Path, content: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_text(content)


def files(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir() if DOMAIN in one.name]


def block(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # where somebody else has stored something
    folder.write_text("a file where the folder should be")


def stored(data: Any, version: int = 1) -> str:
    return json.dumps({"version": version, "minor_version": 1, "key": FILE, "data": data})


async def test_file_of_the_queue(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    entry = await start(instance("first", primary))
    await call(hass, "add_magnets", magnets=[link(1), link(2)])
    await settled(hass)
    file = storage_folder / FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(read_books(storage_folder)) == {info_hash(1), info_hash(2)}
    assert set(files(storage_folder)) == {FILE, f"{FILE}.journal"}
    await hass.config_entries.async_reload(entry.entry_id)
    assert await queued(hass) == [info_hash(1), info_hash(2)]
    await call(hass, "remove_magnets", info_hashes=[info_hash(1)])
    assert set(read_books(storage_folder)) == {info_hash(2)}
    await hass.config_entries.async_remove(entry.entry_id)
    assert files(storage_folder) == [KEPT]


async def test_remove_keeps_what_is_owed(
    hass: HomeAssistant, hass_storage: dict[str, Any], start: Start, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    entry = await start(instance("first", primary))
    await call(hass, "add_magnets", magnets=link(1))
    assert FILE in hass_storage
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert FILE in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    assert FILE not in hass_storage
    assert set(hass_storage[KEPT]["data"]["magnets"]) == {info_hash(1)}


async def test_newer_version(
    hass: HomeAssistant, storage_folder: Path, primary: FakeQBittorrent
) -> None:
    content = stored({"anything": "new"}, version=99)
    write(storage_folder, content)
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id="hub",
        data={"vpn_targets": []},
        subentries_data=[instance("first", primary)],
    )
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup("hub")
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.reason
    assert entry.reason.startswith("The stored queue cannot be read")
    assert hass.config_entries.async_get_entry("hub") is entry
    assert (storage_folder / FILE).read_text() == content
    assert not primary.requests
    # Nothing is lost for the version that can read it; here, an older file stands for it.
    write(storage_folder, stored({"revision": 1, "magnets": {}}))
    assert await hass.config_entries.async_reload("hub")
    await settled(hass)
    assert hass.states.is_state("sensor.first_status", "ok")


GARBAGE = {
    "a list": [],
    "a text": "magnets",
    "a number": 5,
    "empty": {},
    "without a revision": {"magnets": {}},
    "magnets, without a revision": {
        "magnets": {info_hash(5): {"link": link(5), "stage": "queued", "queued_at": 2e9}}
    },
    "magnets are a number": {"revision": 1, "magnets": 5},
    "magnets are a list": {"revision": 1, "magnets": ["x"]},
    "revision is a text": {"revision": "new", "magnets": {}},
    "revision is a number in a text": {"revision": "5", "magnets": {}},
    "revision is true": {"revision": True, "magnets": {}},
    "revision is below zero": {"revision": -1, "magnets": {}},
    "revision cannot be counted on": {"revision": 2**63, "magnets": {}},
    "revision is endless": {"revision": float("inf"), "magnets": {}},
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_is_set_aside(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    data: Any,
) -> None:
    content = stored(data)
    write(storage_folder, content)
    await primary.refuse()
    entry = await start(instance("first", primary))
    (kept,) = (one for one in files(storage_folder) if one.startswith(f"{FILE}.corrupt."))
    assert (storage_folder / kept).read_text() == content
    assert str(storage_folder / kept) in caplog.text
    sound = [info_hash(5)] if link(5) in content else []
    assert await queued(hass) == sound
    await call(hass, "add_magnets", magnets=link(1))
    await hass.config_entries.async_reload(entry.entry_id)
    assert sorted(await queued(hass)) == [info_hash(1), *sound]
    await primary.listen()
    await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: primary.hashes == {info_hash(1), *sound})


@pytest.mark.parametrize("content", ["", "{", '{"version": 1', "\x00\x00\x00"])
async def test_broken_json_is_set_aside(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    content: str,
) -> None:
    write(storage_folder, content)
    await start(instance("first", primary))
    (kept,) = (one for one in files(storage_folder) if one.startswith(f"{FILE}.corrupt."))
    assert (storage_folder / kept).read_text() == content
    response = await call(hass, "add_magnets", magnets=link(1))
    assert response["added"]


BAD_RECORDS = {
    "a number": 5,
    "empty": {},
    "no magnet": {"link": "https://x.example", "stage": "queued", "queued_at": 2e9},
    "unknown stage": {"link": link(9), "stage": "dreaming", "queued_at": 2e9},
    "no time": {"link": link(9), "stage": "queued", "queued_at": "soon"},
}


@pytest.mark.parametrize("record", BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
async def test_one_unreadable_magnet_holds_up_nothing(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    record: Any,
) -> None:
    good = {"link": link(1), "stage": "queued", "queued_at": 2e9}
    magnets = {info_hash(9): record, info_hash(1): good}
    write(storage_folder, stored({"revision": 3, "magnets": magnets}))
    await start(instance("first", primary))
    await eventually(lambda: primary.hashes == {info_hash(1)})
    await settled(hass)
    assert caplog.text.count("1 stored magnet cannot be read") == 1
    kept = json.loads((storage_folder / FILE).read_text())["data"]["magnets"]
    assert kept[info_hash(9)] == record


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (WRITE, OSError(28, "No space left on device")),
        (WRITE, WriteError("no")),
        (APPEND, OSError(28, "No space left on device")),
    ],
)
async def test_write_error(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    what: str,
    error: Exception,
) -> None:
    entry = await start(instance("first", primary))
    earlier = set()
    if what == APPEND:  # which is what the first call of all does not do
        await call(hass, "add_magnets", magnets=link(1))
        earlier = {info_hash(1)}
    primary.record.clear()
    with patch(what, side_effect=error) as failing:
        with pytest.raises(HomeAssistantError, match="could not be stored"):
            await call(hass, "add_magnets", magnets=[link(2), link(3)])
        assert failing.called
        assert not primary.requests_to("torrents/add")
        assert await queued(hass) == []
        assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")
        assert set(read_books(storage_folder)) == earlier
    # Nothing of it comes back, and the next call works.
    await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    assert primary.hashes == earlier
    response = await call(hass, "add_magnets", magnets=link(2))
    assert response["added"][0]["info_hash"] == info_hash(2)


async def test_folder_that_cannot_be_written(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    block(storage_folder)
    with pytest.raises(HomeAssistantError, match="could not be stored"):
        await call(hass, "add_magnets", magnets=link(1))
    assert not primary.hashes
    assert await queued(hass) == []


async def test_while_home_assistant_stops(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    hass.set_state(CoreState.stopping)
    with pytest.raises(HomeAssistantError, match="could not be stored"):
        await call(hass, "add_magnets", magnets=link(1))
    assert not primary.hashes
    assert not (storage_folder / FILE).exists()
    hass.set_state(CoreState.running)
