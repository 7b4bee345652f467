"""Finds the links in what people paste, feeds bring and webhooks are sent.

A link begins at the start of a line or at `magnet:`, and ends at the line's end or where the next
begins. One that follows a quote or `<` ends at its counterpart. Blanks, quotes and brackets inside
belong to it, but where it stands within a sentence it ends where the sentence goes on: at the first
blank after which no further parameter of a link (`&tr=` and the like) comes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
import re

from .link_end import end_of_link
from .magnet import MAX_MAGNET_BYTES
from .magnet_spelling import AROUND, SCHEME, USUAL, ampersands

_BEGIN = re.compile(r"magnet:/{0,3}(?:\?|%3f)", re.IGNORECASE | re.ASCII)
_BEGIN_ENCODED = re.compile(rf"(?<![^\s\"'<>(\[{{]){SCHEME.pattern}", re.IGNORECASE | re.ASCII)
"""Only where no plain link is in the line: within one, it is part of it."""
_LEAD = re.compile(r"(?:[\W_]|\d{1,6}[.):])*")
"""What may stand before a link at a line's start: quotes, bullets, numbers of a list."""
_MOST_LEAD = 40
_MOST_LINK = 4 * MAX_MAGNET_BYTES
"""Of a link, so much is read at most: it is too long to be one, whatever follows."""
_WEB = re.compile(r"https?://[^\s\"'<>`\\^{}|]+", re.IGNORECASE | re.ASCII)
_WEB_AROUND = AROUND + "\"'`<>()[]{}*,;|-\u2022"
_AFTER_WEB = ".,;:!?)]}*"
_BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_SEPARATORS = frozenset(",;")
_LONGEST_NUMBER = 10**80
"""Python refuses to write a number of more than 4300 digits."""


class Kind(Enum):
    """What a piece of the input is."""

    MAGNET = "magnet"
    WEB = "web"
    SEVERAL = "several"
    BROKEN = "broken"
    TEXT = "text"
    NO_TEXT = "no text"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that the caller gave.

    `index` is its place from 0: in a list that of the item, in a text that among the pieces. `text`
    is what it says, with all its secrets. A SEVERAL has its `links`, which may name one torrent.
    """

    index: int
    kind: Kind
    text: str = field(repr=False)
    links: tuple[str, ...] = field(default=(), repr=False)


def pieces(given: str | Sequence[object]) -> Iterator[Piece]:
    """Yield what is in a text, or in a list of values, without blanks and nulls.

    A text without any link yields its lines. In a list each item is one piece.
    """
    if isinstance(given, str):
        yield from _of_text(given)
        return
    for index, value in enumerate(given):
        if isinstance(value, str):
            if value.strip(AROUND):
                yield _of_item(index, value)
        elif value is not None:
            yield Piece(index, Kind.NO_TEXT, _described(value))


def _of_item(index: int, value: str) -> Piece:
    """Return the one piece that an item of a list is."""
    text = value.strip(AROUND)
    if USUAL.fullmatch(text):
        return Piece(index, Kind.MAGNET, text)
    if _BREAKS.search(value):
        return Piece(index, Kind.BROKEN, text)
    if (web := _WEB.match(text)) is not None:
        return Piece(index, Kind.WEB, ampersands(web[0]))
    match links_of_line(value):
        case [link]:
            return Piece(index, Kind.MAGNET, link)
        case [_, *_] as several:
            return Piece(index, Kind.SEVERAL, text, tuple(several))
    if (found := _web_links([value])) and len(found) == 1:
        return Piece(index, Kind.WEB, found[0])
    return Piece(index, Kind.TEXT, text)


def _of_text(text: str) -> Iterator[Piece]:
    lines = text.splitlines()
    found: list[tuple[Kind, str]] = []
    ends: list[str] = []
    for line in lines:
        if links := links_of_line(line):
            found += [(Kind.MAGNET, link) for link in links]
            ends.append(line.rstrip(AROUND)[-1:])
        elif web := _web_line(line):
            found.append((Kind.WEB, web))
    if not found:
        found = [(Kind.WEB, web) for web in _web_links(lines)]
    if not found:
        found = [(Kind.TEXT, stripped) for line in lines if (stripped := line.strip(AROUND))]
    separator = _separator(ends)
    for index, (kind, link) in enumerate(found):
        yield Piece(index, kind, link.removesuffix(separator) if separator else link)


def _separator(ends: Sequence[str]) -> str:
    """Return what parts the links of a list with one in each line, if something does."""
    common = set(ends[:-1])
    separator = common.pop() if len(common) == 1 else ""
    return separator if separator in _SEPARATORS else ""


def links_of_line(line: str) -> list[str]:
    """Return the magnet links of one line, each as it is written there."""
    line = line.strip(AROUND)
    if USUAL.fullmatch(line):
        return [line]
    begins = [*_BEGIN.finditer(line)] or [*_BEGIN_ENCODED.finditer(line)]
    if not begins:
        return []
    starts = [match.start() for match in begins]
    lead = line[: starts[0]]
    in_prose = len(lead) > _MOST_LEAD or not _LEAD.fullmatch(lead)
    ends = [*starts[1:], len(line)]
    limits = [min(end, at + _MOST_LINK) for at, end in zip(starts, ends, strict=True)]
    return [
        line[start : end_of_link(line, start, limit, in_prose=in_prose)]
        for start, limit in zip(starts, limits, strict=True)
    ]


def _web_line(line: str) -> str | None:
    """Return the web link that is all of a line, if it is one."""
    text = _without_escapes(line).strip(_WEB_AROUND).rstrip(_AFTER_WEB)
    return ampersands(text) if _WEB.fullmatch(text) else None


def _web_links(lines: Sequence[str]) -> list[str]:
    """Return the web links in a text; of a page in HTML only those that end like a torrent file."""
    text = _without_escapes("\n".join(lines))
    found = [ampersands(match[0].rstrip(_AFTER_WEB)) for match in _WEB.finditer(text)]
    files = [link for link in found if names_torrent_file(link)]
    return files or ([] if "</" in text else found)


def names_torrent_file(link: str) -> bool:
    """Tell whether the path of a web link ends like the name of a torrent file."""
    return link.partition("?")[0].lower().endswith(".torrent")


def _without_escapes(text: str) -> str:
    """Return a text without the escapes that JSON may have for slashes and ampersands."""
    return text.replace("\\/", "/").replace("\\u0026", "&") if "\\" in text else text


def _described(value: object) -> str:
    """Return a number as it is, and the kind of anything else, or of an endless one."""
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _LONGEST_NUMBER):
        return str(value)
    return f"({type(value).__name__})"
