"""The entities that triggers and conditions follow: without a target, all of them."""

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .core.health.instance import InstanceMonitor
from .runtime import Runtime

EVERYTHING: ConfigType = {ATTR_DEVICE_ID: [DOMAIN]}
"""The target if none was chosen.

No device has this id. With a device among the targets, Home Assistant looks the entities up again
whenever a registry changes, and each time asks the filter of the trigger or condition.
"""


@callback
def async_targeted(hass: HomeAssistant, key: str, chosen: set[str] | None) -> set[str]:
    """Return our entities with this translation key, of the hub or instances of the `chosen` ones.

    Every entity stands for its instance, so that it does not matter which of them was chosen.
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


@callback
def async_monitor(hass: HomeAssistant, entity_id: str) -> InstanceMonitor | None:
    """Return what judges the instance of one of our entities; None where it does not run."""
    if (entity := er.async_get(hass).async_get(entity_id)) is None:
        return None
    entry = hass.config_entries.async_get_entry(entity.config_entry_id or "")
    runtime: Runtime | None = getattr(entry, "runtime_data", None)
    coordinator = runtime and runtime.instances.get(entity.config_subentry_id or "")
    return coordinator.monitor if coordinator else None
