"""Imports address and credentials of servers from Home Assistant's own qBittorrent integration."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME, CONF_PASSWORD, CONF_URL, CONF_USERNAME, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import SelectOptionDict

from ..const import CONF_API_KEY
from ..core import names
from ..core.qbittorrent.url import same_place
from ..settings import pasted_url, valid_url
from .words import async_words

CORE_DOMAIN = "qbittorrent"
CONF_TAKE_OVER = "take_over"
_IMPORTED = (CONF_URL, CONF_USERNAME, CONF_PASSWORD, CONF_VERIFY_SSL)


@callback
def async_known_servers(
    hass: HomeAssistant, siblings: Iterable[Mapping[str, Any]]
) -> list[SelectOptionDict]:
    """Return the servers that are not among the instances yet, as options to choose from."""
    taken_urls = list(filter(None, map(valid_url, siblings)))
    return [
        SelectOptionDict(value=entry.entry_id, label=f"{entry.title} ({entry.data[CONF_URL]})")
        for entry in hass.config_entries.async_entries(CORE_DOMAIN)
        if _is_new(entry, taken_urls)
    ]


async def async_known_servers_text(hass: HomeAssistant) -> str:
    """Return which servers there are to take over at the first set-up, as Markdown, or ""."""
    entries = [one for one in hass.config_entries.async_entries(CORE_DOMAIN) if _is_new(one, ())]
    if not entries:
        return ""
    servers = ", ".join(names.markdown(names.shown(entry.title)) for entry in entries)
    words = await async_words(hass, "connection_trial")
    return "\n\n" + words["known"].format(servers=servers)


@callback
def async_taken_over(hass: HomeAssistant, entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entered fields; those that were left empty come from the chosen server."""
    fields = {name: value for name, value in entered.items() if name != CONF_TAKE_OVER}
    chosen = hass.config_entries.async_get_entry(entered.get(CONF_TAKE_OVER, ""))
    if chosen is not None and chosen.domain == CORE_DOMAIN:
        own = {name for name in (CONF_URL, CONF_USERNAME, CONF_PASSWORD) if fields.get(name)}
        if fields.get(CONF_API_KEY):
            own |= {CONF_USERNAME, CONF_PASSWORD}
        fields |= {
            name: chosen.data[name] for name in _IMPORTED if name in chosen.data and name not in own
        }
        fields[CONF_NAME] = fields.get(CONF_NAME) or chosen.title
    return {CONF_NAME: "", CONF_URL: "", **fields}


def _is_new(entry: ConfigEntry, taken_urls: Iterable[str]) -> bool:
    url = pasted_url(entry.data)
    return url is not None and not any(same_place(url, taken_url) for taken_url in taken_urls)
