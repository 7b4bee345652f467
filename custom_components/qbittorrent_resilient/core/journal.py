"""A file of changes, appended one line each, so that a change costs its own size on disk.

A line is the CRC-32 of its JSON, a blank, the JSON and a line end. The first line that is not just
that ends the journal: it was being written when the power went, and what follows is not believed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
import errno
import os
from pathlib import Path
from typing import Any
import zlib

import orjson

from .entry import Record

_WITHOUT_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_CHECKSUM = 8
"""Hex digits of a CRC-32: it shows every single damaged byte for certain."""


type Alteration = tuple[Record, Sequence[str]]
"""Fields with their new values (None: gone now), and the keys of the records that they are of."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit does to the records; each has a higher revision than the one before."""

    revision: int
    put: Mapping[str, Record]
    drop: Collection[str]
    alter: Sequence[Alteration] = ()


def difference(
    before: Mapping[str, Record], put: Mapping[str, Record]
) -> tuple[dict[str, Record], list[Alteration]]:
    """Return which records are new, and how the others differ from those before.

    A delivery changes a field or two of a magnet, and mostly of many magnets alike: what is written
    of that is little more than their hashes.
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
    """Return the records once all changes that are newer than revision `after` are made."""
    result = dict(records)
    for change in changes:
        if change.revision > after:
            result.update(change.put)
            for fields, keys in change.alter:
                for key in keys:
                    if isinstance(old := result.get(key), dict):
                        merged = old | fields
                        result[key] = {
                            name: value for name, value in merged.items() if value is not None
                        }
            for key in change.drop:
                result.pop(key, None)
    return result


class Journal:
    """The changes in one file; every call blocks until the disk has done its part."""

    def __init__(self, path: str | Path) -> None:
        """Use this file; it is created by the first change."""
        self.path = Path(path)
        self.damaged = False
        """Whether `read` found a whole line that is wrong: more than a crash leaves behind."""
        self._end: int | None = None  # where the last good line ends, once that is known
        self._in_folder = False  # whether the name of the file is known to be on disk

    @property
    def size(self) -> int:
        """Return how many bytes of changes there are."""
        return self._end or 0

    def read(self) -> list[Change]:
        """Return the changes, oldest first; raises OSError where the file cannot be read."""
        self.damaged = False
        self._end = 0
        changes: list[Change] = []
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return changes
        with file:
            for line in file:
                change = _decode(line)
                if change is None or (changes and change.revision <= changes[-1].revision):
                    self.damaged = line.endswith(b"\n")
                    break
                changes.append(change)
                self._end += len(line)
        return changes

    def intact(self) -> bool:
        """Tell whether the file ends where it was left: only then may a change be appended."""
        try:
            size = self.path.lstat().st_size
        except FileNotFoundError:
            size = 0
        return size == self._end

    def append(self, change: Change) -> int:
        """Write, sync and read back a change; return its size.

        Raises OSError, and then the file ends where it did before, if the disk lets it.
        """
        return self.append_line(encode(change))

    def append_line(self, line: bytes) -> int:
        """Append a change that is encoded already."""
        if self._end is None:
            self.read()
        end = self.size
        if not self.intact():
            raise OSError(errno.EIO, "the journal does not end where it was left")
        flags = os.O_RDWR | _WITHOUT_LINKS | (0 if end else os.O_CREAT)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            _write_checked(descriptor, line, end)
            if not self._in_folder:
                sync_folder(self.path.parent)
                self._in_folder = True
        except OSError:
            os.ftruncate(descriptor, end)
            os.fsync(descriptor)
            raise
        finally:
            os.close(descriptor)
        self._end = end + len(line)
        return len(line)

    def remove(self, *, kept: Path | None = None) -> None:
        """Delete the file, or keep it under another name; raises OSError."""
        try:
            if kept is None:
                self.path.unlink()
            else:
                self.path.rename(kept)
        except FileNotFoundError:
            pass
        self._end = 0
        self.damaged = self._in_folder = False


def encode(change: Change) -> bytes:
    """Return a change as a line; raises ValueError for what cannot be written."""
    content: dict[str, Any] = {"revision": change.revision}
    if change.put:
        content["put"] = dict(change.put)
    if change.alter:
        content["alter"] = change.alter
    if change.drop:
        content["drop"] = list(change.drop)
    try:
        body = orjson.dumps(content)
    except TypeError as err:
        raise ValueError("no JSON can hold this") from err
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _decode(line: bytes) -> Change | None:
    """Return the change of a line, or None where it is not whole."""
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
        )
    except ValueError, LookupError, TypeError, AttributeError:
        return None
    lists = (change.drop, *(keys for _, keys in change.alter))
    right = (
        type(change.revision) is int
        and all(isinstance(one, dict) for one in (change.put, *(one for one, _ in change.alter)))
        and all(isinstance(keys, list) for keys in lists)
        and all(isinstance(key, str) for keys in lists for key in keys)
    )
    return change if right else None


def _write_checked(descriptor: int, line: bytes, at: int) -> None:
    """Write the line at this place, sync it and read it back."""
    done = 0
    while done < len(line):
        done += os.pwrite(descriptor, memoryview(line)[done:], at + done)
    os.fsync(descriptor)
    found = b""
    while len(found) < len(line):
        if not (part := os.pread(descriptor, len(line) - len(found), at + len(found))):
            break
        found += part
    if found != line:
        raise OSError(errno.EIO, "what was written is not what is read")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as err:
        if err.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network shares know no such thing
            raise
    finally:
        os.close(descriptor)
