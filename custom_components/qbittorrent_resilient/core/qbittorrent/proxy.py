"""What stands in front of qBittorrent and wants a login of its own, or headers."""

import base64
from collections.abc import Iterable
import re

from .errors import InvalidProxyError

MOST_HEADERS = 20
MOST_CHARACTERS = 4096
"""In one header; a web server takes 8 KiB for a line."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[ -~]*")
_OURS = frozenset(
    {
        *("host", "cookie", "origin", "referer"),  # qBittorrent judges by them
        *("accept-encoding", "content-encoding", "content-length", "content-type", "expect"),
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),  # hop by hop
    }
)


def parse_headers(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values of lines `Name: value`; blank lines are ignored.

    Raises InvalidProxyError, whose text quotes no value, for what is no header, for one of those
    that the client sends itself or that are not for the server, and for a name that occurs twice.
    """
    headers: dict[str, tuple[str, str]] = {}
    for number, line in enumerate((line for line in lines if line.strip()), 1):
        name, colon, value = line.strip(" \t").partition(":")
        name, value = name.strip(" \t"), value.strip(" \t")
        if not (colon and _NAME.fullmatch(name)):
            raise InvalidProxyError(f"Header {number} is not of the form Name: value")
        if not value or len(value) > MOST_CHARACTERS or not _VALUE.fullmatch(value):
            raise InvalidProxyError(f"The value of {name} is empty, too long or not plain ASCII")
        if name.lower() in _OURS:
            raise InvalidProxyError(f"{name} cannot be set")
        if name.lower() in headers:
            raise InvalidProxyError(f"{name} is there twice")
        if number > MOST_HEADERS:
            raise InvalidProxyError(f"There are more than {MOST_HEADERS} headers")
        headers[name.lower()] = (name, value)
    return tuple(headers.values())


def check_login(
    username: str, password: str, headers: Iterable[tuple[str, str]], *, api_key: bool
) -> None:
    """Raise InvalidProxyError if a proxy's login cannot be sent, or not beside the rest.

    HTTP has one header `Authorization`, which the API key, the proxy's login (HTTP Basic) and a
    header of that name all need.
    """
    if ":" in username or not f"{username}{password}".isprintable():
        raise InvalidProxyError("The proxy's login has a colon or a control character")
    claims = [
        *(["the API key"] if api_key else []),
        *(["the proxy's username and password"] if username or password else []),
        *(f"the header {name}" for name, _ in headers if name.lower() == "authorization"),
    ]
    if len(claims) > 1:
        raise InvalidProxyError(f"Only one of these can be sent: {' and '.join(claims)}")


def basic(username: str, password: str) -> str:
    """Return the value of `Authorization` for a login by HTTP Basic (RFC 7617, in UTF-8)."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
