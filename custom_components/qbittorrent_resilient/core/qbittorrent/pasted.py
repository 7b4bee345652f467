"""The address of a web interface as people type and paste it, put into its normal form.

What is put right is what a browser would put right, and what its address bar shows of a page of
qBittorrent. What could mean another server than was meant is refused.
"""

from ipaddress import IPv4Address, IPv6Address
import re
from typing import NamedTuple, NoReturn
from unicodedata import category, normalize

from .errors import InvalidUrlError, UrlFault
from .url import DEFAULT_PORTS, normalise_url

_MOST_CHARACTERS = 2048
"""Of an address, as browsers take; twice as much may be pasted."""
_AROUND = frozenset("<>(),;\"'`«»“”„‘’")
"""What an address stands in, in mails, chats and configurations."""
_SCHEME = re.compile(r"(https?)(?::/*|//+)", re.ASCII | re.IGNORECASE)
_SCHEME_AGAIN = re.compile(r"(https?)://+", re.ASCII | re.IGNORECASE)
"""A whole address pasted behind a scheme that was there already."""
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:[/?]", re.ASCII | re.IGNORECASE)
_LABEL = re.compile(r"(?!-)[^\x00-,./:-@\[-^`{-\x7f]{1,63}(?<!-)")
"""One part of a host name; names of containers may have an underscore."""
_DOTS = re.compile("[\u3002\uff0e\uff61]")
"""What counts as a dot in names that are not written in Latin letters."""
_PORT = re.compile(r"0*[0-9]{1,5}", re.ASCII)
_ZONE = re.compile(r"[\w.~-]{1,32}", re.ASCII)
_MANY_SLASHES = re.compile(r"//+")
_API = re.compile(r"/api/v[0-9]+(/.*)?$", re.ASCII | re.DOTALL)
_PAGE = re.compile(r"(/(public|private|views))?/[^/]*\.html?$", re.ASCII | re.IGNORECASE)
_LAST_PORT = 65_535
_PORT_DIGITS = 4
"""What looks like a port at the end of an IPv6 address: 8080."""


class _Place(NamedTuple):
    host: str
    port: int | None


def read_pasted(text: str) -> str:
    """Return the address as `normalise_url` does; raises InvalidUrlError with what is wrong.

    A missing scheme is http, or https for port 443. Queries, fragments, pages and routes of the
    API are left out. The default port is left out as well.
    """
    text = _bare(text)
    scheme, rest = _scheme(text)
    if "@" in rest.partition("/")[0]:
        _refuse(UrlFault.CREDENTIALS)
    rest = rest.partition("#")[0].partition("?")[0]
    if "://" in rest:
        _refuse(UrlFault.SEVERAL)
    authority, slash, path = rest.partition("/")
    place = _place(authority)
    scheme = scheme or ("https" if place.port == DEFAULT_PORTS["https"] else "http")
    port = "" if place.port in (None, DEFAULT_PORTS[scheme]) else f":{place.port}"
    url = normalise_url(f"{scheme}://{place.host}{port}{_prefix(slash + path)}")
    return url if len(url) <= _MOST_CHARACTERS else _refuse(UrlFault.UNREADABLE)


def _refuse(fault: UrlFault) -> NoReturn:
    raise InvalidUrlError(f"The address cannot be used: {fault}", fault=fault)


def _bare(text: str) -> str:
    """Return the text without what stands around it and cannot be seen, or quotes it."""
    if len(text) > 2 * _MOST_CHARACTERS:
        _refuse(UrlFault.UNREADABLE)
    first, last = 0, len(text)
    while first < last and _stands_around(text[first]):
        first += 1
    while first < last and _stands_around(text[last - 1]):
        last -= 1
    text = text[first:last]
    if len(words := text.split()) > 1 and all(map(_OTHER_SCHEME.match, words)):
        _refuse(UrlFault.SEVERAL)
    if "\\" in text or any(char.isspace() or not char.isprintable() for char in text):
        _refuse(UrlFault.CHARACTER)
    if not text:
        _refuse(UrlFault.NO_HOST)
    return text


def _stands_around(char: str) -> bool:
    return char in _AROUND or category(char) in ("Zs", "Zl", "Zp", "Cc", "Cf")


def _scheme(text: str) -> tuple[str, str]:
    """Return http, https or "", and what follows it."""
    scheme = ""
    if text.startswith("//"):
        text = text.lstrip("/")
    elif match := _SCHEME.match(text):
        scheme, text = match[1].lower(), text[match.end() :]
    if match := _SCHEME_AGAIN.match(text):
        scheme, text = match[1].lower(), text[match.end() :].lstrip("/")
    if not scheme and _OTHER_SCHEME.match(text):
        _refuse(UrlFault.SCHEME)
    return scheme, text


def _place(authority: str) -> _Place:
    """Read `host`, `host:port`, `[v6]:port` or an IPv6 address without its brackets."""
    if authority.startswith("["):
        inside, bracket, after = authority[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            _refuse(UrlFault.UNREADABLE)
        return _Place(_v6(inside) or _refuse(UrlFault.UNREADABLE), _port(after[1:]))
    host, colon, port = authority.rpartition(":")
    if ":" in host:
        return _without_brackets(authority, host, port)
    return _Place(_host(host if colon else authority), _port(port if colon else ""))


def _without_brackets(authority: str, host: str, port: str) -> _Place:
    """Read an IPv6 address, with a port only where it cannot be a part of the address."""
    whole, front = _v6(authority), _v6(host)
    if whole is None:
        return _Place(front or _refuse(UrlFault.UNREADABLE), _port(port))
    if front is not None and len(port) == _PORT_DIGITS and port.isdecimal():
        _refuse(UrlFault.BRACKETS)
    return _Place(whole, None)


def _v6(text: str) -> str | None:
    """Return an IPv6 address in brackets and in its usual form, or None for another text.

    The interface of a link-local address (`%eth0`) is kept; some write `%25eth0`.
    """
    address, percent, zone = text.partition("%")
    zone = zone.removeprefix("25") if len(zone) > len("25") else zone
    if percent and not _ZONE.fullmatch(zone):
        return None
    try:
        return f"[{IPv6Address(address)}{percent}{zone}]"
    except ValueError:
        return None


def _host(text: str) -> str:
    """Return a name in lower case, or an IPv4 address."""
    host = _DOTS.sub(".", normalize("NFKC", text)).lower()
    labels = host.removesuffix(".").split(".")
    if not host:
        _refuse(UrlFault.NO_HOST)
    if all(label.isdecimal() for label in labels):
        try:
            return str(IPv4Address(host.removesuffix(".")))
        except ValueError:
            _refuse(UrlFault.ADDRESS)
    if not all(map(_LABEL.fullmatch, labels)):
        _refuse(UrlFault.UNREADABLE)
    return host


def _port(text: str) -> int | None:
    if not text:
        return None
    if not _PORT.fullmatch(text) or not 0 < int(text) <= _LAST_PORT:
        _refuse(UrlFault.PORT)
    return int(text)


def _prefix(path: str) -> str:
    """Return the path that a proxy has given qBittorrent, without what is qBittorrent's own."""
    path = _MANY_SLASHES.sub("/", path)
    return _PAGE.sub("", _API.sub("", path)).rstrip("/")
