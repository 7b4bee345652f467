"""Magnet links: checked, normalised, and safe to print.

A magnet names its torrent by `urn:btih:` (v1: 40 hex digits or 32 base32 characters, BEP 9) and/or
`urn:btmh:1220` + 64 hex digits (v2, a SHA-256 multihash, BEP 52). qBittorrent accepts far more in
its `urls` field (web addresses, file paths, bare hashes); none of that gets past this module.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
import re
from urllib.parse import quote, unquote, unquote_plus

from .errors import InvalidMagnetError
from .magnet_spelling import AROUND, PLAIN_SCHEME, USUAL, name_without_entities, plain

MAX_MAGNET_BYTES = 64 * 1024
"""A longer link is refused; qBittorrent accepts a name of this length."""

_TOPIC = re.compile(r"xt(?:\.\d*)?", re.IGNORECASE)
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*", re.IGNORECASE | re.ASCII)
_V1_HEX = re.compile(r"[0-9a-f]{40}")
_V1_BASE32 = re.compile(r"[a-z2-7]{32}")
_V2_MULTIHASH = re.compile(r"1220[0-9a-f]{64}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_PLAIN = re.compile(r"[^!-~]|[&\\]")


@dataclass(frozen=True, slots=True)
class Magnet:
    """A valid magnet link; `str` and `repr` show neither the link nor its trackers."""

    link: str = field(repr=False)
    v1: str | None
    v2: str | None
    name: str | None = field(repr=False)

    @property
    def info_hash(self) -> str:
        """Return the v1 hash (40 hex digits) if there is any, else the v2 hash (64)."""
        return self.v1 or self.v2 or ""

    @property
    def ids(self) -> frozenset[str]:
        """Return the hashes that qBittorrent may list it under: v1, and v2 cut to 40 digits."""
        return frozenset(filter(None, (self.v1, self.v2 and self.v2[:40])))

    def without_details(self) -> Magnet:
        """Return the same torrent by its hashes alone, without name and trackers."""
        return Magnet(_link(self.v1, self.v2, ()), self.v1, self.v2, None)

    def __str__(self) -> str:
        """Return the info-hash, the only part of a magnet that may be shown."""
        return self.info_hash

    @classmethod
    def parse(cls, text: str) -> Magnet:
        """Check and normalise one link.

        It may be spelled in any way that `magnet_spelling` knows. The `link` of the result has the
        hashes first, in hex, and every other parameter as it was.
        Raises InvalidMagnetError, whose text says why and never quotes the link.
        """
        text = text.strip(AROUND)
        if len(text) > MAX_MAGNET_BYTES or len(text.encode(errors="replace")) > MAX_MAGNET_BYTES:
            raise InvalidMagnetError("longer than 64 KiB")
        return _usual(text) or cls.read_back(plain(text))

    @classmethod
    def read_back(cls, text: str) -> Magnet:
        """Parse a stored `link`; percent-encoding may have made it longer than `parse` permits."""
        if (usual := _usual(text)) is not None:
            return usual
        if _CONTROL.search(text):
            raise InvalidMagnetError("contains a line end or control character")
        if text[: len(PLAIN_SCHEME)].lower() != PLAIN_SCHEME:
            raise InvalidMagnetError("does not start with magnet:?")
        query = text[len(PLAIN_SCHEME) :]
        if PLAIN_SCHEME in query.lower():
            raise InvalidMagnetError("contains a second magnet link")
        v1: str | None = None
        v2: str | None = None
        name: str | None = None
        rest: list[str] = []
        for parameter, value in _parameters(query):
            if _TOPIC.fullmatch(parameter):
                topic = unquote(value).strip().lower()
                if topic.startswith("urn:btih:"):
                    v1 = _agreed(v1, _v1_hash(topic[9:]))
                elif topic.startswith("urn:btmh:"):
                    v2 = _agreed(v2, _v2_hash(topic[9:]))
                continue  # topics of other networks mean nothing to qBittorrent
            if parameter.lower() == "dn":
                value, shown = _display_name(value)
                name = name or shown
            rest.append(f"{parameter}={_encoded(value)}")
        if not (v1 or v2):
            raise InvalidMagnetError("names no urn:btih: or urn:btmh: topic")
        return cls(_link(v1, v2, rest), v1, v2, name)


def _usual(text: str) -> Magnet | None:
    """Return a link that is spelled as most are; None if more than its hash has to be looked at."""
    if (parts := USUAL.fullmatch(text)) is None:
        return None
    given, name = parts["name"] or "", None
    if "%" in given:
        value, name = _display_name(given)
        if value != given:
            return None
    elif given:
        name = " ".join(given.replace("+", " ").split()) or None
    v1 = _not_zero(parts["v1"].lower())
    link = text if v1 == parts["v1"] else f"{_link(v1, None, ())}{parts['rest']}"
    return Magnet(link, v1, None, name)


def _link(v1: str | None, v2: str | None, rest: Iterable[str]) -> str:
    """Return the link of a torrent with these hashes and further parameters."""
    topics = (f"xt=urn:btih:{v1}" if v1 else "", f"xt=urn:btmh:1220{v2}" if v2 else "")
    return PLAIN_SCHEME + "&".join([*filter(None, topics), *rest])


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Yield names and undecoded values.

    An ampersand that no name follows is part of the display name before it, as in `dn=Tom & Jerry`;
    elsewhere what follows it is dropped.
    """
    key, values = "", [""]
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        in_name = key.lower() == "dn"
        if _KEY.fullmatch(name) and (equals or not in_name):
            if key:
                yield key, "&".join(values).strip(" ")
            key, values = name, [value]
        elif in_name and part:
            values.append(part)
    if key:
        yield key, "&".join(values).strip(" ")


def _agreed(known: str | None, digits: str) -> str:
    if known is not None and known != digits:
        raise InvalidMagnetError("names two different torrents")
    return digits


def _v1_hash(text: str) -> str:
    if _V1_BASE32.fullmatch(text):
        text = base64.b32decode(text.upper()).hex()
    if not _V1_HEX.fullmatch(text):
        raise InvalidMagnetError("the btih hash is neither 40 hex digits nor 32 base32 characters")
    return _not_zero(text)


def _v2_hash(text: str) -> str:
    if not _V2_MULTIHASH.fullmatch(text):
        raise InvalidMagnetError("the btmh hash is not 1220 and 64 hex digits")
    return _not_zero(text[4:])


def _not_zero(digits: str) -> str:
    """Refuse a hash of zeros: qBittorrent accepts it and never lists the torrent."""
    if not digits.strip("0"):
        raise InvalidMagnetError("the hash is all zeros")
    return digits


def _encoded(value: str) -> str:
    """Percent-encode what is not printable ASCII, such as a blank in a name; leave the rest."""
    return _NOT_PLAIN.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), value
    )


def _display_name(value: str) -> tuple[str, str | None]:
    """Return a name's value without entities, and what it says: on one line, or None if empty."""
    decoded = unquote_plus(value)
    name = name_without_entities(decoded)
    shown = " ".join(_CONTROL.sub(" ", name).split()) or None
    return (value if name == decoded else quote(shown or ""), shown)
