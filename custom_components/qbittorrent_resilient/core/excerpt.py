"""What of an unreadable text is shown to whoever gave it: enough to find it, and no secret."""

import re
from urllib.parse import unquote

from .magnet_spelling import AROUND, PLAIN_SCHEME, plain

MOST_CHARACTERS = 80
_LOOKED_AT = 70_000
"""More than the longest link: what is cut here would be a link no more."""
_MOST_OF_WORDS = 500
_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TOPIC = re.compile(r"urn:[a-z0-9]{1,10}:[a-z0-9]{0,100}", re.IGNORECASE | re.ASCII)
_WEB = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_QUERY = re.compile(r"[?#;].*", re.DOTALL)
_KEY = re.compile(r"(?=\D{0,99}\d)[a-z0-9_-]{16,}", re.IGNORECASE | re.ASCII)
"""Part of a path that may be a key: long, without a dot, with a digit."""
_LINK_LIKE = re.compile(r"[@?&=%\\]|//|:\S|\.\w{2,20}/")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}:", re.IGNORECASE | re.ASCII)
_ELLIPSIS = "\u2026"


def excerpt(text: str) -> str:
    """Return the first characters of a text on one line.

    Of a magnet its topics and its name, of a web link no query, no login and no part of the path
    that may be a key; of anything else no word that looks like part of a link.
    """
    text = _UNPRINTED.sub(" ", text[:_LOOKED_AT]).strip(AROUND)
    link = plain(text)
    if link[: len(PLAIN_SCHEME)].lower() == PLAIN_SCHEME:
        text = _magnet(_UNPRINTED.sub(" ", link))
    elif _WEB.match(text):
        text = _web(text)
    else:
        text = _words(text)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}{_ELLIPSIS}"


def _magnet(link: str) -> str:
    """Return a magnet's topics and name; the rest, which has its trackers, is left out."""
    shown: list[str] = []
    for part in link[len(PLAIN_SCHEME) :].split("&"):
        key, _, value = part.partition("=")
        decoded = unquote(value)
        if (key.lower() == "xt" and _TOPIC.fullmatch(decoded)) or (
            key.lower() == "dn" and "://" not in decoded and "@" not in decoded
        ):
            shown.append(part)
        else:
            shown.append(_ELLIPSIS)
            break
    return PLAIN_SCHEME + "&".join(shown)


def _web(link: str) -> str:
    """Return scheme, host and path of a web link."""
    scheme, _, rest = link.partition("://")
    address = _QUERY.sub("", rest)
    if "@" in rest and "@" not in address:  # a password may have a question mark
        return f"{scheme.lower()}://{_ELLIPSIS}"
    host, *path = address.rpartition("@")[2].split("/")
    shown = [host, *(_ELLIPSIS if _KEY.fullmatch(part) else part for part in path)]
    return f"{scheme.lower()}://{'/'.join(shown)}"


def _words(text: str) -> str:
    """Return words, of one that looks like a link no more than its scheme."""
    if len(text) > _MOST_OF_WORDS:
        text = text[:_MOST_OF_WORDS].rpartition(" ")[0]
    shown: list[str] = []
    for word in text.split():
        if _LINK_LIKE.search(word):
            scheme = _SCHEME.match(word)
            word = (scheme[0] if scheme else "") + _ELLIPSIS
        shown.append(word)
    return " ".join(shown) or _ELLIPSIS
