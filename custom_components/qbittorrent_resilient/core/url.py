"""The address of a qBittorrent web interface: checked, and made comparable."""

from urllib.parse import SplitResult, urlsplit

from .errors import InvalidUrlError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalise_url(text: str) -> str:
    """Return `http(s)://host[:port][/prefix]` without a closing slash.

    Raises InvalidUrlError for another scheme, credentials, a query, or what is no URL.
    """
    parts = _split(text)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def same_place(first: str, second: str) -> bool:
    """Tell whether two valid URLs lead to the same server, whatever their scheme."""
    return _place(first) == _place(second)


def host_without_port(url: str) -> str:
    """Return the host of a normalised URL as a Host header wants it, without the port."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _place(url: str) -> tuple[str | None, int | None, str]:
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return (parts.hostname, port, parts.path.rstrip("/"))


def _split(text: str) -> SplitResult:
    text = text.strip()
    if any(char.isspace() or not char.isprintable() for char in text):
        raise InvalidUrlError("The URL contains a blank or a control character")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("idna")
    except ValueError as err:  # UnicodeError is one, too
        raise InvalidUrlError("The URL cannot be read") from err
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidUrlError("The URL must start with http:// or https://")
    if "@" in parts.netloc:
        raise InvalidUrlError("User name and password do not belong into the URL")
    if not host or port == 0:
        raise InvalidUrlError("The URL names no host, or port 0")
    if parts.query or parts.fragment or "\\" in text:
        raise InvalidUrlError("The URL must end after the path")
    return parts
