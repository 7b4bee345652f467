"""Brings an entry that an earlier version stored up to date."""

from collections.abc import Mapping

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_DEFAULTS, CONF_STOPPED, MINOR_VERSION
from .settings import stopped_word


@callback
def async_migrate(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Change what is stored to the newest form; what cannot be read is left as it is.

    An entry of a version that comes later is left alone: the changes were not made for this one.
    """
    if entry.minor_version >= MINOR_VERSION:
        return
    for subentry in tuple(entry.subentries.values()):
        defaults = subentry.data.get(CONF_DEFAULTS)
        if isinstance(defaults, Mapping) and CONF_STOPPED in defaults:
            word = stopped_word(defaults[CONF_STOPPED])
            data = {**subentry.data, CONF_DEFAULTS: {**defaults, CONF_STOPPED: word}}
            hass.config_entries.async_update_subentry(entry, subentry, data=data)
    hass.config_entries.async_update_entry(entry, minor_version=MINOR_VERSION)
