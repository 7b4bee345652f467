"""What a caller gave: sorted into magnets to deliver, magnets too many, and texts that are none."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import InvalidMagnetError, ResilientError
from .magnet import Magnet, split_links

MOST_TEXTS = 200_000
"""In one call: what became of each is answered, with some 300 bytes of memory for each. A page of
10 MB that was taken for a list of links had a million words."""


class TooManyError(ResilientError):
    """More was given than can be handled in one call."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A given text that is no valid magnet: its place in the input, from 0, and why."""

    index: int
    detail: str


@dataclass(slots=True)
class Intake:
    """The given texts, each torrent once."""

    magnets: list[Magnet] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    skipped: list[Magnet] = field(default_factory=list)
    invalid: list[Invalid] = field(default_factory=list)


def take_in(given: str | Sequence[str], *, most: int | None = None) -> Intake:
    """Sort one text of links, or a list of one link each; `most` bounds the magnets handled.

    A torrent given twice, by whichever of its hashes, is handled once, where it came first.
    Raises TooManyError.
    """
    texts = split_links(given, MOST_TEXTS) if isinstance(given, str) else given
    if len(texts) > MOST_TEXTS:
        raise TooManyError(f"more than {MOST_TEXTS} at once")
    intake = Intake()
    seen: set[str] = set()
    for index, text in enumerate(texts):
        if not text.strip(" \t"):
            continue
        try:
            magnet = Magnet.parse(text)
        except InvalidMagnetError as err:
            intake.invalid.append(Invalid(index, str(err)))
            continue
        topics = {topic for topic in (magnet.v1, magnet.v2) if topic}
        if topics & seen:
            continue
        seen |= topics
        if most is not None and len(intake.magnets) >= most:
            intake.skipped.append(magnet)
        else:
            intake.magnets.append(magnet)
            intake.places[magnet.info_hash] = index
    return intake
