"""HTTP sessions towards qBittorrent."""

from collections.abc import Sequence

from aiohttp import ClientSession, DummyCookieJar, ThreadedResolver
from aiohttp.abc import ResolveResult
from aiohttp.hdrs import USER_AGENT
from homeassistant import config_entries
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import (
    SERVER_SOFTWARE,
    HomeAssistantTCPConnector,
    async_get_clientsession,
)
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ssl import SSL_ALPN_HTTP11, client_context, client_context_no_verify

from .const import DOMAIN
from .core.fetching.fetcher import Fetcher
from .core.qbittorrent.resolver import FollowingConnector, FollowingResolver

DATA_CONNECTORS: HassKey[dict[bool, FollowingConnector]] = HassKey(f"{DOMAIN}_connectors")
"""By whether certificates are verified; each keeps the connections of all servers."""
HEADER_BYTES = 32 * 1024
"""In one header of an answer; the policies that proxies send take up to 9 KiB."""


@callback
def async_session(
    hass: HomeAssistant, *, verify_ssl: bool, auto_cleanup: bool = True
) -> ClientSession:
    """Return a session without a cookie jar, as each connection keeps its own cookies.

    It follows servers that move, which Home Assistant's own does not. With `auto_cleanup`, it is
    detached when the config entry that is being set up is unloaded, else by the caller.
    """
    session = ClientSession(
        connector=_async_connector(hass, verify_ssl=verify_ssl),
        connector_owner=False,
        cookie_jar=DummyCookieJar(),
        headers={USER_AGENT: SERVER_SOFTWARE},
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
    )
    if auto_cleanup and (entry := config_entries.current_entry.get()) is not None:
        entry.async_on_unload(session.detach)
    return session


@callback
def async_fetcher(hass: HomeAssistant, proxy: str) -> Fetcher:
    """Return what fetches web links, through a proxy, if any."""
    return Fetcher(
        _async_connector(hass, verify_ssl=True).names,
        client_context(alpn_protocols=SSL_ALPN_HTTP11),
        hass.async_add_executor_job,
        user_agent=SERVER_SOFTWARE,
        proxy=proxy or None,
    )


@callback
def _async_connector(hass: HomeAssistant, *, verify_ssl: bool) -> FollowingConnector:
    """Return the connector for all servers, which is closed with Home Assistant."""
    connectors = hass.data.setdefault(DATA_CONNECTORS, {})
    if verify_ssl in connectors:
        return connectors[verify_ssl]
    usual = async_get_clientsession(hass).connector

    async def look_up(host: str) -> Sequence[ResolveResult]:
        if not isinstance(usual, HomeAssistantTCPConnector):
            raise OSError("Home Assistant looks names up in another way")
        return await usual.async_resolve_host(host)

    names = FollowingResolver(look_up, ThreadedResolver())
    make_context = client_context if verify_ssl else client_context_no_verify
    connector = FollowingConnector(names, make_context(alpn_protocols=SSL_ALPN_HTTP11))
    connectors[verify_ssl] = connector

    async def close(_: Event) -> None:
        await connector.close()
        await names.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, close)
    return connector
