"""The address of a control server, as it is typed or pasted."""

import re

from yarl import URL

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_ROUTE = re.compile(r"/v1(/.*)?$", re.ASCII | re.DOTALL)
"""What belongs to the API: the address of one of its answers may have been pasted."""


class InvalidUrlError(Exception):
    """The text is not the address of a control server; the error's text says why."""


def normalise_url(text: str) -> str:
    """Return `http(s)://host[:port][/prefix]` without a closing slash.

    A missing scheme is http; a route of the API and a fragment are left out. Raises InvalidUrlError
    for another scheme, credentials, a query (which may be a key), or a text that is no address.
    """
    text = text.strip()
    if "\\" in text or any(char.isspace() or not char.isprintable() for char in text):
        raise InvalidUrlError("the address has a blank, a backslash or a control character")
    try:
        url = URL(text if _SCHEME.match(text) else f"http://{text}")
        port, host = url.port, url.host
    except ValueError as err:
        raise InvalidUrlError("the address cannot be read") from err
    if url.scheme not in ("http", "https"):
        raise InvalidUrlError("the address must start with http:// or https://")
    if url.user is not None or url.password is not None or url.raw_query_string:
        raise InvalidUrlError("credentials and keys do not belong into the address")
    if not host or port == 0:
        raise InvalidUrlError("the address names no host, or port 0")
    path = _ROUTE.sub("", url.raw_path).rstrip("/")
    return str(url.with_fragment(None).with_path(path, encoded=True)).rstrip("/")
