"""Sorts what a caller enters: magnets to deliver or beyond a limit, web links, and the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
import re

from .errors import InvalidMagnetError, ResilientError
from .excerpt import excerpt
from .link_text import Kind, Piece, pieces
from .magnet import Magnet

MOST_TEXTS = 200_000
"""The most texts in one call: the response names each, which takes some 300 bytes of memory. A web
page of 10 MB that was pasted in place of links had a million words."""


class TooManyError(ResilientError):
    """A call has more texts than MOST_TEXTS."""


_BARE_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[a-z2-7]{32}", re.IGNORECASE | re.ASCII)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Invalid:
    """What is no valid magnet: its index in the input, from 0, the reason, and how it begins."""

    index: int
    detail: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebText:
    """A web link in the place of a magnet: its index in the input, and all of it, secrets too."""

    index: int
    url: str = field(repr=False)

    @property
    def text(self) -> str:
        """Return what of it may be shown."""
        return excerpt(self.url)


@dataclass(slots=True)
class Intake:
    """The sorted input, with each torrent once.

    `places` has the index in the input of each of the `magnets`, by info-hash; `skipped` has the
    magnets beyond the limit. `count` is how many texts there were.
    """

    magnets: list[Magnet] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    skipped: list[Magnet] = field(default_factory=list)
    web_links: list[WebText] = field(default_factory=list)
    invalid: list[Invalid] = field(default_factory=list)
    count: int = 0


def take_in(given: str | Sequence[object], *, most: int | None = None) -> Intake:
    """Sort a text with any number of links, or a list of values with a link each.

    `most` limits how many magnets are to be delivered. If several links name the same torrent, by
    whichever of its hashes, the first counts. Raises TooManyError.
    """
    if not isinstance(given, str) and len(given) > MOST_TEXTS:
        raise TooManyError(f"more than {MOST_TEXTS} at once")
    intake = Intake(count=0 if isinstance(given, str) else len(given))
    seen: set[str] = set()
    for count, piece in enumerate(pieces(given)):
        if count >= MOST_TEXTS:
            raise TooManyError(f"more than {MOST_TEXTS} at once")
        intake.count = max(intake.count, piece.index + 1)
        if piece.kind is Kind.WEB:
            if piece.text not in seen:
                seen.add(piece.text)
                intake.web_links.append(WebText(piece.index, piece.text))
            continue
        try:
            magnet = _magnet(piece)
        except InvalidMagnetError as err:
            intake.invalid.append(Invalid(piece.index, str(err), excerpt(piece.text)))
            continue
        topics = {topic for topic in (magnet.v1, magnet.v2) if topic}
        if topics & seen:
            continue
        seen |= topics
        if most is not None and len(intake.magnets) >= most:
            intake.skipped.append(magnet)
        else:
            intake.magnets.append(magnet)
            intake.places[magnet.info_hash] = piece.index
    return intake


def _magnet(piece: Piece) -> Magnet:
    """Return the magnet that a piece is; raise InvalidMagnetError, which says what is wrong."""
    match piece.kind:
        case Kind.MAGNET:
            return Magnet.parse(piece.text)
        case Kind.SEVERAL:
            return _one_of(map(Magnet.parse, piece.links))
        case Kind.BROKEN:
            raise InvalidMagnetError("contains a line end or control character")
        case Kind.NO_TEXT:
            raise InvalidMagnetError("is no text")
        case _:
            raise InvalidMagnetError(_why_not(piece.text))


def _one_of(magnets: Iterable[Magnet]) -> Magnet:
    """Return the first of several magnets that name one torrent, as in a link and its caption."""
    first, *others = magnets
    if any(magnet.info_hash != first.info_hash for magnet in others):
        raise InvalidMagnetError("contains a second magnet link")
    return first


def _why_not(text: str) -> str:
    """Return why a text without a link is no magnet."""
    if _BARE_HASH.fullmatch(text):
        return "is a bare hash: a link has magnet:?xt=urn:btih: before it"
    if text[:7].lower() == "magnet:":
        return "has no question mark after magnet:"
    if _OTHER_SCHEME.match(text):
        return "is a link, but no magnet link"
    return "has no link that starts with magnet:?"
