"""The lines of this integration on Home Assistant's system information page."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .reasons import async_selector_texts
from .runtime import ResilientConfigEntry, Runtime


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the lines."""
    register.async_register_info(_async_info, f"/config/integrations/integration/{DOMAIN}")


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the lines; without a loaded entry, only that it does not run."""
    entries: list[ResilientConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    running = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
    lines = _lines_of(hass, running[0].runtime_data) if running else {}
    return {"running": bool(running)} | lines


@callback
def _lines_of(hass: HomeAssistant, runtime: Runtime) -> dict[str, Any]:
    instances, snapshot = runtime.dispatcher.instances, runtime.dispatcher.snapshot()
    words = async_selector_texts(hass, "system_health")
    verdicts = [f"vpn_{one.monitor.state.value}" for one in runtime.witnesses]
    usable = sum(monitor.is_ok for monitor in instances)
    return {
        "instances_ok": words["instances_ok"].format(usable=usable, all=len(instances)),
        "vpn": ", ".join(words[verdict] for verdict in verdicts or ["vpn_not_watched"]),
        "queued_magnets": snapshot.queued,
        "failed_magnets": snapshot.failed,
    }
