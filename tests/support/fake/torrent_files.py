"""Reads torrent files as libtorrent does, for what the fake has to know of one."""

import hashlib
from typing import Any

from .magnets import Magnet


def parse(data: bytes) -> Magnet | None:
    """Return the identity of the torrent in a file, None where the server refuses it."""
    try:
        top, _, raw = _value(data, 0, b"info")
        info = top[b"info"]
        is_v2 = info.get(b"meta version") == 2
        pieces = info.get(b"pieces")
        is_whole = is_v2 or len(pieces) == 20 * -(-info[b"length"] // info[b"piece length"])
        v1 = hashlib.sha1(raw, usedforsecurity=False).hexdigest() if pieces else ""
        v2 = hashlib.sha256(raw).hexdigest() if is_v2 else ""
        trackers = (top[b"announce"].decode(),) if b"announce" in top else ()
        return Magnet(v1, v2, info[b"name"].decode(), trackers) if is_whole else None
    except AttributeError, IndexError, LookupError, TypeError, ValueError:
        return None


def _value(data: bytes, at: int, wanted: bytes = b"") -> tuple[Any, int, bytes]:
    """Return a value, where it ends, and the raw bytes of what a dictionary has under a key."""
    kind, raw = data[at : at + 1], b""
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1, raw
    if kind not in (b"l", b"d"):
        colon = data.index(b":", at)
        end = colon + 1 + int(data[at:colon])
        if end > len(data):
            raise ValueError("cut off")
        return data[colon + 1 : end], end, raw
    items: list[Any] = []
    at += 1
    while data[at] != ord("e"):
        item, end, _ = _value(data, at)
        if items and items[-1] == wanted and len(items) % 2 and kind == b"d":
            raw = data[at:end]
        items.append(item)
        at = end
    whole = items if kind == b"l" else dict(zip(items[::2], items[1::2], strict=True))
    return whole, at + 1, raw
