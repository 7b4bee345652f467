"""The file of all records, and how it proves that it is what was written.

The data in the file are, in this order: `revision`, `magnets` (the records by info-hash), and what
the first versions neither wrote nor read: `checksums` (of each record, in the order of the
records), `after` (the checksum of what this snapshot followed) and `checksum` (of all this).

Whatever has a checksum is named by it. A line of the journal names the line before it, or the
snapshot where it is the first after that. A snapshot names the last line that it has made
superfluous. So a file that was damaged, or exchanged for that of another moment, does not fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
import zlib

import orjson

from .journal import Change, is_revision
from .record import Record

STORAGE_VERSION = 1
"""It is part of the checksum: where a digit of it is damaged, the file is not that of a newer
version."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a file of records holds.

    `revision` is None where it cannot be known any more. `checksum` is what the journal names it
    by, or empty where there is no file, or only parts of one. `after` is None where the file does
    not say what it followed. If `is_damaged`, the records are those that still prove themselves,
    and `quarantined` is where the file is kept.
    """

    records: dict[str, Record]
    revision: int | None = 0
    checksum: str = ""
    after: str | None = None
    is_damaged: bool = False
    quarantined: Path | None = None


def record_checksum(key: str, record: Any) -> str:
    """Return eight hex digits over a record and its key; raises TypeError if it is no JSON."""
    return f"{zlib.crc32(orjson.dumps(record), zlib.crc32(key.encode())):08x}"


def checksum_of(revision: int, after: str, checksums: str) -> str:
    """Return the checksum of a snapshot with these parts."""
    text = f"{STORAGE_VERSION} {revision} {after} {checksums}"
    return f"{zlib.crc32(text.encode()):08x}"


def seal(records: Mapping[str, Record], revision: int, after: str) -> dict[str, Any]:
    """Return what is written to the file; raises TypeError if a record is no JSON."""
    checksums = _joined_checksums(records)
    return {
        "revision": revision,
        "magnets": records,
        "checksums": checksums,
        "after": after,
        "checksum": checksum_of(revision, after, checksums),
    }


def unseal(data: Any) -> Snapshot | None:
    """Return the snapshot in these data, or None where they are not as they were written.

    What a version has written that did not know checksums is believed.
    """
    if not isinstance(data, dict):
        return None
    records, revision, after = data.get("magnets"), data.get("revision"), data.get("after")
    if not isinstance(records, dict) or not is_revision(revision):
        return None
    checksums = _joined_checksums(records)
    if not data.keys() & {"checksums", "after", "checksum"}:
        return Snapshot(records, revision, checksum_of(revision, "", checksums))
    checksum = checksum_of(revision, after, checksums) if isinstance(after, str) else ""
    if (data.get("checksums"), data.get("checksum")) != (checksums, checksum):
        return None
    return Snapshot(records, revision, checksum, after)


def continuation(snapshot: Snapshot, changes: Sequence[Change]) -> tuple[list[Change], bool]:
    """Return which changes are newer than the snapshot, and whether the two fit each other.

    `changes` are those of the whole journal, in the order of their revisions. Those that a version
    has written that named nothing fit everything but the lack of a snapshot.
    """
    names = {snapshot.checksum, snapshot.after or ""} - {""}
    start = _first_newer(snapshot, changes, names)
    older, newer = changes[:start], list(changes[start:])
    fits = all(not one.after or one.after == before.checksum for before, one in pairwise(newer))
    if newer:
        is_alone = not snapshot.checksum and not snapshot.is_damaged
        first = newer[0].after
        # Its own predecessor is named where the snapshot was written, but that was not noticed.
        fits = fits and not is_alone and (not first or not names or first in names)
    if older and snapshot.after is not None:
        # A line may follow the last known one: it was refused, and could not be cut off again.
        ends = {one.checksum for one in older} | {one.after for one in older}
        fits = fits and snapshot.after in ends - {""}
    return newer, fits


def _first_newer(snapshot: Snapshot, changes: Sequence[Change], names: set[str]) -> int:
    """Return the index of the first change that the snapshot does not contain."""
    for at, change in enumerate(changes):
        if snapshot.revision is None and change.after in names:
            return at
        if snapshot.revision is not None and change.revision > snapshot.revision:
            return at
    return 0 if snapshot.revision is None else len(changes)


def _joined_checksums(records: Mapping[str, Any]) -> str:
    return "".join([record_checksum(key, record) for key, record in records.items()])
