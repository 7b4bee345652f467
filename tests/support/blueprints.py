"""What the tests of the blueprints share: one to run, and what it tells."""

import asyncio
from pathlib import Path
from typing import Any

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml as yaml_util
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.automations import Calls
from tests.support.common import FakeVpn, eventually, looked, pass_time

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "blueprints" / "automation" / "qbittorrent_resilient"
WEBHOOK = {"webhook_id": "not-to-be-guessed"}
URL = "/api/webhook/not-to-be-guessed"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOLD = {"action": "test.fired", "data": {"text": "{{ title }}: {{ message }}"}}


def phone_id(hass: HomeAssistant) -> str:
    """Return the device of the phone."""
    (entry,) = hass.config_entries.async_entries("mobile_app")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


async def run(hass: HomeAssistant, folder: Path, name: str, **inputs: Any) -> Calls:
    """Import a blueprint and set an automation up with it; return what it tells by its actions."""
    calls: Calls = async_mock_service(hass, "test", "fired")
    await run_with_defaults(hass, folder, name, **{"actions": [TOLD]} | inputs)
    return calls


async def run_with_defaults(hass: HomeAssistant, folder: Path, name: str, **inputs: Any) -> None:
    """Import a blueprint and set an automation up with it, with these inputs and no others."""
    hass.config.config_dir = str(folder)
    assert await async_setup_component(hass, "persistent_notification", {})  # as in real life
    data: Any = yaml_util.parse_yaml((FOLDER / f"{name}.yaml").read_text())
    blueprint = Blueprint(data, expected_domain="automation", schema=BLUEPRINT_SCHEMA)
    await async_get_blueprints(hass).async_add_blueprint(blueprint, f"qbr/{name}.yaml")
    if hass.config_entries.async_entries("mobile_app"):
        inputs |= {"phones": [phone_id(hass)]}
    use = {"path": f"qbr/{name}.yaml", "input": inputs}
    config = {"alias": "Under test", "use_blueprint": use}
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()
    assert [one.state for one in hass.states.async_all("automation")] == ["on"]


async def rounds(hass: HomeAssistant, vpn: FakeVpn, count: int, *, up: bool) -> None:
    """Take the VPN up or down for some rounds; what an automation waits for goes on waiting."""
    vpn.up = up
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    for _ in range(count):
        await eventually(lambda: entry.runtime_data.vpn._unsub_refresh)  # the next one is planned
        before = vpn.rounds
        pass_time(hass, 31)
        await eventually(lambda before=before: vpn.rounds > before)  # type: ignore[misc]
        await looked()  # a request that is still out would be over its time in the next round


def runs(hass: HomeAssistant) -> int:
    """Return how many runs of the automation wait for something."""
    (automation,) = hass.states.async_all("automation")
    current: int = automation.attributes["current"]
    return current


def timed(hass: HomeAssistant, minutes: int) -> int:
    """Return how many runs wait for so long; checks come sooner, every 30 s."""
    timers: list[asyncio.TimerHandle] = hass.loop._scheduled  # type: ignore[attr-defined]
    ends = [one.when() - hass.loop.time() for one in timers if not one.cancelled()]
    return sum(60 * minutes - 25 < end <= 60 * minutes for end in ends)


def texts(calls: Calls) -> list[str]:
    """Return what was told."""
    return [one.data["text"] for one in calls]
