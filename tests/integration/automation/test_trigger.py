"""The triggers, in real automations."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.trigger import EntityTriggerBase
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.trigger import TRIGGERS
from tests.support.actions import add, again, check, status_of
from tests.support.automations import automate, everything, on, reasons
from tests.support.common import TARGET, FakeVpn, Start, eventually, instance, link, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, FakeGluetun
from tests.support.states import VPN, bring_up, take_down, vpn_state

QUEUED = "sensor.qbittorrent_resilient_queued_magnets"
ENTITY_ALL = {"entity_id": "all"}


@pytest.mark.parametrize("target", [None, {}, {"entity_id": []}, {"entity_id": VPN}])
async def test_vpn_went_down_and_came_back(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    target: dict[str, Any] | None,
) -> None:
    chosen = {} if target is None else {"target": target}
    calls = await automate(
        hass,
        triggers=[
            {"trigger": f"{DOMAIN}.vpn_went_down"} | chosen,
            {"trigger": f"{DOMAIN}.vpn_came_back"} | chosen,
        ],
    )
    await start(instance("first", primary), targets=(TARGET,))
    assert reasons(calls) == []
    await take_down(hass, vpn)
    assert reasons(calls) == [(VPN, "off")]
    await bring_up(hass, vpn)
    assert reasons(calls) == [(VPN, "off"), (VPN, "on")]


async def test_vpn_down_for_a_while(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    calls = await on(hass, "vpn_went_down", options={"for": {"minutes": 5}})
    await start(instance("first", primary), targets=(TARGET,))
    await take_down(hass, vpn)
    await bring_up(hass, vpn)
    await poll(hass, 400)
    assert reasons(calls) == []
    await take_down(hass, vpn)
    await poll(hass, 400)
    assert reasons(calls) == [(VPN, "off")]


async def test_a_lost_permission_is_no_outage(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    calls = await everything(hass)
    await start(instance("first", primary), targets=(TARGET,))
    vpn.permitted = False
    await poll(hass)
    assert vpn_state(hass) == "unknown"
    vpn.permitted = True
    await bring_up(hass, vpn)
    assert reasons(calls) == []


async def test_instance_went_down_and_came_back(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """The reason is the new state, and from one reason to the next is nothing new."""
    calls = await automate(
        hass,
        triggers=[
            {"trigger": f"{DOMAIN}.instance_went_down"},
            {"trigger": f"{DOMAIN}.instance_came_back"},
        ],
    )
    await start(instance("first", primary), instance("second", secondary, priority=2))
    await primary.refuse()
    await check(hass)
    expected = [("sensor.first_status", "unreachable")]
    assert reasons(calls) == expected
    await primary.listen()
    primary.connection_status = "disconnected"
    await check(hass)
    assert status_of(hass, "first") != "unreachable"
    primary.connection_status = "connected"
    await check(hass)
    expected.append(("sensor.first_status", "ok"))
    assert reasons(calls) == expected
    await secondary.refuse()
    await check(hass)
    assert reasons(calls) == [*expected, ("sensor.second_status", "unreachable")]


async def test_an_instance_that_waits_for_the_vpn_is_down(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    calls = await automate(
        hass,
        triggers=[
            {"trigger": f"{DOMAIN}.instance_went_down"},
            {"trigger": f"{DOMAIN}.instance_came_back"},
        ],
    )
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    await take_down(hass, vpn)
    status = "sensor.first_status"
    assert reasons(calls) == [(status, "vpn_down")]
    await bring_up(hass, vpn)
    assert reasons(calls) == [(status, "vpn_down"), (status, "ok")]


@pytest.mark.parametrize("entity", ["sensor.first_status", "binary_sensor.first"])
async def test_chosen_instance(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    entity: str,
) -> None:
    """Whichever of its entities is chosen, the instance is meant, and no other."""
    await start(instance("first", primary), instance("second", secondary, priority=2))
    calls = await on(hass, "instance_went_down", target={"entity_id": entity})
    await secondary.refuse()
    await check(hass)
    assert reasons(calls) == []
    await primary.refuse()
    await check(hass)
    assert reasons(calls) == [("sensor.first_status", "unreachable")]


@pytest.mark.parametrize("is_option", [True, False])
async def test_chosen_device(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
    is_option: bool,
) -> None:
    """By the field of the editor, or as a target, as automations had it before."""
    await start(instance("first", primary), instance("second", secondary, priority=2))
    entity = entity_registry.async_get("binary_sensor.second")
    assert entity
    chosen = {"target": {"device_id": entity.device_id}}
    if is_option:
        chosen = {"options": {"devices": [entity.device_id]}}
    calls = await on(hass, "instance_went_down", **chosen)
    await primary.refuse()
    await secondary.refuse()
    await check(hass)
    assert reasons(calls) == [("sensor.second_status", "unreachable")]


async def test_all_instances_down(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    calls = await on(hass, "instance_went_down", options={"behavior": "all"})
    await start(instance("first", primary), instance("second", secondary, priority=2))
    await primary.refuse()
    await check(hass)
    assert reasons(calls) == []
    await secondary.refuse()
    await check(hass)
    assert reasons(calls) == [("sensor.second_status", "unreachable")]


async def test_entities_of_others_are_left_alone(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """Nor is a target of somebody else's a way around that."""
    foreign = {"device_class": "connectivity"}
    hass.states.async_set("binary_sensor.router", "on", foreign)
    hass.states.async_set("sensor.router", "ok", {"device_class": "enum"})
    await start(instance("first", primary), targets=(TARGET,))
    names = ("vpn_went_down", "instance_went_down", "queue_emptied")
    everything = [{"trigger": f"{DOMAIN}.{name}"} for name in names]
    target = {"target": {"entity_id": ["binary_sensor.router", "sensor.router"]}}
    calls = await automate(hass, triggers=[*everything, *(one | target for one in everything)])
    hass.states.async_set("binary_sensor.router", "off", foreign)
    hass.states.async_set("sensor.router", "0", {"device_class": "enum"})
    await settled(hass)
    await take_down(hass, vpn)
    assert reasons(calls) == [(VPN, "off")]


async def test_nothing_is_followed_any_more(hass: HomeAssistant) -> None:
    """An automation that is turned off leaves no listener behind."""
    before = hass.bus.async_listeners().get(er.EVENT_ENTITY_REGISTRY_UPDATED, 0)
    await everything(hass)
    following = [one for one in TRIGGERS.values() if issubclass(one, EntityTriggerBase)]
    kept = hass.bus.async_listeners()[er.EVENT_ENTITY_REGISTRY_UPDATED] - len(following)
    assert kept >= before  # each trigger follows
    assert hass.bus.async_listeners()["feedreader"] == 1
    assert "not-to-be-guessed" in hass.data["webhook"]
    await hass.services.async_call("automation", "turn_off", ENTITY_ALL, blocking=True)
    assert hass.bus.async_listeners()[er.EVENT_ENTITY_REGISTRY_UPDATED] == kept
    assert "feedreader" not in hass.bus.async_listeners()
    assert "not-to-be-guessed" not in hass.data["webhook"]


async def test_renamed_entity(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    calls = await on(hass, "vpn_went_down")
    await start(instance("first", primary), targets=(TARGET,))
    entity_registry.async_update_entity(VPN, new_entity_id="binary_sensor.tunnel")
    await settled(hass)
    vpn.up = False
    for _ in range(3):
        await poll(hass)
    assert reasons(calls) == [("binary_sensor.tunnel", "off")]


async def test_a_start_is_no_outage(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """Nothing fires when all starts well, nor when it starts over with all down and queued."""
    calls = await everything(hass)
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    await again(hass, entry)
    await settled(hass)
    assert status_of(hass, "first") == "ok"
    assert reasons(calls) == []
    vpn.up = False
    await again(hass, entry)
    for _ in range(3):
        await poll(hass)
    assert vpn_state(hass) == "off"
    assert status_of(hass, "first") == "vpn_down"
    assert reasons(calls) == []
    await add(hass, link(1))
    await settled(hass)
    assert reasons(calls) == [(QUEUED, 1)]
    await again(hass, entry)
    await settled(hass)
    assert hass.states.is_state(QUEUED, "1")
    assert len(calls) == 1


async def test_a_slow_first_round_is_no_outage(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first verdict may come long after the entities are there."""
    monkeypatch.setattr(f"custom_components.{DOMAIN}.FIRST_LOOK_SECONDS", 0)
    calls = await everything(hass)
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))
    assert reasons(calls) == []


async def test_came_back_after_a_start_with_an_outage(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """An outage that was there at the start ends like any other."""
    calls = await on(hass, "instance_came_back")
    await primary.refuse()
    await start(instance("first", primary))
    await check(hass)
    assert status_of(hass, "first") == "unreachable"
    await primary.listen()
    await check(hass)
    assert reasons(calls) == [("sensor.first_status", "ok")]


async def test_the_first_verdict_of_a_gluetun_is_no_outage(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    """There is no entity for it; what comes after the first verdict is an outage like any other."""
    gluetun.say("running")
    calls = await everything(hass)
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert status_of(hass, "first") == "vpn_down"
    gluetun.say("running", EXIT)
    await poll(hass)
    assert status_of(hass, "first") == "ok"
    assert reasons(calls) == []
    await gluetun.refuse()
    for _ in range(3):
        await poll(hass)
    await gluetun.listen()
    await poll(hass)
    status = "sensor.first_status"
    assert reasons(calls) == [(status, "vpn_down"), (status, "ok")]
