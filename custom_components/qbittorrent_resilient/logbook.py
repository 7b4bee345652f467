"""The lines of this integration in the activity of Home Assistant: how many, where, and why."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN, EVENT_MAGNETS, TITLE
from .reasons import async_reason_text, async_selector_texts

_ICONS: Mapping[str, str] = {
    "queued": "mdi:tray-full",
    "failed": "mdi:tray-alert",
    "duplicate": "mdi:content-duplicate",
    "leak": "mdi:water-alert",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, str]]], None],
) -> None:
    """Say how our event is described."""

    @callback
    def described(event: Event) -> dict[str, str]:
        data = event.data
        return {
            LOGBOOK_ENTRY_NAME: TITLE,
            LOGBOOK_ENTRY_MESSAGE: async_activity_text(hass, data),
            LOGBOOK_ENTRY_ENTITY_ID: data[ATTR_ENTITY_ID],
            LOGBOOK_ENTRY_ICON: _ICONS.get(data["type"], "mdi:magnet"),
        }

    async_describe_event(DOMAIN, EVENT_MAGNETS, described)


@callback
def async_activity_text(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return what happened, in Home Assistant's language."""
    kind, count, reason = data["type"], data["count"], data.get("reason")
    texts = async_selector_texts(hass, "activity")
    text = texts.get(f"{kind}_one" if count == 1 else f"{kind}_other") or texts.get(kind, kind)
    return text.format(
        count=count,
        instance=data.get("instance") or "",
        reason=async_reason_text(hass, reason) if reason else "",
    )
