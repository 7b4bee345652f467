r"""The spellings in which magnet links arrive, and the plain one that `magnet` reads.

A web page escapes `&` as `&amp;`, once or twice; JSON writes `\u0026` and `\/`; an address bar
percent-encodes the whole link; some write `magnet://?`; chat programs put marks without width
around what is copied.
"""

from html import unescape
import re
from urllib.parse import unquote

PLAIN_SCHEME = "magnet:?"
AROUND = (
    " \t\u00a0\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Blanks and characters without width that may stand around a link, and are no part of it."""

SCHEME = re.compile(
    r"magnet(?::|%(?:25){0,2}3a)(?:/|%(?:25){0,2}2f){0,3}(?:\?|%(?:25){0,2}3f)",
    re.IGNORECASE | re.ASCII,
)
"""How a link begins, in any spelling; percent-encoded up to three times."""
_VALUE = "[0-9A-Za-z_%+.~/-]*"
USUAL = re.compile(
    "magnet:[?]xt=urn:btih:(?P<v1>[0-9A-Fa-f]{40})"
    f"(?P<rest>(?:&dn=(?P<name>{_VALUE}))?(?:&tr={_VALUE})*)"
)
"""How most links are spelled: plain already, and with nothing in them that could end a link. To
read these takes a fifth of the time."""
AMPERSAND = r"&(?:amp;|#0{0,4}38;|#x0{0,4}26;){0,4}"
"""An ampersand as web pages write it, for use in an expression that ignores case."""

_MOST_ROUNDS = 4
"""Of decoding; nothing is escaped more often than three times."""
_AMPERSANDS = re.compile(r"&(?:amp;|#0{0,4}38;|#x0{0,4}26;)+", re.IGNORECASE | re.ASCII)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_JSON_CODE = re.compile(r"\\{1,4}u([0-9a-f]{4})", re.IGNORECASE | re.ASCII)
_JSON_ESCAPE = re.compile(r"\\{1,4}(?=[/\"'])")
_UNPRINTED = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")


def plain(text: str) -> str:
    """Return a link that begins with `magnet:?`, with `&` between its parameters.

    A text that does not begin like a link comes back as it is.
    """
    text = _without_percents(text.strip(AROUND))
    if (start := SCHEME.match(text)) is None:
        return text
    query = f"&{text[start.end() :]}"
    if "\\" in query:
        query = _JSON_ESCAPE.sub("", _JSON_CODE.sub(_json_character, query))
        query = query.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return PLAIN_SCHEME + entities(query).removeprefix("&")


def entities(text: str) -> str:
    """Return a text with its HTML entities as characters; those that break a line as blanks."""
    if ";" not in text:
        return text
    return _ENTITY.sub(_entity, _AMPERSANDS.sub("&", text))


def ampersands(text: str) -> str:
    """Return a text with nothing but its escaped ampersands as characters."""
    return _AMPERSANDS.sub("&", text)


def name_without_entities(name: str) -> str:
    """Return a name with its entities decoded; as it is if they never come to an end."""
    before, after = name, entities(name)
    for _ in range(_MOST_ROUNDS):
        if after == before:
            return after
        before, after = after, entities(after)
    return name


def _without_percents(text: str) -> str:
    """Decode a link that is percent-encoded as a whole.

    What follows an ampersand that is not encoded belongs to the address that the link was part of.
    """
    for _ in range(_MOST_ROUNDS):
        start = SCHEME.match(text)
        if start is None or "%" not in start[0]:
            break
        encoded, _, _ = text[start.end() :].partition("&")
        if "=" in encoded:  # only the scheme is
            return PLAIN_SCHEME + text[start.end() :]
        text = unquote(start[0] + encoded)
    return text


def _entity(match: re.Match[str]) -> str:
    character = unescape(match[0])
    return character if character == match[0] else _UNPRINTED.sub(" ", character)


def _json_character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
