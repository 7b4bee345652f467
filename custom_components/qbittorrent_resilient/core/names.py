"""Names as they are shown: what a link, a server or a user calls something is plain text.

Who shows a name cleans it here; who has it rendered as Markdown escapes it as well. What the
actions answer has the link's own name, for whoever looks it up.
"""

from collections.abc import Iterator
import re
from unicodedata import category, normalize

from .magnet import Magnet

MOST_CHARACTERS = 200
"""How much of a name is shown."""

_LOOKED_AT = 1_000
"""Of a longer name the rest is not looked at: a list cleans 200 of them at once."""
_MOST_MARKS = 4
"""Combining marks on one character; no language needs more, and many cover the lines around."""
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Fillers of Hangul and the empty Braille pattern: no blanks to Unicode, but nothing is seen."""
_IGNORABLE = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\u2065\ufe00-\ufe0f\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Characters that draw nothing and are no format characters: joiners, variation selectors."""
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_HARMLESS = re.compile(r"[^\W_](?:[^\W_]|[ ()',#+-])*")
"""Letters and digits, and what means something to Markdown at most at the beginning of a line."""


def shown(text: object) -> str:
    """Return a name on one line of at most MOST_CHARACTERS; empty if nothing of it can be seen.

    Without control characters, marks of the writing direction and what has no width; lone
    surrogates become replacement characters. What is no text, as damaged files may have, is empty.
    """
    if not isinstance(text, str):
        return ""
    kept: list[str] = []
    for char in _visible(text[:_LOOKED_AT]):
        if char == " " and (not kept or kept[-1] == " "):
            continue
        kept.append(char)
        if len(kept) > MOST_CHARACTERS:
            return "".join(kept[: MOST_CHARACTERS - 1]).rstrip() + "…"
    return "".join(kept).rstrip()


def key(text: str) -> str:
    """Return what two names share that look alike: case, blanks and width make no difference."""
    plain = normalize("NFKC", normalize("NFKC", shown(text)).casefold())
    return " ".join(plain.split())


def of_magnet(magnet: Magnet) -> str:
    """Return what a magnet is called where it is shown: its name, or else its info-hash."""
    return shown(magnet.name or "") or magnet.info_hash


def markdown(text: str) -> str:
    """Return a text that Markdown renders as it is; it has to be on one line."""
    return _PUNCTUATION.sub(r"\\\1", text)


def light_markdown(text: str) -> str:
    """Return what `markdown` does, but a harmless name as it is: not all who read it render it."""
    return text if _HARMLESS.fullmatch(text) else markdown(text)


def _visible(text: str) -> Iterator[str]:
    """Yield what can be seen of a text, and a blank for each character that parts words."""
    marks = _MOST_MARKS  # a mark at the beginning would be put on what stands before the name
    for char in text:
        kind = category(char)
        if kind == "Cf" or _IGNORABLE.match(char):
            continue
        if kind[0] == "Z" or kind == "Cc" or char in _BLANK_LETTERS:
            marks = _MOST_MARKS
            yield " "
        elif kind in ("Mn", "Me"):
            marks += 1
            if marks <= _MOST_MARKS:
                yield char
        else:
            marks = 0
            yield "\ufffd" if kind == "Cs" else char
