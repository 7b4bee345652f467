"""Torrent files, made from nothing: each is that of one small file, as real programs write it."""

from dataclasses import dataclass
import hashlib
from typing import Any, Literal

type Kind = Literal["v1", "v2", "hybrid"]

PIECE_LENGTH = 16 * 1024


def bencode(value: Any) -> bytes:
    """Return a value in bencode; keys of a dictionary stay in the order that they have."""
    match value:
        case bytes():
            return b"%d:%b" % (len(value), value)
        case str():
            return bencode(value.encode())
        case int():
            return b"i%de" % value
        case list() | tuple():
            return b"l%be" % b"".join(map(bencode, value))
        case dict():
            items = (bencode(key) + bencode(item) for key, item in value.items())
            return b"d%be" % b"".join(items)
    raise TypeError(type(value))


@dataclass(frozen=True)
class MadeTorrent:
    """A torrent file and the hashes that it has."""

    data: bytes
    v1: str | None
    v2: str | None

    @property
    def info_hash(self) -> str:
        """The hash that it goes by everywhere."""
        return self.v1 or self.v2 or ""

    @property
    def magnet(self) -> str:
        """A link to the same torrent, by all of its hashes."""
        topics = [f"xt=urn:btih:{self.v1}"] if self.v1 else []
        topics += [f"xt=urn:btmh:1220{self.v2}"] if self.v2 else []
        return f"magnet:?{'&'.join(topics)}"


def info_of(number: int, kind: Kind = "v1", **more: Any) -> dict[str, Any]:
    """Return the `info` of torrent number so-and-so; what is in `more` replaces, None removes."""
    content = f"content of torrent {number}\n".encode()
    info: dict[str, Any] = {}
    if kind != "v1":
        root = hashlib.sha256(content).digest()
        leaf = {"": {"length": len(content), "pieces root": root}}
        info |= {"file tree": {f"torrent-{number}.txt": leaf}}
    if kind != "v2":
        info |= {"length": len(content)}
    if kind != "v1":
        info |= {"meta version": 2}
    info |= {"name": f"torrent-{number}.txt", "piece length": PIECE_LENGTH}
    if kind != "v2":
        info |= {"pieces": hashlib.sha1(content, usedforsecurity=False).digest()}
    return {key: value for key, value in (info | more).items() if value is not None}


def torrent(
    number: int, kind: Kind = "v1", *, tracker: str = "", info: dict[str, Any] | None = None
) -> MadeTorrent:
    """Return torrent number so-and-so, or the one with this `info`."""
    raw = bencode(info_of(number, kind) if info is None else info)
    head = b"8:announce" + bencode(tracker) if tracker else b""
    tail = b"12:piece layersde" if kind != "v1" else b""
    return MadeTorrent(
        b"d" + head + b"4:info" + raw + tail + b"e",
        hashlib.sha1(raw, usedforsecurity=False).hexdigest() if kind != "v2" else None,
        hashlib.sha256(raw).hexdigest() if kind != "v1" else None,
    )
