"""What the tests of the flows share: input for the forms, and what a form shows."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
import probatio as vol

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.fake.server import FakeQBittorrent

type Result = Any
type Fields = dict[str, Any]

NO_GLUETUN: Fields = dict.fromkeys(
    ("gluetun_url", "gluetun_api_key", "gluetun_username", "gluetun_password"), ""
)
NO_PROXY: Fields = {"proxy_username": "", "proxy_password": "", "headers": []}
NO_DEFAULTS: Fields = {"category": "", "save_path": "", "tags": [], "stopped": "server"}


def entered(server: FakeQBittorrent, name: str = "First", **changes: Any) -> Fields:
    """Return what a user enters for a server; the rest stays as the form proposes it."""
    fields = {
        "name": name,
        "url": server.url,
        "username": server.settings.username,
        "password": server.settings.password,
    }
    return fields | changes


def connected(server: FakeQBittorrent) -> str:
    """Return what the form says of a server that it reached."""
    return f"Connected: qBittorrent {server.dialect.version.removeprefix('v')}."


def shown(result: Result) -> Fields:
    """Return what a form holds when it is shown: suggestions first, then defaults."""
    return _held(result["data_schema"].schema)


def _held(schema: dict[Any, Any]) -> Fields:
    values: Fields = {}
    for key, kind in schema.items():
        suggestion = (key.description or {}).get("suggested_value")
        if isinstance(kind, section):
            values[str(key)] = _held(kind.schema.schema)
        elif suggestion is not None:
            values[str(key)] = suggestion
        elif not isinstance(key.default, vol.Undefined):
            values[str(key)] = key.default()
    return values


async def begin(hass: HomeAssistant, targets: tuple[str, ...] = ()) -> Result:
    """Start the config flow and answer its first step; return the form of an instance.

    Targets are used whether they answer or not.
    """
    result: Result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    result = await submit(hass, result, {"vpn_targets": list(targets)})
    if result["type"] is FlowResultType.MENU:
        assert result["step_id"] == "targets"
        result = await choose(hass, result, "use_anyway")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "instance")
    return result


async def submit(hass: HomeAssistant, result: Result, fields: Fields) -> Result:
    """Answer the step that a config flow is at."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], fields)


async def choose(hass: HomeAssistant, result: Result, option: str) -> Result:
    """Choose from the menu that a config flow is at."""
    return await submit(hass, result, {"next_step_id": option})


async def finish(hass: HomeAssistant, result: Result) -> Result:
    """Assert that the flow offers to finish, and finish it."""
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "more")
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    return result


DEFAULTS = {"category": "iso", "save_path": "/iso", "tags": ["a"], "stopped": "stop"}


async def refused(hass: HomeAssistant, form: Result, fields: Fields, **errors: str) -> Result:
    """Submit, and assert these errors and that the form still holds what was entered."""
    result = await submit(hass, form, fields)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "instance"
    assert result["errors"] == errors, fields
    assert {key: value for key, value in shown(result).items() if key in fields} == fields
    return result


def all_fields(server: FakeQBittorrent, **changes: Any) -> Fields:
    """Return input that differs from every default."""
    fields = entered(server, requires_vpn=False, priority=7, api_key="", defaults=DEFAULTS)
    return fields | changes
