"""A file to which each change appends a line, so that a change costs its own size on disk.

A line is the CRC-32 of its JSON, a blank, the JSON and a line end. Half a line at the end was being
written when the power failed. Anything else that is no line, or is not in order, is damage; the
other lines still count.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
import errno
from itertools import pairwise
from operator import attrgetter
import os
from pathlib import Path
import re
from typing import Any, TypeGuard
import zlib

import orjson

from .files import quarantine, sync_folder
from .record import Record

_WITHOUT_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_CHECKSUM = 8
"""Hex digits of a CRC-32: it shows every single damaged byte for certain."""
_LINE_START = re.compile(rb'[0-9a-f]{8} \{"revision":')
"""Quotes in a text are escaped in JSON, so no text in a line looks like the start of one."""
_TOO_HIGH = 2**53
"""No queue lives to see such a revision; one more, and JSON could not hold it for certain."""


type Alteration = tuple[Record, Sequence[str]]
"""Fields with their new values (None: removed), and the keys of the records that get them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit does to the records, by key; its revision is higher than any before.

    `after` is the checksum of the line or snapshot that it follows, `checksum` that of its own
    line, once it is read. The first versions wrote no `after`.
    """

    revision: int
    put: Mapping[str, Record]
    drop: Collection[str]
    alter: Sequence[Alteration] = ()
    after: str = ""
    checksum: str = field(default="", compare=False)


def is_revision(value: Any) -> TypeGuard[int]:
    """Tell whether this may be the number of a revision."""
    return type(value) is int and 0 <= value < _TOO_HIGH


def difference(
    before: Mapping[str, Record], put: Mapping[str, Record]
) -> tuple[dict[str, Record], list[Alteration]]:
    """Return which records in `put` are new, and how the others differ from those in `before`.

    A delivery changes one or two fields of a magnet, often in the same way for many magnets. Then
    little more than their hashes is written.
    """
    new: dict[str, Record] = {}
    alike: dict[bytes, tuple[Record, list[str]]] = {}
    for key, record in put.items():
        if not isinstance(old := before.get(key), dict):
            new[key] = record
            continue
        fields = {name: value for name, value in record.items() if old.get(name) != value}
        fields |= dict.fromkeys(old.keys() - record.keys())
        if fields:
            alike.setdefault(orjson.dumps(fields), (fields, []))[1].append(key)
    return new, list(alike.values())


def replay(
    records: Mapping[str, Record], changes: Iterable[Change], *, after: int
) -> dict[str, Record]:
    """Return the records after all changes that are newer than revision `after`."""
    result = dict(records)
    for change in changes:
        if change.revision <= after:
            continue
        result.update(change.put)
        for fields, keys in change.alter:
            for key in keys:
                if isinstance(old := result.get(key), dict):
                    result[key] = _altered(old, fields)
        for key in change.drop:
            result.pop(key, None)
    return result


def _altered(record: Record, fields: Record) -> Record:
    return {name: value for name, value in (record | fields).items() if value is not None}


class Journal:
    """The changes in one file. Every method blocks until the disk is done."""

    def __init__(self, path: str | Path) -> None:
        """Use this file; the first change creates it."""
        self.path = Path(path)
        self.damaged = False
        """Whether `read` found what no crash leaves behind; others may find so, too."""
        self.last = ""
        """The checksum of the last change in the file, or empty."""
        self._end = 0  # where the last line ends before which all is in order
        self._is_in_folder = False  # whether the name of the file is known to be on disk

    @property
    def size(self) -> int:
        """Return the size in bytes of the valid changes that were read or written so far."""
        return self._end

    def read(self) -> list[Change]:
        """Return the valid changes, oldest first; raises OSError if the file cannot be read.

        A folder in its place counts as damaged.
        """
        self._reset()
        changes: list[Change] = []
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return changes
        except IsADirectoryError:
            self.damaged = True
            return changes
        with file:
            for line in file:
                change = _decode(line)
                found = list(_within(line)) if change is None else [change]
                is_next = change and (not changes or change.revision > changes[-1].revision)
                if not is_next and (found or line.endswith(b"\n")):
                    self.damaged = True
                elif is_next and not self.damaged:
                    self._end += len(line)
                changes += found
        if self.damaged:
            once = {(change.revision, change.checksum): change for change in changes}
            changes = sorted(once.values(), key=attrgetter("revision"))
        self.last = changes[-1].checksum if changes else ""
        return changes

    def intact(self) -> bool:
        """Tell whether the file ends with the last good line, and so may get another one."""
        try:
            size = self.path.lstat().st_size
        except FileNotFoundError:
            size = 0
        return size == self._end

    def append_line(self, line: bytes) -> int:
        """Write, sync and read back a line that `encode` returned; return its size in bytes.

        Raises OSError, and then the file ends where it did before, if the disk permits that.
        """
        if not self.intact():
            raise OSError(errno.EIO, "the journal does not end where it was left")
        flags = os.O_RDWR | _WITHOUT_LINKS | (0 if self._end else os.O_CREAT)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            _write_checked(descriptor, line, self._end)
            if not self._is_in_folder:
                sync_folder(self.path.parent)
                self._is_in_folder = True
        except OSError:
            os.ftruncate(descriptor, self._end)
            os.fsync(descriptor)
            raise
        finally:
            os.close(descriptor)
        self._end += len(line)
        self.last = _checksum(line)
        return len(line)

    def remove(self) -> None:
        """Delete the file, if there is one; raises OSError."""
        self.path.unlink(missing_ok=True)
        self._reset()

    def quarantine(self) -> Path | None:
        """Rename the file, so that it is kept; return its new name, or None if there is no file.

        Raises OSError.
        """
        name = quarantine(self.path)
        self._reset()
        return name

    def _reset(self) -> None:
        self._end, self.last = 0, ""
        self.damaged = self._is_in_folder = False


def encode(change: Change) -> bytes:
    """Return a change as a line; raises ValueError if JSON cannot hold it."""
    content: dict[str, Any] = {"revision": change.revision}
    if change.put:
        content["put"] = dict(change.put)
    if change.alter:
        content["alter"] = change.alter
    if change.drop:
        content["drop"] = list(change.drop)
    if change.after:
        content["after"] = change.after
    try:
        body = orjson.dumps(content)
    except TypeError as err:
        raise ValueError("no JSON can hold this") from err
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _decode(line: bytes) -> Change | None:
    """Return the change in a line, or None if the line is incomplete or invalid."""
    body = line[_CHECKSUM + 1 : -1]
    if line != b"%08x %s\n" % (zlib.crc32(body), body):
        return None
    try:
        content = orjson.loads(body)
        change = Change(
            content["revision"],
            content.get("put", {}),
            content.get("drop", []),
            tuple((fields, keys) for fields, keys in content.get("alter", [])),
            content.get("after", ""),
            _checksum(line),
        )
    except ValueError, LookupError, TypeError, AttributeError:
        return None
    return change if _has_right_types(change) else None


def _within(line: bytes) -> Iterator[Change]:
    """Yield the changes in what is no line, because the end of a line is damaged."""
    starts = [match.start() for match in _LINE_START.finditer(line)]
    for start, end in pairwise([*starts, len(line)]):
        if (change := _decode(line[start : end - 1] + b"\n")) is not None:
            yield change


def _checksum(line: bytes) -> str:
    return line[:_CHECKSUM].decode("ascii", "replace")


def _has_right_types(change: Change) -> bool:
    """Tell whether JSON that is valid also has the shape of a change."""
    records = (change.put, *(fields for fields, _ in change.alter))
    lists = (change.drop, *(keys for _, keys in change.alter))
    return (
        is_revision(change.revision)
        and isinstance(change.after, str)
        and all(isinstance(record, dict) for record in records)
        and all(isinstance(keys, list) for keys in lists)
        and all(isinstance(key, str) for keys in lists for key in keys)
    )


def _write_checked(descriptor: int, line: bytes, at: int) -> None:
    """Write the line at this offset, sync it and read it back; raises OSError."""
    written = 0
    while written < len(line):
        written += os.pwrite(descriptor, memoryview(line)[written:], at + written)
    os.fsync(descriptor)
    read_back = b""
    while len(read_back) < len(line):
        part = os.pread(descriptor, len(line) - len(read_back), at + len(read_back))
        if not part:
            break
        read_back += part
    if read_back != line:
        raise OSError(errno.EIO, "what was written is not what is read")
