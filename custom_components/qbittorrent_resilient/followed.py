"""Which entities the triggers and conditions follow: no target means all of them."""

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN

EVERYTHING: ConfigType = {ATTR_DEVICE_ID: [DOMAIN]}
"""In place of a target that was not chosen.

No device has this id. With a device among its targets, core looks again at what is to be followed
whenever a registry changes, and asks the filter of the trigger or condition each time.
"""


@callback
def async_followed(hass: HomeAssistant, key: str, chosen: set[str] | None) -> set[str]:
    """Return our entities with this key, of the hub or the instances that `chosen` belong to.

    Any entity stands for its instance, so that it does not matter which of them was chosen.
    """
    registry = er.async_get(hass)
    ours = [
        entity
        for entry in hass.config_entries.async_entries(DOMAIN)
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    ]
    subentries = {
        entity.config_subentry_id for entity in ours if chosen is None or entity.entity_id in chosen
    }
    return {
        entity.entity_id
        for entity in ours
        if entity.translation_key == key and entity.config_subentry_id in subentries
    }
