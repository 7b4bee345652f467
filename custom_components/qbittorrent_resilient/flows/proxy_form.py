"""The section for what stands in front of a server and wants a login of its own, or headers."""

from collections.abc import Mapping
from typing import Any

from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
import probatio as vol

from ..const import CONF_HEADERS, CONF_PROXY, CONF_PROXY_PASSWORD, CONF_PROXY_USERNAME
from ..core.qbittorrent.errors import InvalidProxyError
from ..core.qbittorrent.proxy import check_login, parse_headers

PROXY_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_PROXY_USERNAME, default=""): TextSelector(
            TextSelectorConfig(autocomplete="off")
        ),
        vol.Optional(CONF_PROXY_PASSWORD, default=""): TextSelector(
            TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
        ),  # a password manager knows qBittorrent's
        # Not hidden: the frontend could not show such a list again, and a typing error is easy.
        vol.Optional(CONF_HEADERS, default=list): TextSelector(
            TextSelectorConfig(multiple=True, autocomplete="off")
        ),
    }
)


def checked_proxy(
    entered: Mapping[str, Any] | None, *, by_key: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the section as it is stored, or nothing where all of it is empty, and the form error.

    `by_key` tells whether the server is asked with an API key.
    """
    errors: dict[str, str] = {}
    fields = PROXY_SCHEMA(entered or {})
    username, password = fields[CONF_PROXY_USERNAME].strip(), fields[CONF_PROXY_PASSWORD]
    try:
        headers = parse_headers(fields[CONF_HEADERS])
    except InvalidProxyError:
        errors[CONF_PROXY] = "invalid_headers"
        return {}, errors
    try:
        check_login(username, password, headers, api_key=by_key)
    except InvalidProxyError:
        errors[CONF_PROXY] = "invalid_proxy_login"
        return {}, errors
    if not (username or password or headers):
        return {}, errors
    stored = {
        CONF_PROXY_USERNAME: username,
        CONF_PROXY_PASSWORD: password,
        CONF_HEADERS: [f"{name}: {value}" for name, value in headers],
    }
    return {CONF_PROXY: stored}, errors


def readable_proxy(stored: object) -> dict[str, Any]:
    """Return a stored section as a form can show it; nothing where it is damaged."""
    try:
        readable, _ = checked_proxy(PROXY_SCHEMA(stored), by_key=False)
    except vol.Invalid:
        return {}
    return readable
