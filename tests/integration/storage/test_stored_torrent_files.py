"""The torrent files in the storage folder: whose they are, and when they are removed."""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.core.outbox.record import Record
from custom_components.qbittorrent_resilient.storage.queue_storage import (
    QueueStorage,
    async_discard_orphans,
)
from tests.support.queue_files import Books, a_life, lived
from tests.support.torrents import MadeTorrent, torrent

ONE, TWO = torrent(1), torrent(2)
FOLDER = "qbittorrent_resilient.torrents"


async def with_file(storage: QueueStorage, made: MadeTorrent, **more: object) -> Books:
    """Return the record of a job whose torrent file was put."""
    name = await storage.torrent_files.put(made.data)
    fields: Record = {"link": made.magnet, "stage": "queued", "queued_at": 2e9, "file": name}
    return {made.info_hash: fields | more}


async def stored(hass: HomeAssistant, *made: MadeTorrent, **more: object) -> QueueStorage:
    storage = await lived(hass)
    for one in made:
        await storage.commit(await with_file(storage, one, **more), ())
    return storage


def contents(storage_folder: Path) -> set[bytes]:
    folder = storage_folder / FOLDER
    return {one.read_bytes() for one in folder.iterdir()} if folder.exists() else set()


async def test_left_overs_of_a_kill_are_swept(hass: HomeAssistant, storage_folder: Path) -> None:
    await with_file(await stored(hass, ONE), TWO)
    assert contents(storage_folder) == {ONE.data, TWO.data}
    await a_life(hass).load()
    assert contents(storage_folder) == {ONE.data}


async def test_next_entry_adopts_them(hass: HomeAssistant, storage_folder: Path) -> None:
    storage = await stored(hass, ONE)
    await storage.commit(await with_file(storage, TWO, stage="settling", sent_to="key"), ())
    await a_life(hass).retire()
    assert contents(storage_folder) == {ONE.data}
    adopting = QueueStorage(hass, "new")
    records = await adopting.load()
    assert contents(storage_folder) == {ONE.data}
    assert await adopting.torrent_files.read(records[ONE.info_hash]["file"]) == ONE.data


@pytest.mark.parametrize("set_up", [False, True])
async def test_discarded_with_them(hass: HomeAssistant, storage_folder: Path, set_up: bool) -> None:
    """But for an entry that is set up: its own are among them, and it sweeps by itself."""
    await stored(hass, ONE)
    await a_life(hass).retire()
    if set_up:
        MockConfigEntry(domain="qbittorrent_resilient").add_to_hass(hass)
    await async_discard_orphans(hass)
    assert contents(storage_folder) == ({ONE.data} if set_up else set())
    assert (storage_folder / FOLDER).exists() is set_up


async def test_nothing_owed_nothing_left(hass: HomeAssistant, storage_folder: Path) -> None:
    await stored(hass, ONE, stage="settling", sent_to="key")
    await a_life(hass).retire()
    assert not (storage_folder / FOLDER).exists()


async def test_reload_does_not_sweep_what_was_put_a_moment_ago(
    hass: HomeAssistant, storage_folder: Path
) -> None:
    record = await with_file(QueueStorage(hass, "hub"), ONE)
    reloaded = QueueStorage(hass, "hub")
    await reloaded.load()
    await reloaded.commit(record, ())
    assert contents(storage_folder) == {ONE.data}


async def test_kept_while_a_damaged_queue_is_set_aside(
    hass: HomeAssistant, storage_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its user may bring it back."""
    await stored(hass, ONE)
    for name in ("qbittorrent_resilient.hub", "qbittorrent_resilient.hub.journal"):
        (storage_folder / name).write_text("damaged")
    assert await a_life(hass).load() == {}
    assert await a_life(hass).load() == {}
    assert contents(storage_folder) == {ONE.data}
