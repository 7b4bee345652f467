"""Delivers magnet links to qBittorrent, even if a VPN is down or a server hangs."""

import asyncio
from functools import partial
import logging

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType
from homeassistant.loader import async_get_loaded_integration

from . import issues
from .const import DOMAIN, TITLE
from .core.errors import NewerVersionError, StorageError
from .core.log_words import cause
from .core.names import shown
from .dashboard.frontend_module import async_setup_dashboard
from .delivered_lately import async_forget_recent_deliveries
from .flows import reauth
from .home_address import async_follow_home
from .issue_watch import WATCHED, IssueWatcher
from .issues import IssueKind
from .migration import async_migrate
from .runtime import Memories, ResilientConfigEntry, async_build
from .services import async_setup_services
from .storage.delivery_memory import DeliveryMemory
from .storage.queue_storage import QueueStorage, async_retire
from .storage.route_memory import RouteMemory

_LOGGER = logging.getLogger(__name__)

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

A login takes 0.1 s. While Home Assistant starts, nobody looks yet, so set-up does not wait.
"""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions and the dashboard."""
    async_setup_services(hass)
    await async_setup_dashboard(hass)
    return True


async def async_migrate_entry(hass: HomeAssistant, entry: ResilientConfigEntry) -> bool:
    """Bring the entry up to date; what a later minor version stored can be read, too."""
    async_migrate(hass, entry)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ResilientConfigEntry) -> bool:
    """Read the queue, start the checks, and deliver what waits."""
    # Before anything is built: a later change of the entry is not part of it, and needs a reload.
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    storage = QueueStorage(hass, entry.entry_id)
    links = QueueStorage(hass, entry.entry_id, of_links=True)
    for one in (storage, links):
        entry.async_on_unload(one.subscribe(partial(issues.async_report_storage, hass)))
    routes, deliveries = RouteMemory(hass, entry.entry_id), DeliveryMemory(hass, entry.entry_id)
    memories = Memories(await routes.async_load(), await deliveries.async_load())
    runtime = entry.runtime_data = async_build(hass, entry, storage, links, memories)
    routes.async_follow(runtime.routes)
    entry.async_on_unload(routes.async_close)
    try:
        await runtime.dispatcher.start()
    except NewerVersionError as err:
        issues.async_raise(hass, IssueKind.QUEUE_TOO_NEW)
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key="queue_too_new") from err
    except StorageError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="queue_unreadable"
        ) from err
    runtime.queue.async_refresh_counts()
    deliveries.async_follow(runtime.dispatcher)
    entry.async_on_unload(deliveries.async_close)
    issues.async_clear(hass, IssueKind.QUEUE_TOO_NEW)
    unreadable = storage.count_unreadable(runtime.dispatcher.job)
    unreadable += links.count_unreadable(runtime.dispatcher.links.job)
    issues.async_report_count(hass, IssueKind.MAGNETS_UNREADABLE, unreadable)
    await issues.async_clear_gone_files(hass)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        name=TITLE,
        sw_version=str(async_get_loaded_integration(hass, DOMAIN).version),
    )

    async def stop(_event: Event | None = None) -> None:
        await runtime.async_stop()

    entry.async_on_unload(hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, stop))
    await async_follow_home(hass, entry, runtime.home)
    await _async_first_look(hass, entry)
    IssueWatcher(hass, entry).start()
    reauth.async_watch(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_create_background_task(hass, runtime.dispatcher.run(), "magnet dispatcher")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ResilientConfigEntry) -> bool:
    """Stop delivering; what waits is on disk."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Delete the stored queue; magnets that are not delivered yet are kept for the next entry."""
    servers = {key: shown(one.title) or key for key, one in entry.subentries.items()}
    issues.async_report_storage(hass, await async_retire(hass, entry.entry_id, servers))
    for memory in (RouteMemory, DeliveryMemory):
        try:
            await memory(hass, entry.entry_id).async_remove()
        except OSError as err:  # what is below is to be done all the same
            _LOGGER.warning("A file of the removed entry stays: %s", cause(err))
    async_forget_recent_deliveries(hass, entry.entry_id)
    gone = (*WATCHED, IssueKind.QUEUE_TOO_NEW, IssueKind.MAGNETS_UNREADABLE)
    issues.async_clear_all(hass, gone)


async def _async_reload(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Reload the entry, which the user has changed."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


async def _async_first_look(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Start the checks; unless Home Assistant is starting, wait for the first verdicts."""
    runtime = entry.runtime_data

    async def look() -> None:
        instances = runtime.instances.values()
        await asyncio.gather(
            *(
                instance.async_refresh()
                for instance in instances
                if not instance.monitor.settings.requires_vpn
            ),
            *(witness.async_refresh() for witness in runtime.witnesses),
        )
        await asyncio.gather(
            *(
                instance.monitor.check()
                for instance in instances
                if instance.monitor.settings.requires_vpn
            )
        )

    for coordinator in (*runtime.witnesses, *runtime.instances.values()):
        # Without a listener a coordinator does not poll.
        entry.async_on_unload(coordinator.async_add_listener(lambda: None))
    task = entry.async_create_background_task(hass, look(), "first look")
    if hass.is_running:
        await asyncio.wait([task], timeout=FIRST_LOOK_SECONDS)
