"""What the flows found out, in the user's words."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN


async def async_words(hass: HomeAssistant, table: str) -> dict[str, str]:
    """Return a table of texts by their keys, in Home Assistant's language."""
    texts = await async_get_translations(hass, hass.config.language, "selector", {DOMAIN})
    prefix = f"component.{DOMAIN}.selector.{table}.options."
    return {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)}
