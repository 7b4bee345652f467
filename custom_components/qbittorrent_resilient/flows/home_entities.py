"""The home's own external address in the forms: who may say it, and what is known of it."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .words import async_words

ROUTERS: dict[str, tuple[str, ...]] = {
    "fritz": ("external_ip", "external_ipv6"),
    "huawei_lte": ("wan_ip_address", "wan_ipv6_address"),
    "upnp": ("external_ip",),
    "vodafone_station": ("external_ipv4", "external_ipv6", "external_ip_key"),
}
"""The translation keys of such entities, by integration (Home Assistant 2026.10 and 2026.11)."""


@callback
def async_suggested_home_addresses(hass: HomeAssistant) -> list[str]:
    """Return the ids of these entities, or none unless exactly one integration offers some."""
    found: dict[str, list[str]] = {}
    for entity in er.async_get(hass).entities.values():
        if not entity.disabled and entity.translation_key in ROUTERS.get(entity.platform, ()):
            found.setdefault(entity.platform, []).append(entity.entity_id)
    return sorted(next(iter(found.values()))) if len(found) == 1 else []


async def async_known_home_addresses(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Return which addresses are known to be the home's, in Home Assistant's language."""
    # Before the first set-up there is nothing that could know any.
    home = getattr(getattr(entry, "runtime_data", None), "home", None)
    known = [] if home is None else home.addresses()
    words = await async_words(hass, "home_address")
    return words["known"].format(addresses=", ".join(known)) if known else words["unknown"]
