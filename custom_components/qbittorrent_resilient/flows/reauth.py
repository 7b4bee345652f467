"""Asks the user for new credentials, for one instance at a time, while the others go on working.

Home Assistant keeps at most one reauthentication dialog open for an entry. So when a dialog ends,
the next instance whose login failed gets its dialog.
"""

from functools import partial
from typing import Any

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowContext,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback

from ..const import SUBENTRY_INSTANCE
from ..coordinator import InstanceCoordinator
from ..core.health.status import InstanceStatus
from ..login_memory import async_forget_login
from ..runtime import ResilientConfigEntry, Runtime

SUBENTRY_ID = "subentry_id"


@callback
def async_whom_to_ask(entry: ResilientConfigEntry) -> str:
    """Return the key of the first refused instance in line, else of the first at all, else ""."""
    if entry.state is ConfigEntryState.LOADED and (refused := _refused(entry.runtime_data)):
        return next(iter(refused))
    return next(
        (subentry.subentry_id for subentry in entry.get_subentries_of_type(SUBENTRY_INSTANCE)),
        "",
    )


def _refused(runtime: Runtime) -> dict[str, str]:
    """Return the names of the refused instances by key, the first in line first."""
    return {
        monitor.settings.key: monitor.settings.name
        for monitor in runtime.dispatcher.instances
        if monitor.status is InstanceStatus.AUTH_FAILED or monitor.client.refused
    }


@callback
def async_watch(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Until the entry is unloaded, ask for new credentials as soon as a server refuses them."""
    seen: dict[InstanceCoordinator, InstanceStatus | None] = {}

    @callback
    def changed(coordinator: InstanceCoordinator) -> None:
        before, seen[coordinator] = seen.get(coordinator), coordinator.data
        has_changed = coordinator.data is not before
        if has_changed and coordinator.data in (InstanceStatus.OK, InstanceStatus.AUTH_FAILED):
            _async_ask_for_credentials(hass, entry)

    for coordinator in entry.runtime_data.instances.values():
        entry.async_on_unload(coordinator.async_add_listener(partial(changed, coordinator)))
        changed(coordinator)


@callback
def _async_ask_for_credentials(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Ask for credentials of the first refused instance in line, unless a dialog is open.

    Close a dialog about an instance that is let in again.
    """
    refused = _refused(entry.runtime_data)
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        if flow["context"].get("title_placeholders", {}).get(SUBENTRY_ID) not in refused:
            hass.config_entries.flow.async_abort(flow["flow_id"])
    if refused:
        instance_key, name = next(iter(refused.items()))
        entry.async_start_reauth(
            hass,
            context=ConfigFlowContext(title_placeholders={"name": name, SUBENTRY_ID: instance_key}),
            data={SUBENTRY_ID: instance_key},
        )


@callback
def async_accept_credentials(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, data: dict[str, Any]
) -> None:
    """Store credentials that were tested, and have the instance log in with them."""
    async_forget_login(hass, subentry.subentry_id)
    if not hass.config_entries.async_update_subentry(entry, subentry, data=data):
        # Without a change no listener is called, but a refused login works now.
        hass.config_entries.async_schedule_reload(entry.entry_id)
