"""The file of all records: it proves what it holds, and from a damaged one the rest is read."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from custom_components.qbittorrent_resilient.core.errors import NewerVersionError
from custom_components.qbittorrent_resilient.core.outbox.record import Record, from_record
from custom_components.qbittorrent_resilient.core.outbox.salvage import decode
from custom_components.qbittorrent_resilient.core.outbox.snapshot import Snapshot, seal
from tests.support.common import info_hash, link

OLD = Path(__file__).parents[2] / "data" / "stored_queue_0_1" / "qbittorrent_resilient.hub"
V2 = "cd" * 32


def _record(number: int, **more: Any) -> Record:
    return {"link": link(number), "stage": "queued", "queued_at": 2e9 + number, **more}


RECORDS: dict[str, Record] = {
    info_hash(1): _record(1, require_vpn=True),
    info_hash(2): _record(2, category='Ünï, "00": {', tags=["a", "b"]),
    V2: {"link": f"magnet:?xt=urn:btmh:1220{V2}", "stage": "failed", "queued_at": 5},
    "0" * 39 + "x": {"stage": "of a version to come"},
    info_hash(3): _record(3, sent_to="first", sent_at=2e9),
}


def _file(data: dict[str, Any], version: int = 1) -> bytes:
    """Return the file as Home Assistant's Store writes it."""
    content = {"version": version, "minor_version": 1, "key": "some.key", "data": data}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


SEALED = _file(seal(RECORDS, 7, "0123abcd"))
UNSEALED = _file({"revision": 7, "magnets": RECORDS})


def test_what_was_written_comes_back() -> None:
    snapshot = decode(SEALED)
    assert (snapshot.records, snapshot.revision, snapshot.after) == (RECORDS, 7, "0123abcd")
    assert snapshot.checksum
    assert not snapshot.is_damaged
    assert list(snapshot.records) == list(RECORDS)


def test_what_the_first_versions_read_is_where_it_was() -> None:
    """They take the two from the data, and look for the revision near the start of the file."""
    data = json.loads(SEALED)["data"]
    assert list(data)[:2] == ["revision", "magnets"]
    assert (data["revision"], data["magnets"]) == (7, RECORDS)
    assert b'"data": {\n    "revision": 7,' in SEALED[:200]


def test_what_the_first_versions_wrote_is_believed() -> None:
    snapshot = decode(UNSEALED)
    assert (snapshot.records, snapshot.revision, snapshot.after) == (RECORDS, 7, None)
    assert not snapshot.is_damaged


@pytest.mark.parametrize(
    "other",
    [
        seal(RECORDS, 8, "0123abcd"),
        seal(RECORDS, 7, ""),
        seal({**RECORDS, info_hash(1): _record(1)}, 7, "0123abcd"),
        seal(dict(reversed(RECORDS.items())), 7, "0123abcd"),
    ],
)
def test_every_difference_has_another_name(other: dict[str, Any]) -> None:
    assert other["checksum"] != decode(SEALED).checksum
    assert decode(_file(other)).checksum == other["checksum"]


def test_every_bit_flipped() -> None:
    """At most the record that is hit is missing, and nothing that is there was changed."""
    keys = list(RECORDS)
    for at in range(len(SEALED)):
        for bit in range(8):
            damaged = SEALED[:at] + bytes([SEALED[at] ^ 1 << bit]) + SEALED[at + 1 :]
            snapshot = decode(damaged)
            assert snapshot.records.items() <= RECORDS.items()
            assert len(snapshot.records) >= len(keys) - 1 - (keys[3] not in snapshot.records)
            assert snapshot.revision in (7, None)
            if snapshot.records != RECORDS or snapshot.revision != 7:
                assert snapshot.is_damaged


def test_every_bit_of_an_old_file_flipped() -> None:
    """Without checksums only the hash proves a record: at least it is never another torrent."""
    for at in range(len(UNSEALED)):
        for bit in range(8):
            damaged = UNSEALED[:at] + bytes([UNSEALED[at] ^ 1 << bit]) + UNSEALED[at + 1 :]
            try:
                snapshot = decode(damaged)
            except NewerVersionError:
                continue
            for key, record in snapshot.records.items():
                try:
                    job = from_record(record, key)
                except ValueError:
                    continue
                assert job.info_hash == key
                assert key in RECORDS


@pytest.mark.parametrize("whole", [SEALED, UNSEALED], ids=["sealed", "old"])
def test_cut_at_every_byte(whole: bytes) -> None:
    """What stands before the cut is kept, if it is a magnet."""
    ends = {key: whole.index(b"}", whole.index(b'"' + key.encode())) for key in RECORDS}
    for size in range(len(whole)):
        snapshot = decode(whole[:size])
        before = {key: RECORDS[key] for key, end in ends.items() if size > end}
        before.pop("0" * 39 + "x", None)
        assert {**snapshot.records, "0" * 39 + "x": {}} == {**before, "0" * 39 + "x": {}}
        assert snapshot.is_damaged
        assert snapshot.revision in (7, None)


def _changed(change: Callable[[dict[str, Any]], Any]) -> bytes:
    content = json.loads(SEALED)
    change(content)
    return _file(content["data"], content["version"])


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["data"].update(checksums="0" * 40),
        lambda content: content["data"].pop("checksums"),
        lambda content: content.update(version=9),
    ],
    ids=["list of checksums", "no list", "version"],
)
def test_frame_that_is_damaged(change: Callable[[dict[str, Any]], Any]) -> None:
    """All records are proven, and what the journal names the snapshot by."""
    whole, snapshot = decode(SEALED), decode(_changed(change))
    assert (snapshot.records, snapshot.checksum) == (RECORDS, whole.checksum)
    assert (snapshot.revision, snapshot.after) == (7, "0123abcd")
    assert snapshot.is_damaged


@pytest.mark.parametrize("name", ["revision", "after", "checksum"])
def test_names_that_are_damaged(name: str) -> None:
    """The records prove themselves; how old they are is not known."""
    damaged = _changed(
        lambda content: content["data"].update({name: 8 if name == "revision" else "0"})
    )
    assert decode(damaged) == Snapshot(RECORDS, None, decode(damaged).checksum, is_damaged=True)


def test_key_that_has_become_that_of_another() -> None:
    """Both records are in the file, though JSON knows only the last of them."""
    first, second = info_hash(1).encode(), info_hash(3).encode()
    at = SEALED.rindex(b'"' + second)
    damaged = SEALED[:at] + SEALED[at:].replace(second, first, 1)
    left = {key: record for key, record in RECORDS.items() if key != info_hash(3)}
    assert decode(damaged).records == left


def test_newer_version() -> None:
    with pytest.raises(NewerVersionError):
        decode(_file({"anything": "new"}, version=2))
    with pytest.raises(NewerVersionError):
        decode(_file(seal(RECORDS, 7, "") | {"checksum": "that of another version"}, version=2))
    with pytest.raises(NewerVersionError):
        decode(_file({"revision": 7, "magnets": RECORDS}, version=2))


def test_old_file_in_the_tests() -> None:
    snapshot = decode(OLD.read_bytes())
    assert (len(snapshot.records), snapshot.is_damaged) == (48, False)
    cut = decode(OLD.read_bytes()[:-20])
    assert (len(cut.records), cut.is_damaged) == (47, True)  # one of them no version can read
