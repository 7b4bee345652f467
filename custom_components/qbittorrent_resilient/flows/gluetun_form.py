"""The section for the gluetun that an instance is behind, and the look at it before it is taken."""

import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
import probatio as vol

from ..const import (
    CONF_GLUETUN,
    CONF_GLUETUN_API_KEY,
    CONF_GLUETUN_PASSWORD,
    CONF_GLUETUN_URL,
    CONF_GLUETUN_USERNAME,
)
from ..core.gluetun import ControlServer, TunnelState, normalise_url
from ..core.qbittorrent.errors import InvalidUrlError, UrlFault
from ..core.qbittorrent.pasted import read_pasted
from ..settings import gluetun_settings
from ..web_session import async_session

_LOGGER = logging.getLogger(__name__)

_SECRET = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)  # a password manager knows qBittorrent's

GLUETUN_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_GLUETUN_URL, default=""): TextSelector(
            TextSelectorConfig(type=TextSelectorType.URL)
        ),
        vol.Optional(CONF_GLUETUN_API_KEY, default=""): _SECRET,
        vol.Optional(CONF_GLUETUN_USERNAME, default=""): TextSelector(
            TextSelectorConfig(autocomplete="off")
        ),
        vol.Optional(CONF_GLUETUN_PASSWORD, default=""): _SECRET,
    }
)

FORM_ERRORS = {
    TunnelState.SILENT: "gluetun_cannot_connect",
    TunnelState.FOREIGN: "gluetun_cannot_connect",
    TunnelState.REFUSED: "gluetun_auth",
}


def checked_gluetun(entered: dict[str, Any] | None) -> dict[str, Any]:
    """Return the section as it is stored, or nothing without a URL; raises InvalidUrlError."""
    fields = GLUETUN_SCHEMA(entered or {})
    if not fields[CONF_GLUETUN_URL].strip():
        return {}
    stored = {
        **fields,
        CONF_GLUETUN_URL: _address(fields[CONF_GLUETUN_URL]),
        CONF_GLUETUN_API_KEY: fields[CONF_GLUETUN_API_KEY].strip(),
    }
    return {CONF_GLUETUN: stored}


def _address(text: str) -> str:
    if "?" in text:
        raise InvalidUrlError("A query may be a key", fault=UrlFault.QUERY)
    return normalise_url(read_pasted(text))


async def async_try_gluetun(hass: HomeAssistant, data: dict[str, Any]) -> str | None:
    """Look at the gluetun of an instance, if it has one; return the form error, if any.

    Whether its tunnel is up does not matter here.
    """
    if (settings := gluetun_settings(data)) is None:
        return None
    http = async_session(hass, verify_ssl=True, auto_cleanup=False)
    try:
        look = await ControlServer(http, settings).look()
    finally:
        http.detach()
    _LOGGER.debug("Trial of a gluetun: %s", look.state)
    return FORM_ERRORS.get(look.state)
