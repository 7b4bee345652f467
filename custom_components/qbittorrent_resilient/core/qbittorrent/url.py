"""The address of a qBittorrent web interface: checked, and made comparable."""

from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

from yarl import URL

from .errors import InvalidUrlError

DEFAULT_PORTS = {"http": 80, "https": 443}


def normalise_url(text: str) -> str:
    """Return `http(s)://host[:port][/prefix]` without a closing slash.

    Raises InvalidUrlError for another scheme, credentials, a query, or a text that is no URL.
    """
    parts = _split(text)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def same_place(first: str, second: str) -> bool:
    """Tell whether two valid URLs lead to the same server, whatever their scheme and spelling."""
    return _place(first) == _place(second)


def host_without_port(url: str) -> str:
    """Return the host of a normalised URL as a Host header wants it, without the port."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _place(url: str) -> tuple[str, int | None, str]:
    """Return host, port and path, each spelled in the one way in which it is asked for."""
    asked = URL(url)
    return (_host(asked.raw_host or ""), asked.port, asked.raw_path.rstrip("/"))


def _host(host: str) -> str:
    """Return a host without the dot at its end; an IPv4 address within IPv6 is that address."""
    try:
        inside = IPv6Address(host).ipv4_mapped
    except ValueError:
        return host.rstrip(".")
    return host if inside is None else str(inside)


def _split(text: str) -> SplitResult:
    text = text.strip()
    if any(char.isspace() or not char.isprintable() for char in text):
        raise InvalidUrlError("The URL contains a blank or a control character")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("idna")
    except ValueError as err:  # UnicodeError is a ValueError
        raise InvalidUrlError("The URL cannot be read") from err
    if parts.scheme not in DEFAULT_PORTS:
        raise InvalidUrlError("The URL must start with http:// or https://")
    if "@" in parts.netloc:
        raise InvalidUrlError("User name and password do not belong into the URL")
    if not host or port == 0:
        raise InvalidUrlError("The URL names no host, or port 0")
    if parts.query or parts.fragment or "\\" in text:
        raise InvalidUrlError("The URL must end after the path")
    return parts
