"""The lines of this integration on Home Assistant's system information page."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .runtime import ResilientConfigEntry, Runtime

NOT_WATCHED = "not watched"


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the lines."""
    register.async_register_info(_async_info, f"/config/integrations/integration/{DOMAIN}")


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the lines; without a loaded entry, only that it does not run."""
    entries: list[ResilientConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    running = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
    return {"running": bool(running)} | (_of(running[0].runtime_data) if running else {})


def _of(runtime: Runtime) -> dict[str, Any]:
    instances, snapshot = runtime.dispatcher.instances, runtime.dispatcher.snapshot()
    return {
        "instances_ok": f"{sum(monitor.is_ok for monitor in instances)} / {len(instances)}",
        "vpn": ", ".join(one.monitor.state.value for one in runtime.witnesses) or NOT_WATCHED,
        "queued_magnets": snapshot.queued,
        "failed_magnets": snapshot.failed,
    }
