"""The conditions, in real automations."""

from datetime import timedelta
import json
from pathlib import Path
from typing import Any

from freezegun import freeze_time
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.condition import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.qbittorrent_resilient.condition import CONDITIONS
from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.actions import add, call
from tests.support.automations import automate
from tests.support.common import TARGET, FakeVpn, Start, instance, link, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.states import take_down, vpn_state

FOLDER = Path(__file__).parents[3] / "custom_components" / DOMAIN


class Asked:
    """An automation with a condition, to be asked for what the condition says."""

    def __init__(self, hass: HomeAssistant, name: str, **config: Any) -> None:
        self.hass = hass
        self.config = {"condition": f"{DOMAIN}.{name}"} | config

    async def set_up(self) -> Asked:
        trigger = {"trigger": "event", "event_type": "ask"}
        self.calls = await automate(self.hass, triggers=[trigger], conditions=[self.config])
        return self

    async def says(self) -> bool:
        before = len(self.calls)
        self.hass.bus.async_fire("ask")
        await settled(self.hass)
        return len(self.calls) > before


async def test_vpn_is_up(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    asked = await Asked(hass, "vpn_is_up").set_up()
    assert not await asked.says()
    await start(instance("first", primary), targets=(TARGET,))
    assert await asked.says()
    await take_down(hass, vpn)
    assert not await asked.says()
    vpn.permitted = False
    await poll(hass)
    assert vpn_state(hass) == "unknown"
    assert not await asked.says()


async def test_no_vpn_is_not_up(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """An instance that is connected is not taken for the VPN."""
    asked = await Asked(hass, "vpn_is_up").set_up()
    await start(instance("first", primary))
    assert not await asked.says()


async def test_queue_is_not_empty(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    asked = await Asked(hass, "queue_is_not_empty").set_up()
    assert not await asked.says()
    entry = await start(instance("first", primary))
    assert not await asked.says()
    await primary.refuse()
    await add(hass, link(1))
    assert await asked.says()
    await hass.config_entries.async_unload(entry.entry_id)
    assert not await asked.says()


async def test_queue_is_not_empty_for_a_while(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """From the first magnet on, however many follow."""
    asked = await Asked(hass, "queue_is_not_empty", options={"for": {"minutes": 10}}).set_up()
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    # Time goes on, only later: where it stands still, no real exchange ever times out.
    with freeze_time(dt_util.utcnow() + timedelta(minutes=6), tick=True, real_asyncio=True):
        await add(hass, link(2))
        assert not await asked.says()
    with freeze_time(dt_util.utcnow() + timedelta(minutes=12), tick=True, real_asyncio=True):
        assert await asked.says()


async def test_instance_is_ok(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    asked = await Asked(hass, "instance_is_ok").set_up()
    assert await asked.says()
    await primary.refuse()
    await call(hass, "check_health")
    assert await asked.says()
    await secondary.refuse()
    await call(hass, "check_health")
    assert not await asked.says()


async def test_all_instances_are_ok(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    asked = await Asked(hass, "instance_is_ok", options={"behavior": "all"}).set_up()
    assert await asked.says()
    await primary.refuse()
    await call(hass, "check_health")
    assert not await asked.says()


@pytest.mark.parametrize("entity", ["sensor.first_status", "binary_sensor.first"])
@pytest.mark.parametrize("is_option", [True, False])
async def test_chosen_instance(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
    entity: str,
    is_option: bool,
) -> None:
    """By the field of the editor, or as a target, as automations had it before."""
    await start(instance("first", primary), instance("second", secondary, priority=2))
    known = entity_registry.async_get(entity)
    assert known
    chosen: dict[str, Any] = {"target": {"entity_id": entity}}
    if is_option:
        chosen = {"options": {"devices": [known.device_id]}}
    asked = await Asked(hass, "instance_is_ok", **chosen).set_up()
    await secondary.refuse()
    await call(hass, "check_health")
    assert await asked.says()
    await primary.refuse()
    await secondary.listen()
    await call(hass, "check_health")
    assert not await asked.says()


async def test_shown_live_in_the_editor(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The editor of automations follows a condition by itself, without a target as well."""
    await start(instance("first", primary), targets=(TARGET,))
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": "subscribe_condition", "condition": {"condition": f"{DOMAIN}.vpn_is_up"}}
    )
    assert (await client.receive_json())["success"]
    assert (await client.receive_json())["event"] == {"result": True}
    await take_down(hass, vpn)
    assert (await client.receive_json())["event"] == {"result": False}


async def test_described(hass: HomeAssistant) -> None:
    """Home Assistant reads the description of every condition; each field has its texts."""
    assert await async_setup_component(hass, DOMAIN, {})
    await Asked(hass, "vpn_is_up").set_up()
    found = await async_get_all_descriptions(hass)
    ours = {name.partition(".")[2]: one for name, one in found.items() if name.startswith(DOMAIN)}
    texts = json.loads((FOLDER / "translations" / "en.json").read_text())["conditions"]
    icons = json.loads((FOLDER / "icons.json").read_text())["conditions"]
    assert ours.keys() == CONDITIONS.keys() == texts.keys() == icons.keys()
    for name, described in ours.items():
        assert described
        assert texts[name]["fields"].keys() == described["fields"].keys()
        assert "target" not in described  # without one, the editor would show an error
        assert ("devices" in described["fields"]) == (name == "instance_is_ok")
