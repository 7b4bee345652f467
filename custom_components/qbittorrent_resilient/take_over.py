"""Address and credentials of servers that Home Assistant's own qBittorrent integration knows."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME, CONF_PASSWORD, CONF_URL, CONF_USERNAME, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import SelectOptionDict

from .const import CONF_API_KEY
from .core.errors import InvalidUrlError
from .core.url import normalise_url, same_place

CORE_DOMAIN = "qbittorrent"
CONF_TAKE_OVER = "take_over"
_TAKEN = (CONF_URL, CONF_USERNAME, CONF_PASSWORD, CONF_VERIFY_SSL)


@callback
def async_known_servers(
    hass: HomeAssistant, siblings: Iterable[Mapping[str, Any]]
) -> list[SelectOptionDict]:
    """Return those that are not among the instances yet, to choose from."""
    taken = [one[CONF_URL] for one in siblings]
    return [
        SelectOptionDict(value=entry.entry_id, label=f"{entry.title} ({entry.data[CONF_URL]})")
        for entry in hass.config_entries.async_entries(CORE_DOMAIN)
        if _is_new(entry, taken)
    ]


@callback
def async_taken_over(hass: HomeAssistant, entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was entered, with what the chosen server is known by where nothing was."""
    fields = {key: value for key, value in entered.items() if key != CONF_TAKE_OVER}
    chosen = hass.config_entries.async_get_entry(entered.get(CONF_TAKE_OVER, ""))
    if chosen is not None and chosen.domain == CORE_DOMAIN:
        own = {key for key in (CONF_URL, CONF_USERNAME, CONF_PASSWORD) if fields.get(key)}
        if fields.get(CONF_API_KEY):
            own |= {CONF_USERNAME, CONF_PASSWORD}
        fields |= {key: chosen.data[key] for key in _TAKEN if key in chosen.data and key not in own}
        fields[CONF_NAME] = fields.get(CONF_NAME) or chosen.title
    return {CONF_NAME: "", CONF_URL: "", **fields}


def _is_new(entry: ConfigEntry, taken: Iterable[str]) -> bool:
    try:
        url = normalise_url(entry.data.get(CONF_URL, ""))
    except InvalidUrlError:
        return False
    return not any(same_place(url, one) for one in taken)
