"""Asking the user for new credentials, for one instance at a time, while the others work on.

Home Assistant keeps at most one such dialog open for an entry. So whenever one is done with, it is
the turn of the next instance whose log-in failed.
"""

from typing import Any

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowContext,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback

from .const import SUBENTRY_INSTANCE
from .coordinator import ResilientConfigEntry
from .core.models import InstanceStatus
from .log_ins import async_forget_log_ins

SUBENTRY_ID = "subentry_id"


@callback
def async_whom_to_ask(entry: ResilientConfigEntry) -> str:
    """Return the first instance in line that is refused, or else the first one; "" for none."""
    if entry.state is ConfigEntryState.LOADED and (refused := _refused(entry)):
        return next(iter(refused))
    return next((one.subentry_id for one in entry.get_subentries_of_type(SUBENTRY_INSTANCE)), "")


def _refused(entry: ResilientConfigEntry) -> dict[str, str]:
    """Return the names of the instances that are refused, first in line first."""
    return {
        monitor.settings.key: monitor.settings.name
        for monitor in entry.runtime_data.courier.line
        if monitor.status is InstanceStatus.AUTH_FAILED or monitor.client.refused
    }


@callback
def async_ask_for_credentials(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Ask for those of the first instance in line that is refused, unless a dialog is open.

    A dialog that is open about an instance that is let in again is closed.
    """
    refused = _refused(entry)
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        if flow["context"].get("title_placeholders", {}).get(SUBENTRY_ID) not in refused:
            hass.config_entries.flow.async_abort(flow["flow_id"])
    for key, name in refused.items():
        entry.async_start_reauth(
            hass,
            context=ConfigFlowContext(title_placeholders={"name": name, SUBENTRY_ID: key}),
            data={SUBENTRY_ID: key},
        )
        return


@callback
def async_accept_credentials(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, data: dict[str, Any]
) -> None:
    """Keep what was tried, and have the instance log in with it."""
    async_forget_log_ins(hass, subentry.subentry_id)
    if not hass.config_entries.async_update_subentry(entry, subentry, data=data):
        # No change, so no listener is called; but a log-in that was refused holds now.
        hass.config_entries.async_schedule_reload(entry.entry_id)
