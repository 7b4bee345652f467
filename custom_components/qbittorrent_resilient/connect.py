"""HTTP sessions towards qBittorrent, and the trial of an instance before it is accepted."""

import logging

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_create_clientsession

from .core.errors import InstanceError
from .core.models import InstanceSettings, InstanceStatus
from .core.qbittorrent import Client, Connection

_LOGGER = logging.getLogger(__name__)

FORM_ERRORS = {
    InstanceStatus.UNREACHABLE: "cannot_connect",
    InstanceStatus.TIMEOUT: "timeout",
    InstanceStatus.AUTH_FAILED: "invalid_auth",
    InstanceStatus.BANNED: "banned",
    InstanceStatus.HOST_REJECTED: "host_rejected",
    InstanceStatus.SSL_ERROR: "ssl_error",
    InstanceStatus.ERROR: "not_qbittorrent",
}


@callback
def async_session(
    hass: HomeAssistant, *, verify_ssl: bool, auto_cleanup: bool = True
) -> ClientSession:
    """Return a session without a cookie jar: each connection minds its own cookies."""
    return async_create_clientsession(
        hass, verify_ssl, auto_cleanup=auto_cleanup, cookie_jar=DummyCookieJar()
    )


async def async_try_instance(
    hass: HomeAssistant, settings: InstanceSettings, *, verify_ssl: bool
) -> str | None:
    """Log in to a server as it was entered, without any old cookie; return the form error."""
    http = async_session(hass, verify_ssl=verify_ssl, auto_cleanup=False)
    try:
        await Client(Connection(http, settings)).vitals()
    except InstanceError as err:
        _LOGGER.debug("Trial of %s: %s (%s)", settings.name, err.status, err)
        return FORM_ERRORS.get(err.status, "unknown")
    except Exception:
        _LOGGER.exception("Unexpected error in the trial of %s", settings.name)
        return "unknown"
    else:
        return None
    finally:
        http.detach()
