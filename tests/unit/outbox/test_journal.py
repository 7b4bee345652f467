"""The journal: what is read was written, whatever happens to the file, and damage is noticed."""

from collections.abc import Callable
from dataclasses import replace
import errno
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch
import zlib

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core.outbox.journal import (
    Change,
    Journal,
    difference,
    encode,
    replay,
)
from tests.support.common import info_hash, link
from tests.support.disk_faults import KINDS, Disk, KilledError

CHANGES = [
    Change(4, {info_hash(1): {"link": link(1), "stage": "queued", "queued_at": 1.5}}, []),
    Change(5, {info_hash(2): {"link": link(2, name="Ünïcode"), "tags": ["a"]}}, [info_hash(1)]),
    Change(7, {}, [info_hash(2), info_hash(3)]),
    Change(8, {info_hash(4): {}}, []),
    Change(9, {}, [], (({"stage": "ä", "reason": None}, [info_hash(4), info_hash(5)]),)),
]
LINES = [encode(one) for one in CHANGES]


def append(journal: Journal, change: Change) -> int:
    return journal.append_line(encode(change))


def written(path: Path, *changes: Change) -> Journal:
    journal = Journal(path)
    for change in changes:
        assert append(journal, change) == len(encode(change))
    return journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.journal"


def test_changes_come_back_in_order(path: Path) -> None:
    journal = written(path, *CHANGES)
    assert journal.size == path.stat().st_size == sum(map(len, LINES))
    again = Journal(path)
    assert again.read() == CHANGES
    assert again.size == journal.size
    assert not again.damaged
    append(again, Change(10, {}, ["x"]))
    assert [one.revision for one in Journal(path).read()] == [4, 5, 7, 8, 9, 10]


def test_no_file_is_no_change(path: Path) -> None:
    journal = Journal(path)
    assert journal.read() == []
    assert journal.intact()
    journal.remove()
    assert not path.exists()


def test_file_is_private(path: Path) -> None:
    before = os.umask(0)
    try:
        written(path, CHANGES[0])
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_through_a_link(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("")
    path.symlink_to(other)
    journal = Journal(path)
    assert journal.read() == []
    with pytest.raises(OSError, match="left"):
        append(journal, CHANGES[0])
    other.unlink()  # and not through one that leads nowhere either
    with pytest.raises(OSError, match="left"):
        append(journal, CHANGES[0])
    assert not other.exists()


def test_truncated_at_every_byte(path: Path) -> None:
    content = b"".join(LINES)
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        whole = sum(size >= len(b"".join(LINES[: one + 1])) for one in range(len(LINES)))
        journal = Journal(path)
        assert journal.read() == CHANGES[:whole]
        assert not journal.damaged  # that much a crash explains
        assert journal.intact() is (journal.size == size)


def test_every_byte_flipped(path: Path) -> None:
    """Only the line that is damaged is lost, and where only its end is, not even that."""
    content = b"".join(LINES)
    for at in range(len(content)):
        hit = content[:at].count(b"\n")
        lost = [] if content[at : at + 1] == b"\n" else [CHANGES[hit]]
        for mask in (0x01, 0x20, 0x80, 0xFF):
            path.write_bytes(content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :])
            journal = Journal(path)
            assert journal.read() == [change for change in CHANGES if change not in lost]
            assert journal.damaged
            assert not journal.intact()


@pytest.mark.parametrize(
    "lines",
    [[0, 2, 1, 3, 4], [4, 3, 2, 1, 0], [0, 1, 1, 2, 3, 4], [0, 1, 2, 3, 4, 0], [0, 1, 2, 3, 4, 4]],
)
def test_lines_out_of_order(path: Path, lines: list[int]) -> None:
    """Swapped or doubled: they tell themselves in which order they belong."""
    path.write_bytes(b"".join(LINES[number] for number in lines))
    journal = Journal(path)
    assert journal.read() == CHANGES
    assert journal.damaged
    assert not journal.intact()


def test_a_line_names_the_one_before(path: Path) -> None:
    """What follows a line is known by its checksum; the first versions did not name it."""
    journal = written(path, CHANGES[0])
    checksum = LINES[0][:8].decode()
    assert journal.last == checksum
    append(journal, replace(CHANGES[1], after=checksum))
    first, second = Journal(path).read()
    assert (first.after, second.after) == ("", first.checksum) == ("", checksum)
    again = Journal(path)
    again.read()
    assert again.last == second.checksum
    again.remove()
    assert again.last == ""


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"garbage\n",
        b"\x00" * 512 + b"\n",
        LINES[0],
        LINES[3],
        LINES[1][:-1] + b"\r\n",
        LINES[1].upper(),
        encode(Change(10, {}, [5])),  # type: ignore[list-item]
        *(
            b"%08x %s\n" % (zlib.crc32(body), body)
            for body in (
                b"",
                b"[]",
                b"5",
                b"{}",
                b'{"revision":"10","put":{},"drop":[]}',
                b'{"revision":true,"put":{},"drop":[]}',
                b'{"revision":10,"put":5,"drop":[]}',
                b'{"revision":10,"put":{},"drop":{}}',
                b'{"revision":10,"alter":5}',
                b'{"revision":10,"alter":[5]}',
                b'{"revision":10,"alter":[[{}]]}',
                b'{"revision":10,"alter":[[5,["a"]]]}',
                b'{"revision":10,"alter":[[{},"a"]]}',
                b'{"revision":10,"alter":[[{},[5]]]}',
                b'{"revision":10,"after":5}',
                b'{"revision":-1}',
                b'{"revision":9007199254740992}',
            )
        ),
    ],
)
def test_foreign_lines_are_left_out(path: Path, line: bytes) -> None:
    last = Change(11, {}, [])
    path.write_bytes(b"".join(LINES) + line + encode(last))
    journal = Journal(path)
    assert journal.read() == [*CHANGES, last]
    assert journal.damaged
    assert not journal.intact()


def test_nothing_is_appended_behind_a_torn_line(path: Path) -> None:
    path.write_bytes(LINES[0] + LINES[1][:9])
    journal = Journal(path)
    with pytest.raises(OSError, match="left"):
        append(journal, CHANGES[2])
    assert path.read_bytes() == LINES[0] + LINES[1][:9]


@pytest.mark.parametrize("harm", ["deleted", "shortened", "grown"])
def test_nothing_is_appended_to_what_somebody_else_changed(path: Path, harm: str) -> None:
    journal = written(path, *CHANGES[:2])
    if harm == "deleted":
        path.unlink()
    else:
        path.write_bytes(LINES[0] + (b"" if harm == "shortened" else LINES[1] * 2))
    assert not journal.intact()
    with pytest.raises(OSError, match="left"):
        append(journal, CHANGES[2])
    journal.remove()
    append(journal, CHANGES[2])
    assert Journal(path).read() == CHANGES[2:3]


def test_kept_under_another_name(path: Path) -> None:
    journal = written(path, *CHANGES)
    kept = journal.quarantine()
    assert kept
    assert kept.read_bytes() == b"".join(LINES)
    assert not path.exists()
    assert (journal.size, journal.intact()) == (0, True)


def test_what_cannot_be_written_as_text_is_refused(path: Path) -> None:
    for text in ("\ud800", 2**64):
        with pytest.raises(ValueError, match="no JSON"):
            append(Journal(path), Change(1, {"a": {"name": text}}, []))
    assert not path.exists()


def _short(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda descriptor, data, at: real(descriptor, data[: max(1, len(data) // 2)], at)


def test_a_write_may_come_in_parts(path: Path) -> None:
    with patch.object(os, "pwrite", _short(os.pwrite)), patch.object(os, "pread", os.pread):
        written(path, *CHANGES)
    assert path.read_bytes() == b"".join(LINES)


def test_what_reads_differently_was_not_written(path: Path) -> None:
    """A card whose flash is worn out takes everything and keeps nothing."""
    journal = written(path, CHANGES[0])
    with (
        patch.object(os, "pread", lambda _, size, __: b"\xff" * size),
        pytest.raises(OSError, match="not what is read"),
    ):
        append(journal, CHANGES[1])
    assert path.read_bytes() == LINES[0]
    append(journal, CHANGES[1])
    assert Journal(path).read() == CHANGES[:2]


def test_a_line_that_cannot_be_cut_off_again(path: Path) -> None:
    """The disk fails for good: nothing is appended to what may be half a line."""
    journal = written(path, CHANGES[0])
    broken = OSError(errno.EIO, "Input/output error")
    with (
        patch.object(os, "fsync", side_effect=broken),
        patch.object(os, "ftruncate", side_effect=broken),
        pytest.raises(OSError, match="Input/output"),
    ):
        append(journal, CHANGES[1])
    assert not journal.intact()
    with pytest.raises(OSError, match="left"):
        append(journal, CHANGES[2])
    assert Journal(path).read() == CHANGES[:2]


@pytest.mark.parametrize("first", [0, 2], ids=["the first change", "a later change"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_step(path: Path, kind: str, first: int) -> None:
    """Before or after, never neither."""
    before, after = CHANGES[:first], CHANGES[: first + 1]
    at = 0
    while True:
        path.unlink(missing_ok=True)
        written(path, *before)
        journal = Journal(path)
        journal.read()
        disk = Disk(path.parent, at=at, kind=kind)
        try:
            with disk.watched():
                append(journal, CHANGES[first])
        except OSError:
            found = Journal(path).read()
            assert found == before
            append(journal, CHANGES[first])  # by itself, once the disk works
            assert Journal(path).read() == after
        except KilledError:
            found = Journal(path).read()
            assert found in (before, after)
        else:
            assert at == len(disk.steps)
            assert Journal(path).read() == after
            break
        at += 1
    assert at == (4 if first == 0 else 3)


def test_folder_is_synced_again_where_that_failed(path: Path) -> None:
    """A name that is not on disk takes the changes with it when the power goes."""
    at = Disk(path.parent)
    with at.watched():
        written(path, CHANGES[0])
    path.unlink()
    assert at.steps == ["open", "pwrite", "fsync", "fsync"]
    journal = Journal(path)
    with Disk(path.parent, at=3, kind="error").watched(), pytest.raises(OSError, match="No space"):
        append(journal, CHANGES[0])
    again = Disk(path.parent)
    with again.watched():
        append(journal, CHANGES[0])
        append(journal, CHANGES[1])
    assert again.steps == ["open", "pwrite", "fsync", "fsync", "pwrite", "fsync"]


@pytest.mark.parametrize("known", [True, False])
def test_folder_that_cannot_be_synced(path: Path, known: bool) -> None:
    """A network share may not know how; a disk that fails is something else."""
    error = OSError(errno.EIO if known else errno.EINVAL, "no")
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise error
        real(descriptor)

    with patch.object(os, "fsync", fsync):
        if known:
            with pytest.raises(OSError, match="no"):
                written(path, CHANGES[0])
        else:
            written(path, CHANGES[0])
    assert Journal(path).read() == ([] if known else CHANGES[:1])


def test_a_delivery_costs_little_more_than_the_hashes() -> None:
    before = {info_hash(one): {"link": link(one), "stage": "queued"} for one in range(100)}
    sent = {key: one | {"sent_to": "first", "sent_at": 2e9} for key, one in before.items()}
    new, alter = difference(before, sent)
    assert not new
    assert alter == [({"sent_to": "first", "sent_at": 2e9}, list(before))]
    assert len(encode(Change(1, new, [], alter))) < 100 * 43 + 100


def test_what_is_no_record_is_replaced() -> None:
    """A key under which something unreadable was stored."""
    new, alter = difference({"a": 5, "b": {"x": 1}}, {"a": {"x": 1}, "b": {"x": 1}})  # type: ignore[dict-item]
    assert (new, alter) == ({"a": {"x": 1}}, [])
    changes = [Change(1, {}, [], (({"x": 2}, ["a", "b", "gone"]),))]
    replayed = replay({"a": 5, "b": {"x": 1}}, changes, after=0)  # type: ignore[dict-item]
    assert replayed == {"a": 5, "b": {"x": 2}}


KEYS = st.sampled_from("abcdef")
RECORDS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(st.characters(codec="utf-8"), max_size=9),
    max_size=3,
)
STEPS = st.tuples(st.dictionaries(KEYS, RECORDS, max_size=4), st.sets(KEYS, max_size=3))


@given(
    steps=st.lists(STEPS, max_size=8),
    base=st.integers(0, 8),
    cut=st.integers(0, 2000),
)
@settings(max_examples=150, deadline=None)
def test_replay_is_the_books(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], base: int, cut: int
) -> None:
    states: list[dict[str, Any]] = [{}]
    changes = []
    for number, (put, drop) in enumerate(steps, 1):
        changes.append(Change(number, put, sorted(drop)))
        states.append({key: one for key, one in (states[-1] | put).items() if key not in drop})
    path = tmp_path_factory.mktemp("journal") / "queue.journal"
    journal = written(path, *changes)
    base = min(base, len(steps))
    assert replay(states[base], journal.read(), after=base) == states[-1]
    size = min(cut, journal.size)
    os.truncate(path, size) if path.exists() else None
    read = journal.read()
    assert replay({}, read, after=0) == states[len(read)]


FIELDS = st.dictionaries(
    st.sampled_from(["stage", "reason", "sent_to"]),
    st.booleans() | st.integers(0, 3) | st.text(st.characters(codec="utf-8"), max_size=3),
)


@given(
    before=st.dictionaries(KEYS, FIELDS),
    put=st.dictionaries(KEYS, FIELDS),
    drop=st.sets(KEYS, max_size=2),
)
@settings(max_examples=300, deadline=None)
def test_differences_make_the_same_books(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, Any],
    put: dict[str, Any],
    drop: set[str],
) -> None:
    new, alter = difference(before, put)
    path = tmp_path_factory.mktemp("journal") / "queue.journal"
    written(path, Change(1, new, sorted(drop), alter))
    after = {key: one for key, one in (before | put).items() if key not in drop}
    assert replay(before, Journal(path).read(), after=0) == after
