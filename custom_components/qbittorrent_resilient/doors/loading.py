"""Waits for the integration while it is loaded again."""

import asyncio

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN


async def async_loaded(hass: HomeAssistant, seconds: float) -> bool:
    """Tell whether the integration is loaded; wait so long for it if it was set up at all."""

    def states() -> set[ConfigEntryState]:
        return {entry.state for entry in hass.config_entries.async_entries(DOMAIN)}

    if ConfigEntryState.LOADED in states():
        return True
    changed = asyncio.Event()

    @callback
    def note(*_: object) -> None:
        changed.set()

    stop_listening = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, note)
    try:
        async with asyncio.timeout(seconds):
            while states():
                if ConfigEntryState.LOADED in states():
                    return True
                await changed.wait()
                changed.clear()
    except TimeoutError:
        pass
    finally:
        stop_listening()
    return False
