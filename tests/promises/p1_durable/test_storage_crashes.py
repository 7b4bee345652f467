"""A disk that fails, or Home Assistant killed, at every step of every write: before or after."""

from collections.abc import Awaitable, Callable
import contextlib
import errno
import logging
import os
from pathlib import Path
import shutil
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.outbox import store
from custom_components.qbittorrent_resilient.storage import queue_storage
from custom_components.qbittorrent_resilient.storage.orphans import OrphanedMagnets
from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.common import info_hash
from tests.support.disk_faults import ATOMIC_WRITES, KINDS, Disk, KilledError
from tests.support.queue_files import MANY, Books, a_life, books, lived, read, record


async def _nothing(hass: HomeAssistant) -> None:
    pass


async def _a_few(hass: HomeAssistant) -> None:
    await lived(hass, (books(range(1, 4)), []))


async def _many(hass: HomeAssistant) -> None:
    await lived(hass, (books(MANY), []))


async def _many_and_more(hass: HomeAssistant) -> None:
    await lived(hass, (books(MANY), []), ({info_hash(500): record(500)}, [info_hash(3)]))


Change = tuple[Books, list[str]]
ONE: Change = ({info_hash(900): record(900)}, [info_hash(1)])
HALF: Change = (books(range(200, 280)), [info_hash(2)])
MORE: list[Change] = [(books(range(at, at + 80)), []) for at in (400, 500)]
ALL: Change = (books(range(200, 400)), [info_hash(2)])

SCENARIOS: dict[str, tuple[Callable[[HomeAssistant], Awaitable[None]], list[Change], Change]] = {
    "the first file": (_nothing, [], ONE),
    "a line beside a small file": (_a_few, [], ONE),
    "the first line of a journal": (_many, [], ONE),
    "a further line": (_many, [HALF], ONE),
    "a line, and everything anew": (_many, [HALF, *MORE], (books(range(300, 380)), [])),
    "everything anew beside a journal": (_many, [({"0" * 40: record(5)}, [])], ALL),
    "most of it dropped, and everything anew": (
        _many,
        [],
        ({}, [info_hash(one) for one in MANY[:100]]),
    ),
}


@pytest.fixture(autouse=True)
def _early_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything written anew with few magnets."""
    monkeypatch.setattr(store, "COMPACT_BYTES", 1)


@pytest.mark.parametrize(("name", "scenario"), SCENARIOS.items())
async def test_scenarios_are_what_they_say(
    hass: HomeAssistant,
    storage_folder: Path,
    name: str,
    scenario: tuple[Callable[[HomeAssistant], Awaitable[None]], list[Change], Change],
) -> None:
    prepare, earlier, change = scenario
    await prepare(hass)
    await lived(hass, *earlier, change)
    journal = storage_folder / "qbittorrent_resilient.hub.journal"
    assert journal.exists() is ("line" in name and "anew" not in name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
async def test_every_step_of_a_commit(
    hass: HomeAssistant,
    storage_folder: Path,
    scenario: tuple[Callable[[HomeAssistant], Awaitable[None]], list[Change], Change],
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    prepare, earlier, (put, drop) = scenario
    caplog.set_level(logging.CRITICAL)
    at = 0
    while True:
        shutil.rmtree(storage_folder, ignore_errors=True)
        await prepare(hass)
        living = await lived(hass, *earlier)
        before = dict(living._store.records)
        after = {key: one for key, one in (before | put).items() if key not in drop}
        disk = Disk(storage_folder, at=at, kind=kind)
        refused = False
        try:
            with disk.watched():
                await living.commit(put, drop)
        except KilledError:
            assert await read(hass) in (before, after), disk.steps
        except StorageError:
            refused = True
        if not disk.dead:
            # Home Assistant lives on: what it said is so, and the next commit goes through.
            if not refused:
                assert await read(hass) == after, disk.steps
                living = a_life(hass)
                await living.load()
            await living.commit({info_hash(901): record(901)}, [])
            found = dict(await read(hass))
            assert found.pop(info_hash(901)), disk.steps
            assert found == (before if refused else after), disk.steps
        if at >= len(disk.steps):
            assert not refused
            break
        at += 1
    assert at >= 2


async def test_name_that_may_be_lost_does_not_count(
    hass: HomeAssistant, storage_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The new file is there, but its folder cannot be synced: without power it would be gone."""
    living = await lived(hass, (books(range(1, 4)), []))
    caplog.set_level(logging.CRITICAL)
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    with (
        patch.object(os, "fsync", fsync),
        patch.object(ATOMIC_WRITES, "_proper_fsync", fsync),
        pytest.raises(StorageError),
    ):
        await living.commit(*ONE)
    await living.commit({info_hash(901): record(901)}, [])
    assert await read(hass) == books(range(1, 4)) | {info_hash(901): record(901)}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_step_of_a_start(
    hass: HomeAssistant, storage_folder: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal is folded in, and nothing of it is lost by that."""
    caplog.set_level(logging.CRITICAL)
    at = 0
    while True:
        shutil.rmtree(storage_folder, ignore_errors=True)
        await _many_and_more(hass)
        assert (storage_folder / "qbittorrent_resilient.hub.journal").exists()
        expected = books(MANY) | {info_hash(500): record(500)}
        del expected[info_hash(3)]
        disk = Disk(storage_folder, at=at, kind=kind)
        with disk.watched(), contextlib.suppress(KilledError):
            assert await read(hass) == expected
        living = a_life(hass)
        assert await living.load() == expected, disk.steps
        await living.commit(*ONE)
        assert info_hash(900) in await read(hass)
        if at >= len(disk.steps):
            break
        at += 1
    assert at >= 4


@pytest.mark.parametrize("kind", KINDS)
async def test_every_step_of_a_removal(
    hass: HomeAssistant, storage_folder: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is owed is in the old files or among the kept ones, at each moment."""
    caplog.set_level(logging.CRITICAL)
    at = 0
    while True:
        shutil.rmtree(storage_folder, ignore_errors=True)
        await _many_and_more(hass)
        owed = dict(await read(hass))
        await a_life(hass).load()
        await lived(hass, ({info_hash(600): record(600)}, []))
        owed[info_hash(600)] = record(600)
        disk = Disk(storage_folder, at=at, kind=kind)
        with disk.watched(), contextlib.suppress(KilledError):
            await a_life(hass).retire()
        kept = await OrphanedMagnets(hass).load()
        if kept != owed:
            assert kept == {}
            assert await read(hass) == owed, disk.steps
        if at >= len(disk.steps):
            assert kept == owed
            break
        at += 1
    assert at >= 4


@pytest.mark.parametrize("kind", KINDS)
async def test_every_step_of_taking_over(
    hass: HomeAssistant, storage_folder: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    at = 0
    while True:
        shutil.rmtree(storage_folder, ignore_errors=True)
        await _many(hass)
        await a_life(hass).retire()
        own = {info_hash(7): record(7, attempts=5), info_hash(700): record(700)}
        first = QueueStorage(hass, "new")
        first._adopt_orphans = _not_now  # type: ignore[method-assign]
        await first.load()
        await first.commit(own, [])
        disk = Disk(storage_folder, at=at, kind=kind)
        hass.data.pop(queue_storage._OWNERSHIPS)
        with disk.watched(), contextlib.suppress(KilledError):
            await QueueStorage(hass, "new").load()
        hass.data.pop(queue_storage._OWNERSHIPS)
        again = QueueStorage(hass, "new")
        assert await again.load() == books(MANY) | own, disk.steps
        assert await OrphanedMagnets(hass).load() == {}
        if at >= len(disk.steps):
            break
        at += 1
    assert at >= 4


async def _not_now() -> bool:
    """Adopt nothing yet."""
    return False
