"""Magnet links: checked, normalised, and safe to print.

A magnet names its torrent by `urn:btih:` (v1: 40 hex digits or 32 base32 characters, BEP 9) and/or
`urn:btmh:1220` + 64 hex digits (v2, a SHA-256 multihash, BEP 52). qBittorrent accepts far more in
its `urls` field (web addresses, file paths, bare hashes); none of that gets past this module.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
import re
from urllib.parse import unquote, unquote_plus

from .errors import InvalidMagnetError

MAX_MAGNET_BYTES = 64 * 1024
"""A longer link is refused; qBittorrent takes a name of this length."""

_SCHEME = "magnet:?"
_TOPIC = re.compile(r"xt(?:\.\d*)?", re.IGNORECASE)
_AMPERSAND = re.compile(r"&(?:amp;)+")
_V1_HEX = re.compile(r"[0-9a-f]{40}")
_V1_BASE32 = re.compile(r"[a-z2-7]{32}")
_V2_MULTIHASH = re.compile(r"1220[0-9a-f]{64}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_PLAIN = re.compile(r"[^!-~]")


@dataclass(frozen=True, slots=True)
class Magnet:
    """A valid magnet link; its printed form shows neither link nor trackers."""

    link: str = field(repr=False)
    v1: str | None
    v2: str | None
    name: str | None = field(repr=False)

    @property
    def info_hash(self) -> str:
        """Return the v1 hash (40 hex digits) where there is one, else the v2 hash (64)."""
        return self.v1 or self.v2 or ""

    @property
    def ids(self) -> frozenset[str]:
        """Return what qBittorrent may list the torrent under: v1, and v2 cut to 40 digits."""
        return frozenset(one for one in (self.v1, self.v2 and self.v2[:40]) if one)

    def __str__(self) -> str:
        """Return the info-hash: all that may be seen of a magnet."""
        return self.info_hash

    @classmethod
    def parse(cls, text: str) -> Magnet:
        """Check and normalise one link.

        The result's `link` has hex hashes first and every other parameter as it was.
        Raises InvalidMagnetError with the reason, which never quotes the link.
        """
        text = text.strip(" \t")
        if len(text) > MAX_MAGNET_BYTES or len(text.encode(errors="replace")) > MAX_MAGNET_BYTES:
            raise InvalidMagnetError("longer than 64 KiB")
        return cls.read_back(text)

    @classmethod
    def read_back(cls, text: str) -> Magnet:
        """Read a `link` again; percent-encoded, it may be longer than what was given."""
        if _CONTROL.search(text):
            raise InvalidMagnetError("contains a line end or control character")
        if text[: len(_SCHEME)].lower() != _SCHEME:
            raise InvalidMagnetError("does not start with magnet:?")
        query = _AMPERSAND.sub("&", f"&{text[len(_SCHEME) :]}")
        if _SCHEME in query.lower():
            raise InvalidMagnetError("contains a second magnet link")
        v1: str | None = None
        v2: str | None = None
        name: str | None = None
        rest: list[str] = []
        for key, value in _parameters(query):
            if _TOPIC.fullmatch(key):
                topic = unquote(value).strip().lower()
                if topic.startswith("urn:btih:"):
                    v1 = _same(v1, _v1_hash(topic[9:]))
                elif topic.startswith("urn:btmh:"):
                    v2 = _same(v2, _v2_hash(topic[9:]))
                continue  # topics of other networks mean nothing to qBittorrent
            if key.lower() == "dn" and name is None:
                name = _display_name(value)
            rest.append(f"{key}={_encoded(value)}")
        topics = [
            f"xt=urn:{kind}:{value}"
            for kind, value in (("btih", v1), ("btmh", v2 and f"1220{v2}"))
            if value
        ]
        if not topics:
            raise InvalidMagnetError("names no urn:btih: or urn:btmh: topic")
        return cls(_SCHEME + "&".join(topics + rest), v1, v2, name)


def split_links(text: str, most: int = -1) -> list[str]:
    """Split one text of links, separated by white space or line ends, `most` times."""
    return text.split(maxsplit=most)


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters undecoded; what has no readable name is dropped."""
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key and not _NOT_PLAIN.search(key):
            yield key, value


def _same(known: str | None, found: str) -> str:
    if known is not None and known != found:
        raise InvalidMagnetError("names two different torrents")
    return found


def _v1_hash(text: str) -> str:
    if _V1_BASE32.fullmatch(text):
        text = base64.b32decode(text.upper()).hex()
    if not _V1_HEX.fullmatch(text):
        raise InvalidMagnetError("the btih hash is neither 40 hex digits nor 32 base32 characters")
    return _not_blank(text)


def _v2_hash(text: str) -> str:
    if not _V2_MULTIHASH.fullmatch(text):
        raise InvalidMagnetError("the btmh hash is not 1220 and 64 hex digits")
    return _not_blank(text[4:])


def _not_blank(digits: str) -> str:
    """Refuse all zeros: qBittorrent says yes to them and never lists a torrent."""
    if not binascii.unhexlify(digits).strip(b"\0"):
        raise InvalidMagnetError("the hash is all zeros")
    return digits


def _encoded(value: str) -> str:
    """Percent-encode what is not plain ASCII (a blank in a name), and leave the rest as it is."""
    return _NOT_PLAIN.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), value
    )


def _display_name(value: str) -> str | None:
    """Return the name for people: on one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", unquote_plus(value)).split()) or None
