"""Reasons, and what else was found out, in the user's words."""

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.components.todo import DOMAIN as TODO_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_translate_state_attr,
)

from .const import DOMAIN
from .core import names
from .core.recent_deliveries import RecentDelivery


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


@callback
def async_delivery_text(hass: HomeAssistant, delivery: RecentDelivery) -> str:
    """Return the queue list's text for a delivery; lists render it as Markdown."""
    text = async_translate_state_attr(
        hass, delivery.fate, TODO_DOMAIN, DOMAIN, "queue", None, "delivery"
    )
    return text.replace("{instance}", names.light_markdown(delivery.instance or ""))


@callback
def async_setting_text(hass: HomeAssistant, name: str) -> str:
    """Return what the forms call an option or another setting of the entry, in that language."""
    for category, step in (("options", "init"), ("config", "reconfigure")):
        texts = async_get_cached_translations(hass, hass.config.language, category, DOMAIN)
        if text := texts.get(f"component.{DOMAIN}.{category}.step.{step}.data.{name}"):
            return text
    return name


@callback
def async_selector_texts(hass: HomeAssistant, table: str) -> dict[str, str]:
    """Return a table of texts by their keys, in the same language."""
    texts = async_get_cached_translations(hass, hass.config.language, "selector", DOMAIN)
    prefix = f"component.{DOMAIN}.selector.{table}.options."
    return {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)}
