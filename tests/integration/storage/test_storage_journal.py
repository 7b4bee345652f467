"""The journal beside the stored queue: when there is one, and what it saves."""

import asyncio
from collections.abc import Iterator
import contextlib
import json
import logging
import os
from pathlib import Path
import shutil
import threading
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from tests.support.actions import STORE, add, call, hashes
from tests.support.common import Start, eventually, info_hash, instance, link
from tests.support.disk_faults import ATOMIC_WRITES
from tests.support.fake.server import FakeQBittorrent
from tests.support.queue_files import MANY, Books, books, lived, read, record
from tools.soak.disk import read_books


def journal_of(folder: Path) -> Path:
    return folder / f"{STORE}.journal"


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir() if one.name.startswith(STORE)}


def fresh(folder: Path, content: bytes | str) -> None:
    """Have this as the stored queue, and nothing beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / STORE).write_bytes(content.encode() if isinstance(content, str) else content)


async def test_nothing_is_left_when_nothing_waits(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """And to see to that, nothing is written but where the file itself holds magnets."""
    await start(instance("first", primary))
    await primary.refuse()
    both = {STORE, f"{STORE}.journal"}
    for number in (1, 2, 3):
        await add(hass, link(number))
        await eventually(lambda: names(storage_folder) == both)
    await call(hass, "remove_magnets", all=True)
    assert names(storage_folder) == {STORE}
    assert "magnet:" not in (storage_folder / STORE).read_text()
    before = (storage_folder / STORE).stat().st_mtime_ns
    for number in range(4, 9):
        await add(hass, link(number))
        assert names(storage_folder) == both
        await call(hass, "remove_magnets", all=True)
        assert names(storage_folder) == {STORE}
    assert (storage_folder / STORE).stat().st_mtime_ns == before


@contextlib.contextmanager
def bytes_written(folder: Path) -> Iterator[list[int]]:
    """Count what is written to the journal, and to the file each time it is synced."""
    total = [0]
    real_pwrite, real_fsync = os.pwrite, os.fsync

    def pwrite(descriptor: int, data: bytes, at: int) -> int:
        total[0] += (done := real_pwrite(descriptor, data, at))
        return done

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        if name.is_relative_to(folder) and name.is_file():
            total[0] += os.fstat(descriptor).st_size
        real_fsync(descriptor)

    with patch.object(os, "pwrite", pwrite), patch.object(ATOMIC_WRITES, "_proper_fsync", fsync):
        yield total


async def written(hass: HomeAssistant, folder: Path, count: int) -> int:
    """Return how many bytes are written for so many single calls, and the draining after them."""
    shutil.rmtree(folder, ignore_errors=True)
    one = await lived(hass)
    with bytes_written(folder) as total:
        for number in range(1, count + 1):
            await one.commit({info_hash(number): record(number)}, [])
        for number in range(1, count + 1):
            await one.commit({}, [info_hash(number)])
    assert await read(hass) == {}
    return total[0]


async def test_bytes_of_a_delivery(hass: HomeAssistant, storage_folder: Path) -> None:
    """Taken in, noted, listed and off the books: the link itself is written once."""
    one = await lived(hass, (books(range(1)), []), ({}, [info_hash(0)]))
    for count in (1, 200, 2000):
        queued = books(range(1, count + 1))
        sent = {key: was | {"sent_to": "first", "sent_at": 2e9} for key, was in queued.items()}
        listed = {key: was | {"stage": "settling"} for key, was in sent.items()}
        with bytes_written(storage_folder) as total:
            for put in (queued, sent, listed):
                await one.commit(put, [])
            await one.commit({}, list(queued))
        links = len(json.dumps(queued, indent=2))
        assert links < total[0] < links + count * (3 * 50 + 8) + 700


async def test_many_magnets_one_by_one(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """On disk after each call, private, and back after a restart."""
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(number) for number in MANY))
    for number in range(121, 125):
        await add(hass, link(number))
        assert set(read_books(storage_folder)) == {info_hash(one) for one in range(1, number + 1)}
        assert journal_of(storage_folder).stat().st_mode & 0o777 == 0o600
    await call(hass, "remove_magnets", info_hashes=[info_hash(1), info_hash(122)])
    left = [info_hash(one) for one in range(2, 125) if one != 122]
    assert sorted(read_books(storage_folder)) == left
    await hass.config_entries.async_reload(entry.entry_id)
    assert sorted(hashes((await call(hass, "get_queue"))["queued"])) == left
    assert not journal_of(storage_folder).exists()
    assert sorted(read_books(storage_folder)) == left
    await primary.listen()
    await call(hass, "retry_queue")
    assert primary.hashes == set(left)


async def test_bytes_grow_with_the_number_of_magnets(
    hass: HomeAssistant, storage_folder: Path
) -> None:
    """Twice the magnets, twice the bytes. All of it anew each time would be four times as many."""
    few, many = [await written(hass, storage_folder, count) for count in (250, 500)]
    assert few < many < 2.2 * few


async def test_delivered_magnets_do_not_stay_in_the_file(
    hass: HomeAssistant, storage_folder: Path
) -> None:
    one = await lived(hass, (books(MANY), []))
    for number in MANY:
        await one.commit({}, [info_hash(number)])
    assert not journal_of(storage_folder).exists()
    assert (storage_folder / STORE).stat().st_size < 1000


async def test_damaged_file_beside_a_good_journal(
    hass: HomeAssistant, storage_folder: Path
) -> None:
    await lived(hass, (books(MANY), []), (books(range(500, 503)), []), ({}, [info_hash(501)]))
    (storage_folder / STORE).write_text("{")
    expected = {info_hash(one): record(one) for one in (500, 502)}
    assert await read(hass) == expected
    assert await read(hass) == expected


async def test_journal_that_ends_early(hass: HomeAssistant, storage_folder: Path) -> None:
    """Truncated at every byte, through a whole start: the books as they were at some moment."""
    await lived(hass, (books(MANY), []))
    base = (storage_folder / STORE).read_bytes()
    states = [books(MANY)]
    one = await lived(hass)
    for put, drop in (({info_hash(500): {}}, []), ({}, [info_hash(1)]), ({info_hash(1): {}}, [])):
        await one.commit(put, drop)
        states.append(dict(one._store.records))
    content = journal_of(storage_folder).read_bytes()
    lines = content.count(b"\n")
    assert lines == 3
    for size in range(len(content) + 1):
        (storage_folder / STORE).write_bytes(base)
        journal_of(storage_folder).write_bytes(content[:size])
        assert await read(hass) == states[content[:size].count(b"\n")]
        assert names(storage_folder) == {STORE} or size == 0  # no trace of it is left


async def test_old_journal_beside_a_newer_file(hass: HomeAssistant, storage_folder: Path) -> None:
    """Killed after everything was written anew, and before the journal was removed."""
    one = await lived(hass, (books(MANY), []), ({info_hash(500): record(500)}, []))
    old = journal_of(storage_folder).read_bytes()
    await one.commit({}, [info_hash(500)])
    await read(hass)
    journal_of(storage_folder).write_bytes(old)
    assert info_hash(500) not in await read(hass)


async def test_deleted_behind_our_back(hass: HomeAssistant, storage_folder: Path) -> None:
    one = await lived(hass, (books(MANY), []), ({info_hash(500): record(500)}, []))
    shutil.rmtree(storage_folder)
    await one.commit({info_hash(501): record(501)}, [])
    assert set(await read(hass)) == {info_hash(key) for key in (*MANY, 500, 501)}


async def test_only_the_newest_owner_writes(hass: HomeAssistant, storage_folder: Path) -> None:
    """A reload in the middle of a commit: what comes late must not undo what is newer."""
    old = await lived(hass, (books(range(1, 3)), []))
    new = type(old)(hass, "hub")
    await new.load()
    with pytest.raises(StorageError, match="anew"):
        await old.commit({}, [info_hash(1)])
    await new.commit({info_hash(3): record(3)}, [])
    assert await read(hass) == books(range(1, 4))


async def test_commit_is_finished_though_nobody_waits(
    hass: HomeAssistant, storage_folder: Path
) -> None:
    one = await lived(hass, (books(MANY), []))
    cancelled = threading.Event()
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        assert cancelled.wait(10)
        real_fsync(descriptor)

    with patch("os.fsync", fsync):
        committing = asyncio.ensure_future(one.commit({info_hash(500): record(500)}, []))
        await asyncio.sleep(0)
        committing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await committing
        cancelled.set()
        await one.commit({info_hash(502): record(502)}, [])
    await one.commit({info_hash(501): record(501)}, [])
    assert set(await read(hass)) == {info_hash(key) for key in (*MANY, 500, 501, 502)}


async def test_text_that_cannot_be_written(
    hass: HomeAssistant, storage_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Home Assistant logs the text, which cannot be handed from one test process to the next.
    caplog.set_level(logging.CRITICAL, logger="homeassistant.helpers.storage")
    bad = {info_hash(500): record(500, category="\ud800")}
    earlier: tuple[Books, list[str]]
    for earlier in ((books(range(1, 3)), []), (books(MANY), [])):
        one = await lived(hass, earlier)
        with pytest.raises(StorageError):
            await one.commit(bad, [])
        await one.commit({info_hash(501): record(501)}, [])
        assert info_hash(500) not in await read(hass)


async def test_a_hundred_thousand(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    count = 100_000
    data = {"revision": 1, "magnets": books(range(1, count + 1))}
    content = {"version": 1, "minor_version": 1, "key": STORE, "data": data}
    fresh(storage_folder, json.dumps(content))
    before = (storage_folder / STORE).stat().st_mtime_ns
    await primary.refuse()
    await start(instance("first", primary))
    counted = hass.states.get("sensor.qbittorrent_resilient_queued_magnets")
    assert counted
    assert counted.state == str(count)
    await add(hass, link(count + 1))
    assert (storage_folder / STORE).stat().st_mtime_ns == before
    assert journal_of(storage_folder).stat().st_size < 1000
    await eventually(
        lambda: hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", str(count + 1))
    )


async def test_file_that_ends_early(hass: HomeAssistant, storage_folder: Path) -> None:
    """Truncated at every byte: kept as it is, and the records before that are kept, too."""
    await lived(hass, (books(range(1, 4)), []))
    content = (storage_folder / STORE).read_bytes()
    for size in range(len(content.rstrip())):
        fresh(storage_folder, content[:size])
        whole = content[:size].count(b"      }")
        assert await read(hass) == books(range(1, whole + 1))
        (kept,) = names(storage_folder) - {STORE}
        assert kept.startswith(f"{STORE}.corrupt.")
        assert (storage_folder / kept).read_bytes() == content[:size]
        assert (storage_folder / STORE).exists() is bool(whole)


async def test_file_with_a_byte_flipped(hass: HomeAssistant, storage_folder: Path) -> None:
    """Only the record that is hit is missing, and no other is in its place."""
    await lived(hass, (books(range(1, 4)), []))
    content = (storage_folder / STORE).read_bytes()
    for at in range(len(content)):
        flipped = content[:at] + bytes([content[at] ^ 0x03]) + content[at + 1 :]
        fresh(storage_folder, flipped)
        found = await read(hass)
        assert found.items() <= books(range(1, 4)).items()
        assert len(found) >= 2
        kept = names(storage_folder) - {STORE}
        if kept or len(found) < 3:
            assert [(storage_folder / name).read_bytes() for name in kept] == [flipped]
        if at % 20 == 0:  # it is written anew, so nothing is wrong with it at the next start
            assert await read(hass) == found
            assert names(storage_folder) == kept | {STORE}
