"""Magnet links to qBittorrent, past dead VPNs and servers that hang."""

import asyncio

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from . import issues
from .const import DOMAIN, TITLE
from .coordinator import ResilientConfigEntry
from .core.errors import StorageError
from .record_file import NewerVersionError
from .runtime import async_build
from .services import async_setup_services
from .storage import async_retire, async_unreadable
from .troubles import async_take_back, async_watch

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.SENSOR,
    Platform.TODO,
]
CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

FIRST_LOOK_SECONDS = 0.4
"""How long set-up waits for the first verdicts, so that entities need not start as unknown.

A log-in takes 0.1 s. While Home Assistant starts, nobody looks yet, and nothing is waited for.
"""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ResilientConfigEntry) -> bool:
    """Read the queue, start the checks, and deliver what waits."""
    # First of all: what is changed from now on is not part of what is built.
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    runtime = entry.runtime_data = async_build(hass, entry)
    try:
        await runtime.courier.start()
    except NewerVersionError as err:
        issues.async_tell_newer(hass)
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key="queue_too_new") from err
    except StorageError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="queue_unreadable"
        ) from err
    runtime.queue.async_refresh_counts()
    issues.async_take_back(hass, issues.NEWER)
    unreadable = async_unreadable(hass, entry.entry_id, runtime.courier.queue.get)
    issues.async_tell_unreadable(hass, unreadable)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        name=TITLE,
    )

    async def stop(_event: Event | None = None) -> None:
        await runtime.async_stop()

    entry.async_on_unload(hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, stop))
    await _async_first_look(hass, entry)
    async_watch(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_create_background_task(hass, runtime.courier.run(), "magnet courier")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ResilientConfigEntry) -> bool:
    """Stop delivering; what waits is on disk."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Delete the stored queue, but for what is still owed."""
    await async_retire(hass, entry.entry_id)
    async_take_back(hass)
    issues.async_take_back(hass, issues.NEWER)
    issues.async_tell_unreadable(hass, 0)


async def _async_reload(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Take over what the user changed."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


async def _async_first_look(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Start the checks, and wait a moment for the first verdicts where somebody looks on."""
    runtime = entry.runtime_data

    async def look() -> None:
        instances = runtime.instances.values()
        await asyncio.gather(
            *(one.async_refresh() for one in instances if not one.monitor.settings.requires_vpn),
            *([runtime.vpn.async_refresh()] if runtime.vpn else []),
        )
        await asyncio.gather(
            *(one.monitor.check() for one in instances if one.monitor.settings.requires_vpn)
        )

    for coordinator in (runtime.vpn, *runtime.instances.values()):
        if coordinator is not None:  # without a listener a coordinator does not poll
            entry.async_on_unload(coordinator.async_add_listener(lambda: None))
    task = entry.async_create_background_task(hass, look(), "first look")
    if hass.is_running:
        await asyncio.wait([task], timeout=FIRST_LOOK_SECONDS)
