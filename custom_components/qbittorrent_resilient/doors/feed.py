"""The trigger for entries of feeds that have magnets: those that Feedreader tells of."""

from collections.abc import Mapping
import logging
from typing import Any, cast, override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
import probatio as vol

from ..const import CONF_WEB_LINKS
from ..core.gathering import gather_entry
from ..core.intake import TooManyError
from . import hand_over
from .loading import async_loaded

_LOGGER = logging.getLogger(__name__)

FEEDREADER = "feedreader"
"""The event that Feedreader fires for each new entry, and its domain."""
LOADED_SECONDS = 600.0
"""How long an entry waits for the integration while it is loaded again."""

_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_OPTIONS, default=dict): {
            vol.Optional(CONF_WEB_LINKS, default=False): cv.boolean,
        }
    }
)


class MagnetsInFeedTrigger(Trigger):
    """An entry of a feed has magnets."""

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check the options."""
        return cast("ConfigType", _SCHEMA(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take the options."""
        super().__init__(hass, config)
        self._web_links: bool = (config.options or {})[CONF_WEB_LINKS]

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Follow the entries.

        Those that are new since Home Assistant was stopped came while it started, before anything
        could follow them.
        """

        @callback
        def note(entry: Mapping[str, Any]) -> None:
            self._hass.async_create_background_task(self._look_at(entry, run_action), "feed entry")

        if self._hass.state is not CoreState.running:
            for entry in self._told_before():
                note(entry)
        return self._hass.bus.async_listen(FEEDREADER, callback(lambda event: note(event.data)))

    def _told_before(self) -> list[Mapping[str, Any]]:
        """Return what Feedreader told of in its first look at each feed."""
        feeds = self._hass.config_entries.async_loaded_entries(FEEDREADER)
        told = [getattr(getattr(one, "runtime_data", None), "data", None) for one in feeds]
        return [entry for entries in told for entry in entries or []]

    async def _look_at(self, entry: Mapping[str, Any], run_action: TriggerActionRunner) -> None:
        """Run the automation if the entry has a link."""
        try:
            found = await self._hass.async_add_executor_job(_gathered, entry, self._web_links)
        except TooManyError as err:
            _LOGGER.warning("An entry of a feed was not read: %s", err)
            return
        if not found:
            return
        await async_loaded(self._hass, LOADED_SECONDS)
        texts: dict[str, Any] = {name: str(entry.get(name, "")) for name in ("title", "feed_url")}
        hand_over.async_run(self._hass, run_action, found, "an entry of a feed", **texts)


def _gathered(entry: Mapping[str, Any], web_links: bool) -> list[str]:
    found = gather_entry(entry)
    return found.magnets + (found.web_links if web_links else [])
