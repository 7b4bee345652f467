"""Credentials that a server refused since Home Assistant was started.

They outlive a reload of the entry: tried once more at each, they would end in a ban.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .core.models import InstanceSettings

_REFUSED: HassKey[dict[str, tuple[str, ...]]] = HassKey(f"{DOMAIN}_refused")


@callback
def async_was_refused(hass: HomeAssistant, settings: InstanceSettings) -> bool:
    """Tell whether the server refused just these credentials."""
    return hass.data.get(_REFUSED, {}).get(settings.key) == settings.credentials


@callback
def async_remember_refusal(hass: HomeAssistant, settings: InstanceSettings) -> None:
    """Keep in mind that the server refused these credentials."""
    hass.data.setdefault(_REFUSED, {})[settings.key] = settings.credentials


@callback
def async_forget_refusal(hass: HomeAssistant, key: str) -> None:
    """Let an instance log in again: its credentials have just been tried, and are good."""
    hass.data.get(_REFUSED, {}).pop(key, None)
