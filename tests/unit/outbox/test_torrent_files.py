"""Torrent files: on disk before a job refers to one, gone with the last job that does."""

import asyncio
from collections.abc import Callable
from copy import replace
import errno
import hashlib
import logging
import os
from pathlib import Path
from unittest.mock import patch

import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.outbox import torrent_files
from custom_components.qbittorrent_resilient.core.outbox.files import unconfirmed
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.outbox.torrent_files import TorrentFiles
from custom_components.qbittorrent_resilient.core.outbox.torrent_folder import TorrentFolder
from custom_components.qbittorrent_resilient.core.reconciliation.settling import complete
from custom_components.qbittorrent_resilient.core.torrent_file import read_torrent
from tests.support.disk_faults import KINDS, Disk, KilledError
from tests.support.outbox import job, reloaded
from tests.support.store import MemoryStore, run_at_once
from tests.support.torrents import MadeTorrent, torrent

ONE, TWO = torrent(1), torrent(2)
SAME = torrent(1, tracker="http://canary.example/announce")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def on_disk(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()} if folder.exists() else {}


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


async def given(queue: Outbox, made: MadeTorrent, at: float = 1.0) -> Job:
    """Return the job of a torrent file that was put."""
    name = await queue.torrent_files.put(made.data)
    return Job(magnet=read_torrent(made.data).magnet, queued_at=at, file=name)


async def test_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    """It is set aside, so that torrents can be kept."""
    path = tmp_path / "torrents"
    path.write_text("no folder")
    files = TorrentFiles(TorrentFolder(path), run_at_once)
    await files.keep_only(())
    assert await files.read(await files.put(ONE.data)) == ONE.data
    (aside,) = unconfirmed(path)
    assert aside.name.startswith("torrents.corrupt.")


async def accept(queue: Outbox, made: MadeTorrent) -> Job:
    (accepted,) = await queue.accept([await given(queue, made)])
    return accepted


@pytest.fixture
def files(tmp_path: Path) -> TorrentFiles:
    return TorrentFiles(TorrentFolder(tmp_path / "torrents"), run_at_once)


async def test_on_disk_for_its_owner_only(files: TorrentFiles, tmp_path: Path) -> None:
    folder = tmp_path / "torrents"
    assert await files.put(ONE.data) == sha256(ONE.data)
    assert await files.put(ONE.data) == sha256(ONE.data)
    assert on_disk(folder) == {f"{sha256(ONE.data)}.torrent": ONE.data}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert next(folder.iterdir()).stat().st_mode & 0o777 == 0o600
    assert await files.read(sha256(ONE.data)) == ONE.data


async def test_held_until_released_as_often(files: TorrentFiles, tmp_path: Path) -> None:
    one, two = await files.put(ONE.data), await files.put(TWO.data)
    await files.put(ONE.data)
    await files.discard([one])
    await files.keep_only([])
    await files.release([one], needed=[])
    assert len(on_disk(tmp_path / "torrents")) == 2
    await files.release([one, two], needed=[two])
    assert on_disk(tmp_path / "torrents") == {f"{two}.torrent": TWO.data}
    await files.discard([two, two, "../torrents", sha256(b"")])
    assert not (tmp_path / "torrents").exists()


async def test_left_overs_are_swept_and_nothing_else(files: TorrentFiles, tmp_path: Path) -> None:
    folder = tmp_path / "torrents"
    await files.keep_only([])
    assert not folder.exists()
    kept = await files.put(ONE.data)
    (folder / f"{sha256(TWO.data)}.torrent").write_bytes(TWO.data)
    (folder / f"{sha256(TWO.data)}.torrent.new").write_bytes(b"half")
    (folder / "note.txt").write_text("mine")
    (folder / "folder").mkdir()
    later = TorrentFiles(TorrentFolder(folder), run_at_once)
    await later.keep_only([kept])
    assert {one.name for one in folder.iterdir()} == {f"{kept}.torrent", "note.txt", "folder"}


async def test_a_full_disk_is_left_as_full_as_it_was(files: TorrentFiles, tmp_path: Path) -> None:
    """What was written of a file until then would take room until the next start."""
    folder = tmp_path / "torrents"
    await files.put(ONE.data)
    full = OSError(errno.ENOSPC, "no room")
    with patch("os.fsync", side_effect=full), pytest.raises(StorageError, match="no room"):
        await files.put(TWO.data)
    assert on_disk(folder) == {f"{sha256(ONE.data)}.torrent": ONE.data}


async def test_what_a_kill_left_is_not_written_through(files: TorrentFiles, tmp_path: Path) -> None:
    """A backup may have linked it, and its rights may be others."""
    folder, backup = tmp_path / "torrents", tmp_path / "backup"
    await files.put(ONE.data)
    left = folder / f"{sha256(TWO.data)}.torrent.new"
    left.write_bytes(b"half")
    left.chmod(0o644)
    backup.hardlink_to(left)
    name = await files.put(TWO.data)
    assert backup.read_bytes() == b"half"
    assert (folder / f"{name}.torrent").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
async def test_what_is_no_file_is_not_waited_for(
    files: TorrentFiles, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    folder = tmp_path / "torrents"
    folder.mkdir()
    make(folder / f"{sha256(ONE.data)}.torrent")
    before = open_files()
    assert await files.read(sha256(ONE.data)) is None
    assert open_files() == before


@pytest.mark.parametrize("content", [None, b"", ONE.data[:-1], TWO.data])
async def test_missing_or_damaged(
    files: TorrentFiles, tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    name = await files.put(ONE.data)
    file = tmp_path / "torrents" / f"{name}.torrent"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    for _ in range(3):
        assert await files.read(name) is None
    assert len(caplog.messages) == 1
    assert "lost" in caplog.text
    assert name not in caplog.text
    assert await files.put(ONE.data) == name
    assert await files.read(name) == ONE.data


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63])
async def test_no_other_file_is_read(files: TorrentFiles, tmp_path: Path, name: str) -> None:
    assert await files.read(name) is None


async def test_no_link_is_followed(files: TorrentFiles, tmp_path: Path) -> None:
    name = await files.put(ONE.data)
    file = tmp_path / "torrents" / f"{name}.torrent"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert await files.read(name) is None


async def test_bounded(files: TorrentFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torrent_files, "MOST_BYTES", len(ONE.data) + len(TWO.data) - 1)
    one = await files.put(ONE.data)
    await files.put(ONE.data)
    with pytest.raises(StorageError, match="no room"):
        await files.put(TWO.data)
    await files.release([one, one], needed=[])
    await files.put(TWO.data)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_step_of_a_put(tmp_path: Path, kind: str) -> None:
    """What was put is there; what was not is not taken for a file, and is swept."""
    folder, at = tmp_path / "torrents", 0
    while True:
        disk = Disk(tmp_path, at=at, kind=kind)
        files = TorrentFiles(TorrentFolder(folder), run_at_once)
        put = False
        try:
            with disk.watched():
                await files.put(ONE.data)
                put = True
        except KilledError, StorageError:
            pass
        later = TorrentFiles(TorrentFolder(folder), run_at_once)
        assert await later.read(sha256(ONE.data)) in ([ONE.data] if put else [ONE.data, None])
        await later.keep_only([])
        assert not on_disk(folder)
        if at >= len(disk.steps):
            break
        at += 1
    assert put
    assert disk.steps == ["open", "pwrite", "fsync", "rename", "fsync", "fsync"]


async def test_gone_with_its_job(queue: Outbox, disk: MemoryStore) -> None:
    accepted = await accept(queue, ONE)
    await accept(queue, TWO)
    assert set(disk.folder.files) == {sha256(ONE.data), sha256(TWO.data)}
    queue.put(accepted.attempted("timeout", 2.0))
    await queue.commit()
    assert sha256(ONE.data) in disk.folder.files
    queue.drop(ONE.info_hash)
    assert sha256(ONE.data) in disk.folder.files
    await queue.commit()
    assert set(disk.folder.files) == {sha256(TWO.data)}
    again = await reloaded(disk)
    assert [one.file for one in again.at(Stage.QUEUED)] == [sha256(TWO.data)]
    await again.change([(again.at(Stage.QUEUED)[0], None)])
    assert not disk.folder.files


async def test_swept_at_the_next_start(queue: Outbox, disk: MemoryStore) -> None:
    await accept(queue, ONE)
    await queue.torrent_files.put(TWO.data)
    disk.torrent_files = TorrentFiles(disk.folder, run_at_once)
    await reloaded(disk)
    assert set(disk.folder.files) == {sha256(ONE.data)}


async def test_not_accepted_not_kept(queue: Outbox, disk: MemoryStore) -> None:
    one, two = await accept(queue, ONE), await given(queue, TWO)
    disk.fill_up()
    with pytest.raises(StorageError):
        await queue.accept([two, await given(queue, ONE), await given(queue, SAME)])
    assert set(disk.folder.files) == {sha256(ONE.data)}
    assert queue.get(ONE.info_hash) == one


async def test_not_written_not_accepted(queue: Outbox, disk: MemoryStore) -> None:
    disk.folder.error = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StorageError, match="No space left on device"):
        await queue.torrent_files.put(ONE.data)
    assert not disk.folder.files


async def test_given_again_while_its_job_ends(queue: Outbox, disk: MemoryStore) -> None:
    await accept(queue, ONE)
    queue.drop(ONE.info_hash)
    again = await given(queue, ONE)
    await queue.commit()
    await queue.accept([again])
    assert set(disk.folder.files) == {sha256(ONE.data)}


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
@pytest.mark.parametrize("file_first", [True, False])
async def test_beside_its_magnet_one_job_with_the_file(
    queue: Outbox, disk: MemoryStore, kind: str, file_first: bool
) -> None:
    made = torrent(1, kind)  # type: ignore[arg-type]
    topics = [f"xt=urn:btih:{made.v1}"] * bool(made.v1)
    topics += [f"xt=urn:btmh:1220{made.v2}"] * bool(made.v2)
    for link in (*(f"magnet:?{topic}" for topic in topics), f"magnet:?{'&'.join(topics)}"):
        for one in [job(link), await given(queue, made)][:: -1 if file_first else 1]:
            await queue.accept([one])
        (only,) = queue.everything()
        assert only.file == sha256(made.data)
        assert set(disk.folder.files) == {sha256(made.data)}
        await queue.change([(only, None)])
        assert not disk.folder.files


async def test_another_file_of_the_same_torrent_takes_its_place(
    queue: Outbox, disk: MemoryStore
) -> None:
    await accept(queue, ONE)
    await accept(queue, SAME)
    (only,) = queue.everything()
    assert only.file == sha256(SAME.data)
    assert "canary" in only.magnet.link
    assert set(disk.folder.files) == {sha256(SAME.data)}


async def test_hybrid_given_after_its_first_hash_is_known_by_both(queue: Outbox) -> None:
    made = torrent(1, "hybrid")
    await queue.accept([job(f"magnet:?xt=urn:btih:{made.v1}")])
    await accept(queue, made)
    await queue.accept([job(f"magnet:?xt=urn:btmh:1220{made.v2}")])
    assert [one.info_hash for one in queue.everything()] == [made.v1]


@pytest.mark.parametrize("stage", [Stage.FAILED, Stage.SETTLING, Stage.QUEUED])
async def test_kept_until_its_job_is_done(queue: Outbox, disk: MemoryStore, stage: Stage) -> None:
    accepted = replace(await accept(queue, ONE), stage=stage, sent_to="key")
    queue.put(accepted)
    await queue.commit()
    assert disk.folder.files
    assert accepted.requeued().file == sha256(ONE.data)
    await queue.accept([job(ONE.magnet)])
    assert [one.file for one in queue.everything()] == [sha256(ONE.data)]


@pytest.mark.parametrize("suspects", [(), ("other",)])
async def test_not_kept_once_it_is_delivered(
    queue: Outbox, disk: MemoryStore, suspects: tuple[str, ...]
) -> None:
    accepted = replace(await accept(queue, ONE), suspects=suspects)
    complete(queue, accepted)
    await queue.commit()
    assert not disk.folder.files
    assert len(queue.everything()) == len(suspects)


async def test_stays_where_its_caller_goes_while_it_is_accepted(
    queue: Outbox, disk: MemoryStore
) -> None:
    """The write that was begun may have been done, so the job is there."""
    disk.halt()
    accepting = asyncio.create_task(accept(queue, ONE))
    while not disk.commits:
        await asyncio.sleep(0)
    accepting.cancel()
    await asyncio.wait([accepting])
    assert accepting.cancelled()
    disk.go_on()
    await queue.commit()
    (only,) = queue.everything()
    assert only.file == sha256(ONE.data)
    assert set(disk.folder.files) == {sha256(ONE.data)}
    queue.drop(only.info_hash)
    await queue.commit()
    assert not disk.folder.files


async def test_gone_with_its_caller_before_it_is_accepted(queue: Outbox, disk: MemoryStore) -> None:
    disk.halt()
    first = asyncio.create_task(accept(queue, ONE))
    while not disk.commits:
        await asyncio.sleep(0)
    given_second = await given(queue, TWO)
    second = asyncio.create_task(queue.accept([given_second]))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    disk.go_on()
    await first
    assert set(disk.folder.files) == {sha256(ONE.data)}
    assert [one.info_hash for one in queue.everything()] == [ONE.info_hash]


async def test_of_another_owner_is_not_removed(queue: Outbox, disk: MemoryStore) -> None:
    """What comes too late for a closed queue may be what the next one has."""
    late = await given(queue, ONE)
    queue.close()
    next_owner = await reloaded(disk)
    await accept(next_owner, ONE)
    with pytest.raises(StorageError):
        await queue.accept([late])
    assert set(disk.folder.files) == {sha256(ONE.data)}


async def test_two_at_once(files: TorrentFiles, tmp_path: Path) -> None:
    names = await asyncio.gather(*(files.put(made.data) for made in (ONE, TWO, ONE)))
    await asyncio.gather(files.release(names[:1], needed=()), files.put(ONE.data))
    assert len(on_disk(tmp_path / "torrents")) == 2


async def test_that_cannot_be_removed_stays(
    files: TorrentFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    name = await files.put(ONE.data)
    (tmp_path / "torrents" / f"{name}.torrent").unlink()
    (tmp_path / "torrents" / f"{name}.torrent").mkdir()
    await files.release([name], needed=())
    assert "until the next start" in caplog.text
