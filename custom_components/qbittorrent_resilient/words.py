"""Reasons in the user's words."""

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_translate_state_attr

from .const import DOMAIN


@callback
def async_in_words(hass: HomeAssistant, reason: str) -> str:
    """Return a reason as the event entity says it, in Home Assistant's language."""
    return async_translate_state_attr(hass, reason, EVENT_DOMAIN, DOMAIN, "magnets", None, "reason")
