"""Reads a file of records; from a damaged one, what still proves itself.

The file is searched for records as text: that works whatever is broken around them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
import json
import re
from typing import Any

import orjson

from ..errors import NewerVersionError
from .journal import is_revision
from .record import Record, from_record
from .snapshot import STORAGE_VERSION, Snapshot, checksum_of, record_checksum, unseal

_RECORD = re.compile(r'"([0-9a-f]{40}|[0-9a-f]{64})"\s*:\s*(?={)')
"""Quotes in a text are escaped in JSON, so no name of a torrent looks like that."""
_REVISION = re.compile(r'"revision"\s*:\s*(\d{1,16})\s*,')
_SEAL = re.compile(r'"(checksums|after|checksum)"\s*:\s*"([0-9a-f]*)"')
_DAMAGED_LIST = re.compile(r'"checksums"\s*:\s*"(.*?)"\s*,\s*"after"', re.DOTALL)
"""The list of checksums where one of its digits has become a quote, or anything else."""
_DIGITS = 8
_JSON = json.JSONDecoder()

type _Pairs = list[tuple[str, Record]]


def decode(raw: bytes) -> Snapshot:
    """Return what the file of a Store holds; raises NewerVersionError."""
    try:
        content = orjson.loads(raw)
    except ValueError:
        content = None
    fields = content if isinstance(content, dict) else {}
    version, data = fields.get("version"), fields.get("data")
    snapshot = unseal(data)
    is_sealed = snapshot is not None and snapshot.after is not None
    if type(version) is int and version > STORAGE_VERSION and not is_sealed:
        raise NewerVersionError("a newer version wrote the stored queue")
    if snapshot is not None and type(version) is int and version == STORAGE_VERSION:
        return snapshot
    return _salvaged(raw.decode("latin-1"), data)


@dataclass(frozen=True, slots=True)
class _Seal:
    """What can be found beside the records; each may be damaged or missing."""

    revision: int | None
    checksums: str = ""
    after: str | None = None
    checksum: str = ""

    def proves(self, checksums: str) -> bool:
        """Tell whether revision and `after` are as written, and the records have these sums."""
        if self.revision is None or self.after is None:
            return False
        return checksum_of(self.revision, self.after, checksums) == self.checksum


def _salvaged(text: str, data: Any) -> Snapshot:
    """Return what is sound; a character of `text` stands for a byte of the file."""
    magnets = data.get("magnets") if isinstance(data, dict) else None
    pairs: _Pairs = list(magnets.items()) if isinstance(magnets, dict) else []
    parsed = dict(pairs)
    pairs += _found(text)
    found = _revision(text)
    seal = _Seal(found, **dict(_SEAL.findall(text)))
    if whole_list := _DAMAGED_LIST.search(text):
        seal = replace(seal, checksums=whole_list[1])
    if not seal.checksums and not seal.checksum:  # cut off, or of the first versions
        return Snapshot(_sound(pairs), found, is_damaged=True)
    for records in (parsed, dict(pairs)):
        if seal.proves("".join(record_checksum(*pair) for pair in records.items())):
            # The list of checksums is damaged, or only the frame of it all.
            return Snapshot(records, found, seal.checksum, seal.after, is_damaged=True)
    if not seal.checksums:
        return Snapshot(_sound(pairs), None, seal.checksum, is_damaged=True)
    known = _listed(seal.checksums)
    kept = {key: record for key, record in pairs if record_checksum(key, record) in known}
    if seal.proves(seal.checksums):
        return Snapshot(kept, found, seal.checksum, seal.after, is_damaged=True)
    return Snapshot(kept, None, seal.checksum, is_damaged=True)


def _listed(checksums: str) -> set[str]:
    """Return the checksums in a list, counted from both its ends, as one of them may be damaged."""
    size = len(checksums)
    starts = {*range(0, size, _DIGITS), *range(size % _DIGITS, size, _DIGITS)}
    return {checksums[start : start + _DIGITS] for start in starts}


def _revision(text: str) -> int | None:
    match = _REVISION.search(text)
    revision = int(match[1]) if match else None
    return revision if is_revision(revision) else None


def _found(text: str) -> Iterator[tuple[str, Record]]:
    """Yield the keys and records in a text that need not be JSON as a whole."""
    for match in _RECORD.finditer(text):
        try:
            _, end = _JSON.raw_decode(text, match.end())
            yield match[1], orjson.loads(text[match.end() : end].encode("latin-1"))
        except ValueError, RecursionError:
            continue


def _sound(pairs: _Pairs) -> dict[str, Record]:
    """Return the records that are jobs, each of the torrent that its key names."""
    sound: dict[str, Record] = {}
    for key, record in pairs:
        try:
            from_record(record, key)
        except ValueError:
            continue
        sound[key] = record
    return sound
