"""Brings the frontend the module with the dashboard, and tells it what that shows."""

from pathlib import Path
from typing import Any

from homeassistant.components import frontend, websocket_api
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
import probatio as vol

from ..const import DOMAIN
from .overview import async_overview
from .texts import async_texts
from .view import view

MODULE = Path(__file__).parents[1] / "frontend" / "dashboard.js"
URL = f"/{DOMAIN}/{MODULE.name}"


async def async_setup_dashboard(hass: HomeAssistant) -> None:
    """Serve the module, and have each page load it, if there is a frontend."""
    websocket_api.async_register_command(hass, _async_send_view)
    if frontend.DATA_EXTRA_MODULE_URL not in hass.data:
        return
    await hass.http.async_register_static_paths([StaticPathConfig(URL, str(MODULE))])
    # Browsers keep it for a month; another version is another address.
    version = (await async_get_integration(hass, DOMAIN)).version
    frontend.add_extra_js_url(hass, f"{URL}?v={version}")


@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/dashboard", vol.Optional("language"): str}
)
@websocket_api.async_response
async def _async_send_view(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: dict[str, Any]
) -> None:
    """Send the view; None while nothing is set up."""
    entry = next(iter(hass.config_entries.async_entries(DOMAIN)), None)
    if entry is None:
        connection.send_result(message["id"], {"view": None})
        return
    texts = await async_texts(hass, message.get("language", hass.config.language))
    made = view(async_overview(hass, entry), texts, hass.config.components)
    connection.send_result(message["id"], {"view": made})
