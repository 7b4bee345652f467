"""Torrent files: read by ourselves, before any server is sent one.

The hashes of a torrent are taken over the raw bytes of its `info` dictionary: SHA-1 for v1 (BEP 3),
SHA-256 for v2 (BEP 52), and a hybrid has both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
import hashlib
from typing import Any
from urllib.parse import quote

from .bencode import Value, read_dictionary
from .errors import InvalidTorrentError, TorrentTooLargeError
from .magnet import MAX_MAGNET_BYTES, Magnet

MAX_TORRENT_BYTES = 10 * 1024 * 1024
"""A larger file is refused; one of 100,000 files, or of 10 TB, has less."""
_LONGEST_NAME = 1000
_LONGEST_URL = 2048
_SCHEMES = ("http://", "https://", "udp://", "ws://", "wss://")
_BLANKS = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Scripts that hand out torrents print these, and blanks, before and after them."""
_SMALLEST_V2_PIECE = 16 * 1024
_OTHER_FILES = (
    (b"PK\x03\x04", "a ZIP archive, not a torrent file"),
    (b"\x1f\x8b", "a gzip archive, not a torrent file"),
    (b"magnet:", "a magnet link, not a torrent file"),
)


@dataclass(frozen=True, slots=True)
class TorrentFile:
    """A valid torrent file; `magnet` has its hashes, name and trackers, and may replace it."""

    magnet: Magnet
    data: bytes = field(repr=False)


def read_torrent(data: bytes) -> TorrentFile:
    """Check a torrent file.

    Raises InvalidTorrentError, whose text says why and quotes nothing; TorrentTooLargeError where
    that is the reason.
    """
    if len(data) > MAX_TORRENT_BYTES:
        raise TorrentTooLargeError("larger than 10 MiB")
    data = data.strip(_BLANKS).removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANKS)
    _raise_if_something_else(data)
    parts, raw = read_dictionary(data, b"info")
    info = parts.get(b"info")
    if not isinstance(info, dict):
        raise InvalidTorrentError("it describes no torrent")
    v1, v2 = _versions(info)
    topics = [
        *([f"xt=urn:btih:{hashlib.sha1(raw, usedforsecurity=False).hexdigest()}"] if v1 else []),
        *([f"xt=urn:btmh:1220{hashlib.sha256(raw).hexdigest()}"] if v2 else []),
    ]
    return TorrentFile(_magnet([*topics, f"dn={quote(_name(info), safe='')}"], parts), data)


def _raise_if_something_else(data: bytes) -> None:
    """Say what it is that somebody took for a torrent file."""
    if not data:
        raise InvalidTorrentError("it is empty")
    for mark, reason in _OTHER_FILES:
        if data.startswith(mark):
            raise InvalidTorrentError(reason)
    if data.startswith(b"<"):
        raise InvalidTorrentError("a web page, not a torrent file")


def _versions(info: dict[bytes, Value]) -> tuple[bool, bool]:
    """Tell whether it has a v1 and a v2 hash; raises InvalidTorrentError if it describes nothing.

    libtorrent takes no other torrents, either.
    """
    version = info.get(b"meta version", 1)
    if version not in (1, 2):
        raise InvalidTorrentError("of a version that is not known")
    pieces, piece_length = info.get(b"pieces"), info.get(b"piece length")
    has_v1, has_v2 = pieces is not None, version == 2
    if not isinstance(piece_length, int) or piece_length <= 0:
        raise InvalidTorrentError("damaged: the size of its pieces is missing")
    if has_v2:
        tree = info.get(b"file tree")
        if not isinstance(tree, dict) or not tree:
            raise InvalidTorrentError("it names no files")
        if piece_length < _SMALLEST_V2_PIECE or piece_length & (piece_length - 1):
            raise InvalidTorrentError("damaged: the size of its pieces is none")
    elif not has_v1:
        raise InvalidTorrentError("damaged: its pieces are missing")
    if has_v1:
        if not isinstance(pieces, bytes) or not pieces or len(pieces) % 20:
            raise InvalidTorrentError("damaged: its pieces are not whole")
        _raise_if_sizes_are_wrong(info)
    return has_v1, has_v2


def _raise_if_sizes_are_wrong(info: dict[bytes, Value]) -> None:
    """Check the sizes of the files, as v1 lists them."""
    files: Any = info.get(b"files", [info])
    if not isinstance(files, list) or not files:
        raise InvalidTorrentError("it names no files")
    for one in files:
        size = one.get(b"length") if isinstance(one, dict) else None
        if not isinstance(size, int) or size < 0:
            raise InvalidTorrentError("damaged: the size of a file is none")


def _name(info: dict[bytes, Value]) -> str:
    """Return its name; old programs wrote it in the code page of their system."""
    for key in (b"name.utf-8", b"name"):
        name = info.get(key)
        if isinstance(name, bytes) and name:
            return name.decode(errors="replace")[:_LONGEST_NAME]
    raise InvalidTorrentError("it has no name")


def _magnet(parameters: list[str], parts: dict[bytes, Value]) -> Magnet:
    """Return the magnet with these parameters, and with the trackers and web seeds that fit."""
    lists = (parts.get(b"announce"), parts.get(b"announce-list"))
    urls = [f"tr={url}" for one in lists for url in _urls(one)]
    urls += [f"ws={url}" for url in _urls(parts.get(b"url-list"))]
    left = MAX_MAGNET_BYTES - len("magnet:?") - sum(len(one) + 1 for one in parameters)
    for url in dict.fromkeys(urls):
        if (left := left - len(url) - 1) < 0:
            break
        parameters.append(url)
    return Magnet.parse(f"magnet:?{'&'.join(parameters)}")


def _urls(value: Value | None) -> Iterator[str]:
    """Yield the addresses in a text, a list of texts, or a list of such lists, percent-encoded."""
    tiers: Iterable[Value] = value if isinstance(value, list) else [value or b""]
    for tier in tiers:
        for one in tier if isinstance(tier, list) else [tier]:
            if not isinstance(one, bytes) or len(one) > _LONGEST_URL:
                continue
            if (url := one.decode(errors="replace").strip()).lower().startswith(_SCHEMES):
                yield quote(url, safe="")
