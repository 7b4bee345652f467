"""Reads bencode, the format of torrent files, and keeps the raw bytes of one dictionary.

The libraries on PyPI either call themselves for each nested value, so that a small file ends the
process, or do not tell which bytes a value was made of, which the hashes are taken over.
"""

from dataclasses import dataclass
import re

from .errors import InvalidTorrentError

MOST_DEPTH = 100
"""Lists and dictionaries in each other; libtorrent, which qBittorrent reads with, takes as many."""
MOST_VALUES = 1_000_000
"""In one file, so that it takes little memory and time; a torrent of 10,000 files has 60,000."""

_INTEGER = re.compile(rb"i(0|-?[1-9][0-9]{0,18})e")
_LENGTH = re.compile(rb"(0|[1-9][0-9]{0,8}):")

type Value = int | bytes | list[Value] | dict[bytes, Value]
"""What a file is made of."""


@dataclass(slots=True)
class _Open:
    """A list or dictionary whose end has not been read yet; `begins` is where it does."""

    value: list[Value] | dict[bytes, Value]
    begins: int
    key: bytes | None = None
    """In a dictionary: the key that a value has to follow."""

    def take(self, item: Value) -> None:
        """Take the next item; raises InvalidTorrentError if it has no place here."""
        if isinstance(self.value, list):
            self.value.append(item)
        elif self.key is not None:
            self.value[self.key], self.key = item, None
        elif not isinstance(item, bytes):
            raise InvalidTorrentError("damaged: a key is no text")
        elif item in self.value:
            raise InvalidTorrentError("damaged: it says something twice")
        else:
            self.key = item


def read_dictionary(data: bytes, key: bytes) -> tuple[dict[bytes, Value], bytes]:
    """Return the dictionary that `data` are, and the raw bytes of the dictionary under `key` in it.

    They are empty where there is none. Keys may be in any order, as libtorrent has it. Raises
    InvalidTorrentError.
    """
    at, raw = 0, b""
    stack: list[_Open] = []
    for _ in range(MOST_VALUES):
        begins = at
        kind = data[at : at + 1]
        if kind in (b"d", b"l"):
            stack.append(_opened(kind, begins, stack))
            at += 1
            continue
        if not stack:
            break
        item: Value
        if kind == b"e":
            at += 1
            item, begins = _closed(stack.pop())
            if not stack:
                if at != len(data):
                    raise InvalidTorrentError("damaged: something follows its end")
                return _as_dictionary(item), raw
            if len(stack) == 1 and stack[0].key == key and isinstance(item, dict):
                raw = data[begins:at]
        else:
            item, at = _read_plain(data, at)
        stack[-1].take(item)
    if not stack:
        raise InvalidTorrentError("not a torrent file")
    raise InvalidTorrentError("it has too many parts")


def _opened(kind: bytes, begins: int, stack: list[_Open]) -> _Open:
    """Return a list or dictionary that begins here."""
    if len(stack) >= MOST_DEPTH:
        raise InvalidTorrentError("damaged: too deeply nested")
    if stack and isinstance(stack[-1].value, dict) and stack[-1].key is None:
        raise InvalidTorrentError("damaged: a key is no text")
    return _Open({} if kind == b"d" else [], begins)


def _closed(ended: _Open) -> tuple[Value, int]:
    """Return a list or dictionary that has ended, and where it began."""
    if ended.key is not None:
        raise InvalidTorrentError("damaged: a value is missing")
    return ended.value, ended.begins


def _as_dictionary(value: Value) -> dict[bytes, Value]:
    if not isinstance(value, dict):
        raise InvalidTorrentError("not a torrent file")
    return value


def _read_plain(data: bytes, at: int) -> tuple[int | bytes, int]:
    """Return the number or the bytes that stand here, and where what follows begins."""
    if found := _INTEGER.match(data, at):
        return int(found[1]), found.end()
    if found := _LENGTH.match(data, at):
        end = found.end() + int(found[1])
        if end <= len(data):
            return data[found.end() : end], end
    elif at < len(data):
        raise InvalidTorrentError("damaged: neither a number nor a text")
    raise InvalidTorrentError("cut off before its end")
