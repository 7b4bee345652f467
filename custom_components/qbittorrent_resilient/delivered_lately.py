"""Keeps what was delivered within the last hour over a reload of the entry.

Any change of the entry's settings is a reload; the to-do list must not lose what it shows as
completed by that. A start of Home Assistant begins anew.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .core.recent_deliveries import RecentDeliveries

_RECENT: HassKey[dict[str, RecentDeliveries]] = HassKey(f"{DOMAIN}_recent_deliveries")


@callback
def async_recent_deliveries(
    hass: HomeAssistant, entry_id: str, new: RecentDeliveries
) -> RecentDeliveries:
    """Return what is known of this entry; `new` where nothing is."""
    return hass.data.setdefault(_RECENT, {}).setdefault(entry_id, new)


@callback
def async_forget_recent_deliveries(hass: HomeAssistant, entry_id: str) -> None:
    """Forget them, as the entry is removed."""
    hass.data.get(_RECENT, {}).pop(entry_id, None)
