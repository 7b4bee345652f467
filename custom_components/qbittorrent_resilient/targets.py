"""The entities that triggers and conditions follow: without a target, all of them."""

from typing import Any

from homeassistant.const import ATTR_DEVICE_ID, CONF_OPTIONS
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.typing import ConfigType
import probatio as vol

from .const import CONF_DEVICES, DOMAIN
from .core.health.instance import InstanceMonitor
from .runtime import Runtime

DEVICES_OPTION: dict[Any, Any] = {
    vol.Required(CONF_OPTIONS, default={}): {
        vol.Optional(CONF_DEVICES): vol.All(cv.ensure_list, [cv.string])
    }
}
"""What a trigger or condition of instances takes on top: their devices."""
EVERYTHING: ConfigType = {ATTR_DEVICE_ID: [DOMAIN]}
"""The target if none was chosen.

No device has this id. With a device among the targets, Home Assistant looks the entities up again
whenever a registry changes, and each time asks the filter of the trigger or condition.
"""


def chosen_target(target: ConfigType | None, options: ConfigType | None) -> ConfigType | None:
    """Return the target with the devices of the options; None if nothing was chosen."""
    devices = (options or {}).get(CONF_DEVICES) or []
    if not devices:
        return target if any((target or {}).values()) else None
    others = cv.ensure_list((target or {}).get(ATTR_DEVICE_ID))
    return {**(target or {}), ATTR_DEVICE_ID: [*others, *devices]}


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
