"""Files of the queue that are damaged, or of different moments: nothing else is delivered for it.

Real files of one life are flipped, cut, swapped and exchanged. What is loaded then was accepted,
and what is missing is told. What is not hit is there, and the damaged file is kept.
"""

from collections.abc import Callable
import contextlib
import logging
from pathlib import Path
import random
import shutil

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.outbox.record import _OPTIONS, Record, from_record
from tests.support.actions import STORE
from tests.support.common import info_hash, link
from tests.support.disk_faults import KINDS, Disk, KilledError
from tests.support.queue_files import Books, a_life, lived

JOURNAL = f"{STORE}.journal"
COUNT = 8
WISHES: list[Record] = [
    {"require_vpn": True, "max_retries": 0, "instances": ["second", "first"]},
    {"category": "films", "save_path": "/data/films", "tags": ["new", "hd"]},
    {"automatic_management": True, "sequential": False, "first_last_piece_first": True},
    {"stopped": True, "attempts": 3, "last_attempt": 2e9 + 5, "reason": "timeout"},
    {"sent_to": "first", "sent_at": 2e9 + 1, "suspects": ["second"]},
]

type Files = tuple[bytes, bytes]
"""A snapshot and the journal beside it; empty: no such file."""


def _record(number: int) -> Record:
    """Return a record with a tracker, whose key could be damaged without its hash."""
    text = link(number, name=f"Name+{number}", extra=f"&tr=http%3A%2F%2Ftracker{number}.example")
    record: Record = {"link": text, "stage": "queued", "queued_at": 2e9 + number}
    return record | WISHES[number % len(WISHES)]


def _books(numbers: range) -> Books:
    return {info_hash(number): _record(number) for number in numbers}


def _files(folder: Path) -> Files:
    snapshot, journal = (folder / name for name in (STORE, JOURNAL))
    return snapshot.read_bytes(), journal.read_bytes() if journal.exists() else b""


def _put(folder: Path, files: Files) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in zip((STORE, JOURNAL), files, strict=True):
        if content:
            (folder / name).write_bytes(content)


class Life:
    """The files at some moments of one life, and the records at each moment."""

    def __init__(self) -> None:
        self.moments: list[tuple[Files, Books]] = []

    async def live(self, hass: HomeAssistant, folder: Path) -> None:
        """Accept, send, note and forget magnets, with a restart in the middle."""
        shutil.rmtree(folder, ignore_errors=True)
        storage = await lived(hass, (_books(range(1, COUNT)), []))
        for first in (COUNT, 2 * COUNT):
            for number in range(first, first + 3):
                await storage.commit({info_hash(number): _record(number)}, [])
            sent = {info_hash(number): _record(number) for number in (first, first + 1)}
            for record in sent.values():
                record |= {"sent_to": "second", "sent_at": 2e9 + 9}
            await storage.commit(sent, [])
            await storage.commit({}, [info_hash(first - COUNT + 3)])
            self.moments.append((_files(folder), dict(storage._store.records)))
            storage = a_life(hass)
            await storage.load()
            self.moments.append((_files(folder), dict(storage._store.records)))

    @property
    def accepted(self) -> dict[str, Record]:
        """Return every record as it was accepted."""
        return {info_hash(number): _record(number) for number in range(1, 3 * COUNT)}


class Seen:
    """What a start finds in the files, and what it says."""

    def __init__(self) -> None:
        self.told: list[Path] = []
        self.records: Books = {}
        self.unreadable = 0

    async def start(self, hass: HomeAssistant) -> None:
        """Load the files as a start does."""
        storage = a_life(hass)
        storage.subscribe(lambda report: self.told.extend(report.unreadable_files))
        outbox = Outbox(storage)
        await outbox.load()
        self.unreadable = storage.count_unreadable(outbox.get)
        jobs = {job.info_hash: job for job in outbox.everything()}
        self.records = {key: storage._store.records[key] for key in jobs}
        assert all(from_record(one, key) == jobs[key] for key, one in self.records.items())


_WISHES = ("link", "instances", "require_vpn", "max_retries", *_OPTIONS)


def _assert_accepted(life: Life, found: Books) -> None:
    """Every byte of a link, and where it may go, is as it was accepted."""
    for key, record in found.items():
        accepted = life.accepted[key]
        assert {name: record.get(name) for name in _WISHES} == {
            name: accepted.get(name) for name in _WISHES
        }


async def _check(
    hass: HomeAssistant, folder: Path, life: Life, files: Files, whole: Books, harmed: int
) -> Seen:
    """Start with these files, of whose records at most `harmed` may be missing, and once more."""
    _put(folder, files)
    seen = Seen()
    await seen.start(hass)
    _assert_accepted(life, seen.records)
    assert not seen.unreadable
    if seen.records != whole:
        assert seen.told
    assert len(whole.keys() - seen.records.keys()) <= harmed
    kept = {path.read_bytes() for path in seen.told}
    assert kept <= set(files)
    again = Seen()
    await again.start(hass)
    assert again.records == seen.records
    assert set(again.told) == set(seen.told)  # the same, until it is confirmed
    return seen


@pytest.fixture
async def life(hass: HomeAssistant, storage_folder: Path, caplog: pytest.LogCaptureFixture) -> Life:
    """Return a life that was lived in the storage folder."""
    caplog.set_level(logging.CRITICAL, "custom_components")
    life = Life()
    await life.live(hass, storage_folder)
    return life


def _flipped(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def _overwritten(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    size = rng.randrange(2, 60)
    garbage = rng.choice([bytes(size), rng.randbytes(size), content[:size]])
    return content[:at] + garbage + content[at + size :]


def _without_a_line(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[rng.randrange(len(lines) - 1)]  # a last one would be an older state of the file
    return b"".join(lines)


def _with_two_swapped(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    first, second = rng.sample(range(len(lines)), 2)
    lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


def _with_one_doubled(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return b"".join(lines)


DAMAGES: dict[Callable[[bytes, random.Random], bytes], tuple[int, int]] = {
    _flipped: (60, 1),
    _overwritten: (30, 3),
    _without_a_line: (20, 1),
    _with_two_swapped: (20, 2),
    _with_one_doubled: (12, 1),
}
"""How often each is tried with either file, and how many records it may cost."""


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("which", ["snapshot", "journal"])
async def test_damage(
    hass: HomeAssistant,
    storage_folder: Path,
    life: Life,
    which: str,
    damage: Callable[[bytes, random.Random], bytes],
) -> None:
    rng = random.Random(which + damage.__name__)
    times, harmed = DAMAGES[damage]
    for _ in range(times):
        (snapshot, journal), whole = life.moments[0]
        if which == "snapshot":
            snapshot = damage(snapshot, rng)
        else:
            journal = damage(journal, rng)
        await _check(hass, storage_folder, life, (snapshot, journal), whole, harmed)


async def _found(hass: HomeAssistant, folder: Path, life: Life, files: Files, whole: Books) -> int:
    """Start with these files, expect these records, and return how many files are told."""
    return len((await _check(hass, folder, life, files, whole, 0)).told)


async def test_files_of_different_moments(
    hass: HomeAssistant, storage_folder: Path, life: Life
) -> None:
    """A journal is used where it goes on from the snapshot; else it is set aside, and this is told.

    What is newer than the snapshot is owed nevertheless. Of what is older, the snapshot knows what
    became of it.
    """
    ((s0, j0), first), ((s1, none), then), ((_, j1), later), ((s2, _), last) = life.moments
    assert (first, later) == (then, last)
    assert none == b""
    added = {key: record for key, record in later.items() if key not in first}
    started = {key: one for key, one in first.items() if int(key, 16) < COUNT and key in later}
    cases: dict[str, tuple[Files, Books, int]] = {
        "killed before the journal was removed": ((s1, j0), then, 0),
        "killed so at the next start": ((s2, j1), last, 0),
        "an older pair": ((s0, j0), first, 0),
        "an older snapshot, before there was a journal": ((s1, b""), then, 0),
        "a newer snapshot": ((s2, j0), last, 1),
        "no snapshot": ((b"", j1), added, 1),
        "two journals": ((s1, j0 + j1), later, 0),
    }
    for name, (files, whole, told) in cases.items():
        assert await _found(hass, storage_folder, life, files, whole) == told, name
    _put(storage_folder, (s0, j1))  # an older snapshot: one line of those between is known
    seen = Seen()
    await seen.start(hass)
    assert len(seen.told) == 1
    _assert_accepted(life, seen.records)
    assert seen.records.keys() >= added.keys() | started.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("harmed", ["snapshot", "journal", "pair"])
async def test_killed_while_it_is_set_aside(
    hass: HomeAssistant, storage_folder: Path, life: Life, harmed: str, kind: str
) -> None:
    """At every step of such a start, or the disk fails then: no more is lost, and it is told."""
    ((snapshot, journal), whole), _, ((_, newer), _), _ = life.moments
    if harmed == "snapshot":
        snapshot = snapshot.replace(b"Name+1", b"Nbme+1", 1)
    elif harmed == "journal":
        journal = journal.replace(b"Name+9", b"Nbme+9", 1)
    files = (snapshot, newer if harmed == "pair" else journal)
    _put(storage_folder, files)
    expected = Seen()
    await expected.start(hass)
    assert harmed == "pair" or len(expected.records) == len(whole) - 1
    at = 0
    while True:
        _put(storage_folder, files)
        first, second = Seen(), Seen()
        disk = Disk(storage_folder, at=at, kind=kind)
        with disk.watched(), contextlib.suppress(KilledError, StorageError):
            await first.start(hass)
        await second.start(hass)
        assert second.records == expected.records, disk.steps
        (told,) = {*first.told, *second.told}
        assert second.told == [told], disk.steps
        assert told.read_bytes() in files
        if at >= len(disk.steps):
            break
        at += 1
    assert at >= 3
