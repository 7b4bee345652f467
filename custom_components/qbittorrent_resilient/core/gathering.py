"""Gathers the links from what a door is given: nested values of any shape, with fields of any name.

A feed's entry names its torrent in one field or in several, or has its info-hash only; a post may
be any JSON. So every text in it is read, and what names the same torrent counts once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from .errors import InvalidMagnetError
from .intake import MOST_TEXTS, TooManyError
from .link_text import Kind, names_torrent_file, pieces
from .magnet import Magnet

_NOT_ALPHANUMERIC = re.compile(r"[\W_]", re.ASCII)
_TOPIC = re.compile(r"urn:(?:btih:[0-9a-z]{32,40}|btmh:1220[0-9a-f]{64})", re.IGNORECASE)
_V1 = re.compile(r"[0-9a-f]{40}|[a-z2-7]{32}", re.IGNORECASE)
_V2 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_LONGEST_TOPIC = 100

MOST_VALUES = 500_000
"""The most values, and the most lines of a text, that are looked at: some 10 s of work."""


class Text(NamedTuple):
    """One text, the field that has it, and the title of what that belongs to."""

    field: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """The links that were found, each torrent once.

    `magnets` has what begins like a magnet link, too, and is none: somebody has to be told.
    """

    magnets: list[str]
    web_links: list[str]


def gather(value: Any) -> Gathered:
    """Return the links in all texts of a value. Raises TooManyError."""
    web_links: dict[str, None] = {}
    links: list[tuple[str, str]] = []
    for one in texts_in(value):
        if (made := _of_hash(one)) is not None:
            links.append((made, one.title))
            continue
        if not _may_have_links(one.text):
            continue
        if len(links) > MOST_TEXTS:
            raise TooManyError(f"more than {MOST_TEXTS} links")
        for piece in pieces(one.text):
            if piece.kind is Kind.MAGNET:
                links.append((piece.text, one.title))
            elif piece.kind is Kind.WEB:
                web_links.setdefault(piece.text)
    return Gathered(_each_once(links), list(web_links))


def gather_entry(entry: Mapping[str, Any]) -> Gathered:
    """Return the links in a feed's entry.

    Its web links count only if it has no magnet, and not all of them: what it encloses is meant, or
    else what is named like a torrent file, or else its own link.
    """
    gathered = gather(entry)
    enclosed = set(gather([*_enclosed(entry)]).web_links)
    own = set(gather(entry.get("link")).web_links)
    torrents = {one for one in gathered.web_links if names_torrent_file(one)}
    meant = set() if gathered.magnets else enclosed or torrents or own
    return Gathered(gathered.magnets, [one for one in gathered.web_links if one in meant])


def texts_in(value: Any) -> Iterator[Text]:
    """Yield all texts in a value, in the order in which it has them.

    A pair of `name` and `value`, as indexers write attributes, counts as a field of that name.
    """
    stack: list[tuple[str, Any, str]] = [("", value, "")]
    seen: set[int] = set()
    values = 0
    while stack:
        name, one, title = stack.pop()
        if isinstance(one, str):
            yield Text(name, one, title)
        elif isinstance(one, Mapping | list | tuple) and id(one) not in seen:
            seen.add(id(one))
            values += len(one)
            if values > MOST_VALUES:
                raise TooManyError(f"more than {MOST_VALUES} values")
            stack.extend(reversed(list(_parts(name, one, title))))


def _parts(
    name: str, value: Mapping[str, Any] | list[Any] | tuple[Any, ...], title: str
) -> Iterator[tuple[str, Any, str]]:
    if not isinstance(value, Mapping):
        for one in value:
            yield name, one, title
        return
    title = own if isinstance(own := value.get("title"), str) else title
    if isinstance(named := value.get("name"), str) and isinstance(value.get("value"), str):
        yield named, value["value"], title
    for key, one in value.items():
        yield str(key), one, title


def _each_once(links: list[tuple[str, str]]) -> list[str]:
    """Return links, given with titles; of several for one torrent, the one that says most."""
    chosen: list[Magnet | str] = []
    places: dict[str, int] = {}
    titles: dict[int, str] = {}
    for link, title in links:
        magnet = _parsed(link)
        topics = [topic for topic in (magnet.v1, magnet.v2) if topic] if magnet else [link]
        place = next((places[topic] for topic in topics if topic in places), len(chosen))
        known = chosen[place] if place < len(chosen) else None
        if known is None:
            chosen.append(magnet or link)
        elif isinstance(known, Magnet) and magnet and len(magnet.link) > len(known.link):
            chosen[place] = magnet
        for topic in topics:
            places.setdefault(topic, place)
        titles.setdefault(place, title)
    return [
        _named(one, titles.get(place)) if isinstance(one, Magnet) else one
        for place, one in enumerate(chosen)
    ]


def _may_have_links(text: str) -> bool:
    """Tell at once whether a text is worth to be read. Raises TooManyError."""
    plain = text.lower()
    if "magnet" not in plain and "http" not in plain:
        return False
    if text.count("\n") + text.count("\r") > MOST_VALUES:
        raise TooManyError(f"more than {MOST_VALUES} lines")
    if plain.count("magnet") > 2 * MOST_TEXTS or plain.count("http") > 4 * MOST_TEXTS:
        raise TooManyError(f"more than {MOST_TEXTS} links")
    return True


def _of_hash(one: Text) -> str | None:
    """Return a link for the hash that a text is, or None if it is none."""
    digits = one.text.strip() if len(one.text) <= _LONGEST_TOPIC else ""
    if _TOPIC.fullmatch(digits):
        return f"magnet:?xt={digits}"
    if _is_info_hash(one.field) and _V1.fullmatch(digits):
        return f"magnet:?xt=urn:btih:{digits}"
    if _is_info_hash(one.field) and _V2.fullmatch(digits):
        return f"magnet:?xt=urn:btmh:1220{digits}"
    return None


def _is_info_hash(name: str) -> bool:
    plain = _NOT_ALPHANUMERIC.sub("", name[:_LONGEST_TOPIC]).lower()
    return "infohash" in plain or "btih" in plain


def _parsed(link: str) -> Magnet | None:
    try:
        return Magnet.parse(link)
    except InvalidMagnetError:
        return None


def _named(magnet: Magnet, title: str | None) -> str:
    if magnet.name or not (title and title.strip()):
        return magnet.link
    return f"{magnet.link}&dn={quote(title.strip()[:1000], safe='', errors='replace')}"


def _enclosed(entry: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the addresses of the files that an entry encloses."""
    links = entry.get("links")
    for one in links if isinstance(links, list) else []:
        if isinstance(one, Mapping) and (
            one.get("rel") == "enclosure" or "bittorrent" in str(one.get("type"))
        ):
            yield one.get("href")
