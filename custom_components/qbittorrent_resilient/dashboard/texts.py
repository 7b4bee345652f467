"""The words of the dashboard, in the language of whoever looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN

CATEGORIES = ("config_panel", "entity", "selector", "services")
"""Of the translations, those that the dashboard takes words from."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Translations by their paths, for example `services.retry_failed.name`."""

    by_path: Mapping[str, str]

    def __getitem__(self, path: str) -> str:
        """Return a text."""
        return self.by_path[path]

    def own(self, key: str) -> str:
        """Return a text that only the dashboard has."""
        return self[f"config_panel.dashboard.{key}"]


async def async_texts(hass: HomeAssistant, language: str) -> Texts:
    """Return the words of a language; what it lacks is in English."""
    start, found = f"component.{DOMAIN}.", dict[str, str]()
    for category in CATEGORIES:
        texts = await async_get_translations(hass, language, category, [DOMAIN])
        found |= {path.removeprefix(start): text for path, text in texts.items()}
    return Texts(found)
