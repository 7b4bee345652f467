"""Tests the connection to an instance before it is accepted."""

from dataclasses import dataclass
import logging

from homeassistant.core import HomeAssistant

from ..core.health.error_status import status_of
from ..core.health.settings import InstanceSettings
from ..core.health.status import InstanceStatus
from ..core.qbittorrent import Binding, Client, Connection
from ..core.qbittorrent.errors import ProxyAuthError, ServerError
from ..web_session import async_session
from .spoken_scheme import async_other_scheme
from .words import async_words

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
PROXY_AUTH_FAILED = "proxy_auth_failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """The form error, if any, and how the server is bound, if it was asked and told.

    `leads_to` is where its redirect leads, if that is why it failed, and `speaks` the scheme that
    it does speak. `version` is qBittorrent's.
    """

    error: str | None = None
    binding: Binding | None = None
    leads_to: str = ""
    speaks: str = ""
    version: str = ""


async def async_try_instance(
    hass: HomeAssistant,
    settings: InstanceSettings,
    *,
    verify_ssl: bool,
    asks_binding: bool = False,
) -> Trial:
    """Log in to a server as it was entered, without old cookies."""
    http = async_session(hass, verify_ssl=verify_ssl, auto_cleanup=False)
    try:
        client = Client(Connection(http, settings))
        await client.vitals()
        binding = await _binding(client) if asks_binding else None
        return Trial(binding=binding, version=client.version or "")
    except ServerError as err:
        status = status_of(err)
        _LOGGER.debug("Trial of %s: %s (%s)", settings.name, status, err)
        if isinstance(err, ProxyAuthError):
            return Trial(PROXY_AUTH_FAILED)
        if other := await async_other_scheme(hass, settings.url, err):
            return Trial(FORM_ERRORS[InstanceStatus.SSL_ERROR], speaks=other)
        return Trial(FORM_ERRORS.get(status, "unknown"), leads_to=err.leads_to)
    except Exception:
        _LOGGER.exception("Unexpected error in the trial of %s", settings.name)
        return Trial("unknown")
    finally:
        http.detach()


async def async_told(hass: HomeAssistant, trial: Trial) -> dict[str, str]:
    """Return what fills the gaps in the texts of the errors, in Home Assistant's language."""
    words = await async_words(hass, "connection_trial")
    told = {"seen": words[f"speaks_{trial.speaks}" if trial.speaks else "certificate"]}
    if trial.leads_to:
        told["redirect"] = words["redirect"].format(place=trial.leads_to)
    return told


async def async_connected_text(hass: HomeAssistant, trial: Trial) -> str:
    """Return what answered, in Home Assistant's language, or ""."""
    if not trial.version:
        return ""
    words = await async_words(hass, "connection_trial")
    return words["connected"].format(version=trial.version)


async def _binding(client: Client) -> Binding | None:
    """Return how a server is bound; None where it does not say, which is no reason to refuse it."""
    try:
        return await client.binding()
    except ServerError:
        return None
