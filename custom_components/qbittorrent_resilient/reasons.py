"""Reasons in the user's words."""

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_translate_state_attr

from .const import DOMAIN


@callback
def async_reason_text(hass: HomeAssistant, reason: str) -> str:
    """Return the event entity's text for a reason, in Home Assistant's language."""
    return async_translate_state_attr(hass, reason, EVENT_DOMAIN, DOMAIN, "magnets", None, "reason")


@callback
def async_evidence_text(hass: HomeAssistant, evidence: str) -> str:
    """Return the route sensor's text for the kind of evidence of a leak, in the same language."""
    return async_translate_state_attr(
        hass, evidence, SENSOR_DOMAIN, DOMAIN, "route", None, "evidence"
    )
