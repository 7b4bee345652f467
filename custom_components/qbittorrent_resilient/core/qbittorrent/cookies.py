"""The cookies that an answer sets or deletes, and which of them are qBittorrent's own."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
import re

MOST_COOKIES = 20
"""Of one server; a browser keeps 180 of a site, what stands before a server needs two or three."""
MOST_CHARACTERS = 4096
"""In all cookies together; proxies refuse a request whose headers have more than 8 KiB."""
MOST_ATTRIBUTES = 20
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_VALUE = re.compile(r"[!-~ ]*")
_NUMBER = re.compile(r"-?\d+")
_SESSION_ID = re.compile(r"[A-Za-z0-9+/]{32}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_EPOCH_END = datetime(2001, 1, 1, tzinfo=UTC)
"""What expired before this was never meant to be kept, whatever the clock says."""


def changes(headers: Iterable[str], date: str | None) -> dict[str, str | None]:
    """Return what `Set-Cookie` headers change: a cookie's new value, or None for a deletion.

    `date` is the answer's own `Date`: by the server's clock, not ours, it is decided what expired.
    What is no plain ASCII cookie is ignored: aiohttp's parser writes each into the log.
    """
    if not (headers := [*headers]):
        return {}
    now = read_date(date) or _EPOCH_END
    found: dict[str, str | None] = {}
    for header in headers:
        pair, *attributes = header.split(";", MOST_ATTRIBUTES)
        name, equals, value = (part.strip(" \t") for part in pair.partition("="))
        if equals and _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            found.pop(name, None)  # the last one counts, in its place
            found[name] = None if _is_over(attributes, now) else value
    return found


def is_own(name: str) -> bool:
    """Tell whether a cookie has a name that qBittorrent gives it: SID, or QBT_SID and its port."""
    return name == "SID" or name.startswith("QBT_SID")


def own_cookies(cookies: Mapping[str, str]) -> dict[str, str]:
    """Return those that are qBittorrent's session; those of a proxy or a balancer are not.

    From 4.6 to 5.1 the name may be chosen (`SessionCookieName`). So if none has a usual name, those
    count that look like a session: 24 random bytes in base64.
    """
    if named := {name: value for name, value in cookies.items() if is_own(name)}:
        return named
    return {name: value for name, value in cookies.items() if _is_session_id(value)}


def bounded(cookies: Mapping[str, str]) -> dict[str, str]:
    """Return as many as are kept: qBittorrent's own first, then those that were set last."""
    kept: dict[str, str] = {}
    characters = 0
    newest_first = [*cookies.items()][::-1]
    for name, value in sorted(newest_first, key=lambda one: not is_own(one[0])):
        longer = characters + len(name) + len(value)
        if len(kept) < MOST_COOKIES and longer <= MOST_CHARACTERS:
            kept[name], characters = value, longer
    return {name: value for name, value in cookies.items() if name in kept}


def _is_session_id(value: str) -> bool:
    return bool(_SESSION_ID.fullmatch(value)) and not _HEX.fullmatch(value)


def _is_over(attributes: Iterable[str], now: datetime) -> bool:
    """Tell whether a cookie is to be deleted: `Max-Age` counts before `Expires` (RFC 6265)."""
    parts = (one.partition("=") for one in attributes)
    values = {name.strip().lower(): value.strip() for name, _, value in parts}
    if _NUMBER.fullmatch(max_age := values.get("max-age", "")[:20]):
        return int(max_age) <= 0
    return (expires := read_date(values.get("expires"))) is not None and expires <= now


def read_date(text: str | None) -> datetime | None:
    """Return a time as HTTP headers have it, or None."""
    try:
        found = parsedate_to_datetime(text[:40]) if text else None
    except ValueError, OverflowError, IndexError, TypeError:
        return None
    return found and (found if found.tzinfo else found.replace(tzinfo=UTC))
