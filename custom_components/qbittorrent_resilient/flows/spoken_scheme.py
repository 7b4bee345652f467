"""Finds out whether a port speaks the other one of http and https than was entered."""

from contextlib import suppress

import aiohttp
from homeassistant.core import HomeAssistant
from yarl import URL

from ..core.qbittorrent.errors import (
    CannotConnectError,
    HandshakeError,
    NoTlsError,
    ProtocolError,
    ServerError,
    TimedOutError,
)
from ..web_session import async_session

LOOK_SECONDS = 2.0
"""Time limit of a look, connection included; the server was asked just before."""
_OTHER = {"http": "https", "https": "http"}
_DOUBTS: dict[str, tuple[type[ServerError], ...]] = {
    # Asked in plain text, a port that speaks TLS hangs up, or sends an alert or a page.
    "http": (CannotConnectError, ProtocolError),
    # Asked by TLS, qBittorrent's own HTTP server waits for the end of what it takes for a header.
    "https": (CannotConnectError, HandshakeError, TimedOutError),
}


async def async_other_scheme(hass: HomeAssistant, url: str, err: ServerError) -> str:
    """Return the scheme that the port of `url` does speak after `err`; "" if that is not it."""
    asked = URL(url)
    if not isinstance(err, _DOUBTS[asked.scheme]) or err.leads_to:
        return ""
    other = asked.with_scheme(_OTHER[asked.scheme]).with_port(asked.port)
    speaks = isinstance(err, NoTlsError) or await _async_speaks(hass, other)
    return other.scheme if speaks else ""


async def _async_speaks(hass: HomeAssistant, url: URL) -> bool:
    """Tell whether HTTP is spoken there; nothing but the host is told to it."""
    http = async_session(hass, verify_ssl=False, auto_cleanup=False)
    with suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
        try:
            async with http.get(
                url.origin(),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=LOOK_SECONDS),
            ):
                return True
        finally:
            http.detach()
    return False
