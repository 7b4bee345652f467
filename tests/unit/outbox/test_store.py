"""The store over a snapshot and a journal: which of them is written, when, and what it returns."""

from collections.abc import Callable, Mapping
import errno
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.outbox import store as module
from custom_components.qbittorrent_resilient.core.outbox.journal import Change, Journal, encode
from custom_components.qbittorrent_resilient.core.outbox.record import Record
from custom_components.qbittorrent_resilient.core.outbox.snapshot import Snapshot, seal, unseal
from custom_components.qbittorrent_resilient.core.outbox.store import RecordStore, SnapshotFile
from tests.support.common import info_hash, link

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


class MemoryFile(SnapshotFile):
    """A snapshot in memory; `fails` is when a write does."""

    def __init__(self) -> None:
        self.size: int | None = None
        self.content = Snapshot({})
        self.fails = ""
        self.saves = 0

    async def load(self) -> Snapshot:
        return self.content

    async def save(self, records: Mapping[str, Record], revision: int, after: str) -> str:
        self.saves += 1
        if self.fails == "before":
            raise StorageError("no")
        written = unseal(seal(dict(records), revision, after))
        assert written is not None
        self.content, self.size = written, 1000
        if self.fails == "after":
            raise StorageError("no")
        return written.checksum

    async def remove(self) -> None:
        self.content, self.size = Snapshot({}), None


class Files:
    """What outlives a store."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "queue.journal"
        self.snapshot = MemoryFile()
        self.jobs = 0

    def store(self) -> RecordStore:
        return RecordStore(self.snapshot, Journal(self.journal), self._run)

    async def records(self) -> Mapping[str, Record]:
        return await self.store().load()

    async def _run[*Args, T](self, job: Callable[[*Args], T], /, *args: *Args) -> T:
        self.jobs += 1
        return job(*args)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def record(number: int) -> dict[str, Record]:
    return {info_hash(number): {"link": link(number), "stage": "queued", "queued_at": 2e9}}


async def test_snapshot_first_then_a_line_for_each_commit(files: Files) -> None:
    store = files.store()
    assert await store.load() == {}
    await store.commit(record(1), [])
    assert not files.journal.exists()
    files.jobs = 0
    await store.commit(record(2), [])
    await store.commit({}, [info_hash(1)])
    assert files.jobs == 2  # of which each writes, syncs and reads back
    assert (files.snapshot.saves, files.snapshot.content.records) == (1, record(1))
    assert await files.records() == record(2)
    assert (files.snapshot.content.records, files.journal.exists()) == (record(2), False)


async def test_quarantined_files_are_returned_once(files: Files, tmp_path: Path) -> None:
    files.snapshot.content = Snapshot({}, quarantined=tmp_path / "away")
    store = files.store()
    assert await store.load() == {}
    assert store.take_quarantined() == (tmp_path / "away",)
    assert store.take_quarantined() == ()


@pytest.mark.parametrize("fails", ["", "before"])
async def test_damaged_journal_is_quarantined_once_the_snapshot_has_its_changes(
    files: Files, fails: str
) -> None:
    first = files.store()
    for number in (1, 2, 3):
        await first.commit(record(number), [])
    lines = files.journal.read_bytes().splitlines(keepends=True)
    damaged = lines[0].replace(b"queued", b"qu3ued") + lines[1]
    files.journal.write_bytes(damaged)
    files.snapshot.fails = fails
    store = files.store()
    assert await store.load() == record(1) | record(3)
    if fails:
        assert store.take_quarantined() == ()
        assert files.journal.read_bytes() == damaged
        files.snapshot.fails = ""
        await store.commit(record(4), [])
    (kept,) = store.take_quarantined()
    assert kept.name.startswith(f"{files.journal.name}.corrupt.")
    assert kept.read_bytes() == damaged
    assert not files.journal.exists()
    left = record(1) | record(3) | (record(4) if fails else {})
    again = files.store()
    assert await again.load() == left
    assert again.take_quarantined() == ()


async def test_refused_changes_do_not_come_back(files: Files) -> None:
    """The snapshot has them, though its write failed: the next commit writes it once more."""
    store = files.store()
    files.snapshot.fails = "after"
    with pytest.raises(StorageError):
        await store.commit(record(1), [])
    files.snapshot.fails = ""
    await store.commit(record(2), [])
    assert files.snapshot.saves == 2
    assert await files.records() == record(2)


async def test_revision_is_never_reused(files: Files) -> None:
    """A line that failed may be on disk after all: the next has another revision."""
    store = files.store()
    await store.commit(record(1), [])
    with patch.object(os, "fsync", side_effect=NO_SPACE), pytest.raises(StorageError):
        await store.commit(record(2), [])
    files.journal.unlink()
    await store.commit(record(3), [])
    (change,) = Journal(files.journal).read()
    assert (files.snapshot.content.revision, change.revision) == (1, 3)


async def test_compaction_that_fails_waits_for_more_changes(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMPACT_BYTES", 500)
    store = files.store()
    await store.commit(record(1), [])
    files.snapshot.size = 0
    files.snapshot.fails = "before"
    saves = []
    for number in range(2, 14):
        await store.commit(record(number), [])
        saves.append(files.snapshot.saves - 1)
    assert saves[0] == 0
    assert 1 < saves[-1] < 5
    assert await files.records() == {
        key: value for number in range(1, 14) for key, value in record(number).items()
    }


async def test_unreadable_records_are_counted_and_stay(files: Files) -> None:
    unreadable: dict[str, Any] = {"a": 5, "b": {"stage": "elsewhere"}}
    unreadable |= {info_hash(3): record(4)[info_hash(4)]}  # delivered, it would be another torrent
    await files.snapshot.save(unreadable | record(1), 3, "")
    store = files.store()
    await store.load()
    assert store.count_unreadable({info_hash(1)}.__contains__) == 3
    assert store.count_unreadable({"a"}.__contains__) == 2
    await store.commit(record(2), [])
    assert await files.records() == unreadable | record(1) | record(2)


async def test_read_changes_nothing_and_remove_leaves_nothing(files: Files) -> None:
    store = files.store()
    await store.commit(record(1), [])
    await store.commit(record(2), [])
    again = files.store()
    assert await again.read() == record(1) | record(2)
    assert files.journal.exists()
    await again.remove()
    assert not files.journal.exists()
    assert await files.records() == {}


async def test_journal_that_cannot_be_read(files: Files) -> None:
    fault = OSError(errno.EIO, "Input/output error")
    with (
        patch.object(Path, "open", side_effect=fault),
        pytest.raises(StorageError, match="cannot be read"),
    ):
        await files.store().load()


async def test_folder_in_the_place_of_the_journal(files: Files) -> None:
    """It is set aside, so that changes can be written again."""
    files.journal.mkdir()
    store = files.store()
    await store.load()
    (aside,) = store.take_quarantined()
    assert aside.is_dir()
    assert aside.name.startswith(f"{files.journal.name}.corrupt.")
    for number in (1, 2):
        await store.commit(record(number), [])
    assert await files.records() == _records(1, 2)


async def _lived(files: Files, *numbers: int) -> RecordStore:
    """Return the store of a life that has accepted these, the first of them into the snapshot."""
    store = files.store()
    await store.load()
    for number in numbers:
        await store.commit(record(number), [])
    return store


def _records(*numbers: int) -> dict[str, Record]:
    return {key: value for number in numbers for key, value in record(number).items()}


async def _expect(files: Files, records: Mapping[str, Record], told: int) -> None:
    """Load the files; expect these records, and so many files set aside; nothing is told twice."""
    store = files.store()
    assert await store.load() == records
    assert len(store.take_quarantined()) == told
    again = files.store()
    assert await again.load() == records
    assert again.take_quarantined() == ()
    await again.commit(record(99), [])
    assert await files.records() == dict(records) | record(99)


@pytest.mark.parametrize("missing", [1, 2])
async def test_line_that_is_missing(files: Files, missing: int) -> None:
    await _lived(files, 1, 2, 3, 4)
    lines = files.journal.read_bytes().splitlines(keepends=True)
    del lines[missing - 1]
    files.journal.write_bytes(b"".join(lines))
    await _expect(files, _records(*({1, 2, 3, 4} - {missing + 1})), 1)


async def test_journal_of_another_entry(files: Files, tmp_path: Path) -> None:
    """Its magnets were accepted, so they are not lost; and the user is told."""
    (tmp_path / "other").mkdir()
    other = Files(tmp_path / "other")
    await _lived(other, 11, 12, 13)
    await _lived(files, 1, 2)
    files.journal.write_bytes(other.journal.read_bytes())
    await _expect(files, _records(1, 12, 13), 1)


async def test_journal_without_a_snapshot(files: Files) -> None:
    await _lived(files, 1, 2, 3)
    files.snapshot = MemoryFile()
    await _expect(files, _records(2, 3), 1)


async def test_told_even_after_a_kill_between_the_two_writes(files: Files) -> None:
    """The new snapshot has everything; that the journal did not fit is not forgotten."""
    await _lived(files, 1, 2, 3)
    files.snapshot = MemoryFile()
    with patch.object(Journal, "quarantine", side_effect=OSError(errno.EIO, "killed")):
        store = files.store()
        assert await store.load() == _records(2, 3)
        assert store.take_quarantined() == ()
    await _expect(files, _records(2, 3), 1)


async def test_no_append_to_a_journal_that_does_not_fit(files: Files) -> None:
    """Where everything cannot be written anew at once, a change waits until it can."""
    await _lived(files, 1, 2, 3)
    files.snapshot = MemoryFile()
    files.snapshot.size, files.snapshot.fails = 1000, "before"
    store = files.store()
    assert await store.load() == _records(2, 3)
    before = files.journal.read_bytes()
    with pytest.raises(StorageError):
        await store.commit(record(4), [])
    assert files.journal.read_bytes() == before
    files.snapshot.fails = ""
    await store.commit(record(4), [])
    assert len(store.take_quarantined()) == 1
    await _expect(files, _records(2, 3, 4), 0)


@pytest.mark.parametrize("fails", ["before", "after"])
async def test_compaction_that_fails_is_no_damage(
    files: Files, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """Whether or not the snapshot was replaced: the lines after it go on from either."""
    monkeypatch.setattr(module, "COMPACT_BYTES", 300)
    store = await _lived(files, 1)
    files.snapshot.size, files.snapshot.fails = 0, fails
    await store.commit(record(2), [])
    await store.commit(record(3), [])
    assert files.snapshot.saves > 1
    await store.commit(record(4), [])
    files.snapshot.fails = ""
    await _expect(files, _records(1, 2, 3, 4), 0)


async def test_journal_that_cannot_be_removed_is_no_damage(files: Files) -> None:
    store = await _lived(files, 1, 2)
    with patch.object(Journal, "remove", side_effect=OSError(errno.EIO, "no")):
        for number in (3, 4):
            await store.rewrite(_records(1, 2))
            await store.commit(record(number), [])
            await store.rewrite(dict(store.records))
            await store.rewrite(dict(store.records))
    await store.commit(record(5), [])
    assert len(files.journal.read_bytes().splitlines()) > 2
    await _expect(files, _records(1, 2, 4, 5), 0)


@pytest.mark.parametrize("before", [(1,), (1, 2)])
async def test_refused_line_that_stayed_is_no_damage(files: Files, before: tuple[int, ...]) -> None:
    """It was written, then the disk failed for good; everything was written anew, then a kill."""
    store = await _lived(files, *before)
    with (
        patch.object(os, "fsync", side_effect=NO_SPACE),
        patch.object(os, "ftruncate", side_effect=NO_SPACE),
        pytest.raises(StorageError),
    ):
        await store.commit(record(3), [])
    with patch.object(Journal, "remove", side_effect=OSError(errno.EIO, "killed")):
        await store.commit(record(4), [])
    assert len(files.journal.read_bytes().splitlines()) == len(before)
    await _expect(files, _records(*before, 4), 0)


async def test_files_that_the_first_versions_wrote(files: Files) -> None:
    """They named nothing: read as then, and named from now on."""
    files.snapshot.content, files.snapshot.size = _unsealed(record(1), 3), 1000
    lines = [encode(Change(number, record(number), [])) for number in (3, 4, 6)]
    files.journal.write_bytes(b"".join(lines))
    store = files.store()
    assert await store.read() == _records(1, 4, 6)
    assert store.take_quarantined() == ()
    await store.commit(record(7), [])
    assert Journal(files.journal).read()[-1].after == lines[-1][:8].decode()
    await _expect(files, _records(1, 4, 6, 7), 0)
    files.snapshot.content = _unsealed(record(1), 3)
    await _expect(files, _records(1), 0)


def _unsealed(records: dict[str, Record], revision: int) -> Snapshot:
    found = unseal({"revision": revision, "magnets": records})
    assert found is not None
    return found


async def test_removal_keeps_a_damaged_journal(files: Files) -> None:
    store = await _lived(files, 1, 2, 3)
    damaged = files.journal.read_bytes().replace(b"queued", b"qu3ued", 1)
    files.journal.write_bytes(damaged)
    store = files.store()
    await store.read()
    await store.remove()
    (kept,) = store.take_quarantined()
    assert kept.read_bytes() == damaged
