"""The lines of this integration on Home Assistant's system information page."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import ResilientConfigEntry, Runtime
from .core.entry import Stage

NOT_WATCHED = "not watched"


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Offer the lines."""
    register.async_register_info(_async_info, f"/config/integrations/integration/{DOMAIN}")


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the lines; while nothing runs, only that."""
    entries: list[ResilientConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    running = [one for one in entries if one.state is ConfigEntryState.LOADED]
    return {"running": bool(running)} | (_of(running[0].runtime_data) if running else {})


def _of(runtime: Runtime) -> dict[str, Any]:
    line, queue = runtime.courier.line, runtime.courier.queue
    return {
        "instances_ok": f"{sum(one.is_ok for one in line)} / {len(line)}",
        "vpn": NOT_WATCHED if runtime.vpn is None else runtime.vpn.monitor.state.value,
        "queued_magnets": queue.count(Stage.QUEUED),
        "failed_magnets": queue.count(Stage.FAILED),
    }
