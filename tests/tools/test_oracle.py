"""Whether the soak's oracle tells a loss, a duplicate and a missing note when it sees one."""

import json
from pathlib import Path

import pytest

from custom_components.qbittorrent_resilient.core.outbox.journal import Change, Journal, encode
from tools.soak.books import Books, Look
from tools.soak.disk import DOMAIN, read_books, saved
from tools.soak.witness import Witness

ENTRY = f"{DOMAIN}.01ABC"
QUEUED = {"link": "magnet:?", "stage": "queued"}


def store(folder: Path, revision: int, *keys: str, **fields: str) -> None:
    magnets = {key: {**QUEUED, **fields} for key in keys}
    (folder / ENTRY).write_text(json.dumps({"data": {"revision": revision, "magnets": magnets}}))


def books_of(count: int) -> tuple[Books, list[str]]:
    books = Books()
    keys = books.new(count)
    books.accept(keys)
    return books, keys


@pytest.mark.parametrize("place", ["queued", "failed", "primary", "secondary"])
def test_a_magnet_in_one_place_is_good(place: str) -> None:
    books, keys = books_of(2)
    nowhere = dict.fromkeys(("queued", "failed", "primary", "secondary"), frozenset[str]())
    assert books.judge(Look(**nowhere | {place: frozenset(keys)}), 1) == ""
    assert books.good


def test_what_is_nowhere_is_lost_and_counted_once() -> None:
    books, (kept, gone) = books_of(2)
    look = Look([kept], [], [], [])
    assert books.judge(look, 3) == f"lost: {gone}"
    assert books.judge(look, 4) == ""
    assert books.harm == {gone}
    assert books.first_wrong == {"lost": 3}


def test_what_was_never_accepted_is_not_missed() -> None:
    books = Books()
    books.new(1)
    assert books.judge(Look([], [], [], []), 1) == ""


def test_what_is_on_both_servers_is_a_duplicate() -> None:
    books, (one, other) = books_of(2)
    assert books.judge(Look([], [], [one, other], [one]), 1) == f"on both: {one}"
    assert books.twice == {one}


def test_what_a_server_has_and_the_books_never_had() -> None:
    books = Books()
    (key,) = books.new(1)
    assert books.judge(Look([], [], [key], []), 1) == f"at a server before on disk: {key}"
    assert not books.good
    assert not books.harm


def test_the_books_are_the_file_and_the_newer_part_of_the_journal(tmp_path: Path) -> None:
    assert read_books(tmp_path) == {}
    journal = Journal(tmp_path / f"{ENTRY}.journal")
    journal.append_line(encode(Change(1, {"a": QUEUED, "gone": QUEUED}, [])))
    assert read_books(tmp_path).keys() == {"a", "gone"}
    store(tmp_path, 1, "a", "gone")
    journal.append_line(encode(Change(2, {"b": QUEUED}, ["gone"])))
    for name in (f"{ENTRY}.corrupt.2026", f"{DOMAIN}.kept"):
        (tmp_path / name).write_text("no JSON")
    assert read_books(tmp_path).keys() == {"a", "b"}
    store(tmp_path, 2, "b")
    assert read_books(tmp_path).keys() == {"b"}


def test_the_witness_wants_it_on_disk_first_and_noted_where_to(tmp_path: Path) -> None:
    books, (done,) = books_of(1)
    store(tmp_path, 1, "queued")
    witness = Witness(tmp_path, books)
    witness(set(), {"queued", done})
    assert (witness.early, witness.unnoted) == (set(), set())
    witness(set(), {"asked for while it is written"})
    assert not witness.early
    witness({"unknown"}, set())
    witness({"queued"}, set())
    assert (witness.early, witness.unnoted) == ({"unknown"}, {"unknown", "queued"})
    store(tmp_path, 2, "noted", sent_to="first")
    witness.unnoted.clear()
    witness({"noted"}, set())
    assert not witness.unnoted
    assert witness.on_disk == {"queued", "noted"}
    assert witness.trouble is None
    (tmp_path / ENTRY).write_text("no JSON")
    witness({"noted"}, set())
    assert isinstance(witness.trouble, ValueError)


def test_what_the_witness_saw_is_judged() -> None:
    books, (key,) = books_of(1)
    words = books.judge(Look([key], [], [], []), 2, early={"early"}, unnoted={key})
    assert words == (f"at a server before on disk: early; sent before it was noted where to: {key}")
    assert books.first_wrong.keys() == {
        "at a server before on disk",
        "sent before it was noted where to",
    }


def test_what_a_server_has_saved(tmp_path: Path) -> None:
    folder = tmp_path / "qBittorrent" / "data" / "BT_backup"
    folder.mkdir(parents=True)
    (folder / "a.fastresume").touch()
    assert [path.name for path in saved(tmp_path, ["a", "b"])] == ["a.fastresume"]
