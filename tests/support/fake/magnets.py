"""Reads magnet links the lenient way of libtorrent, faults included."""

import base64
from dataclasses import dataclass
import re
from urllib.parse import unquote_to_bytes

_BARE_V1 = re.compile(r"[0-9a-fA-F]{40}|[A-Za-z2-7]{32}")
_BARE_V2 = re.compile(r"[0-9a-fA-F]{64}")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_HEX = frozenset("0123456789abcdefABCDEF")
_FETCHED = frozenset({"http", "https", "file", "qrc", "data"})


@dataclass(frozen=True, slots=True)
class Magnet:
    """The identity of a torrent as a server reads it from a link."""

    v1: str
    v2: str
    name: str
    trackers: tuple[str, ...]

    @property
    def torrent_id(self) -> str:
        """The `hash` under which the torrent is listed."""
        return self.v2[:40] or self.v1

    @property
    def is_null(self) -> bool:
        """Whether the hash is all zeros: such a torrent is taken and never listed."""
        return not (self.v1 + self.v2).strip("0")


def is_fetched(source: str, *, ftp: bool) -> bool:
    """Whether the server takes the source for an address to download from."""
    scheme, colon, _ = source.partition(":")
    return bool(colon) and (scheme.lower() in _FETCHED or (ftp and scheme.lower() == "ftp"))


def parse(source: str, *, strict_hex: bool) -> Magnet | None:
    """Return what the server makes of one line of `urls`, None where it refuses."""
    if _BARE_V1.fullmatch(source):
        source = f"magnet:?xt=urn:btih:{source}"
    elif _BARE_V2.fullmatch(source):
        source = f"magnet:?xt=urn:btmh:1220{source}"
    if not source.startswith("magnet:?") or "\0" in source:
        return None
    hashes = {"btih": "", "btmh": ""}
    name = ""
    trackers: list[str] = []
    rest = source.removeprefix("magnet:?")
    while rest:
        key, _, rest = rest.partition("=")
        value, _, rest = rest.partition("&")
        match key.split(".")[0].lower(), _unescape(value):
            case "dn", str(text):
                name = text
            case "tr", str(text) if text and text not in trackers:
                trackers.append(text)
            case "xt", str(text) if text.startswith(("urn:btih:", "urn:btmh:")):
                digits = _read_hash(text[4:8], text[9:], strict=strict_hex)
                if digits is None:
                    return None
                hashes[text[4:8]] = digits
    if not any(hashes.values()):
        return None
    return Magnet(hashes["btih"], hashes["btmh"], name, tuple(trackers))


def _read_hash(kind: str, digits: str, *, strict: bool) -> str | None:
    """Return the hash of a topic as hex."""
    if kind == "btmh":
        right = len(digits) == 68 and digits.startswith("1220")
        return _read_hex(digits[4:], strict=strict) if right else None
    if len(digits) == 40:
        return _read_hex(digits, strict=strict)
    return _read_base32(digits) if len(digits) == 32 else None


def _read_base32(digits: str) -> str | None:
    """Return base32 as hex; a `1` counts as an `I`."""
    try:
        data = base64.b32decode(digits.upper().replace("1", "I"))
    except ValueError:
        return None
    return data.hex() if len(data) == 20 else None


def _read_hex(digits: str, *, strict: bool) -> str | None:
    """Return the digits up to the first wrong one, padded with zeros, or None if strict."""
    good = next((i for i, digit in enumerate(digits) if digit not in _HEX), len(digits))
    if strict and good < len(digits):
        return None
    return digits[:good].lower().ljust(len(digits), "0")


def _unescape(value: str) -> str | None:
    """Return the value without escapes, None where one is broken."""
    if _BAD_ESCAPE.search(value):
        return None
    return unquote_to_bytes(value.replace("+", " ")).decode("utf-8", "replace")
