"""The triggers of the queue and of what happens to magnets."""

from datetime import timedelta

from freezegun import freeze_time
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from tests.support.actions import add, again, call
from tests.support.automations import automate, on, reasons
from tests.support.common import (
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    pass_time,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent
from tests.support.leaks import leak, start_at_home
from tests.support.routes import HOME

QUEUED = "sensor.qbittorrent_resilient_queued_magnets"
MAGNETS = "event.qbittorrent_resilient_magnets"


async def test_queued_and_emptied(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Once for a queue that was empty, not for every further magnet."""
    calls = await automate(
        hass,
        triggers=[
            {"trigger": f"{DOMAIN}.magnets_queued"},
            {"trigger": f"{DOMAIN}.queue_emptied"},
        ],
    )
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    await add(hass, link(2), link(3))
    await call(hass, "remove_magnets", info_hashes=[info_hash(2)])
    await settled(hass)
    assert reasons(calls) == [(QUEUED, 1)]
    await call(hass, "remove_magnets", all=True)
    await settled(hass)
    assert reasons(calls) == [(QUEUED, 1), (QUEUED, 0)]


async def test_an_ordinary_delivery_is_no_queue(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Each magnet is on the books first, but it does not wait there."""
    calls = await automate(
        hass,
        triggers=[
            {"trigger": f"{DOMAIN}.magnets_queued"},
            {"trigger": f"{DOMAIN}.queue_emptied"},
        ],
    )
    await start(instance("first", primary))
    states = async_capture_events(hass, EVENT_STATE_CHANGED)
    await add(hass, link(1), link(2))
    await settled(hass)
    assert not calls
    assert not [one for one in states if one.data["entity_id"] == QUEUED]


async def test_a_delivery_that_takes_longer_is_one(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    calls = await on(hass, "magnets_queued")
    await start(instance("first", primary), options={"scan_interval": 3600})
    fault = primary.faults.delay(1, "torrents/add", times=1)
    adding = hass.async_create_task(add(hass, link(1)))
    await eventually(lambda: fault.hits)
    assert hass.states.is_state(QUEUED, "0")
    pass_time(hass, 2)
    assert hass.states.is_state(QUEUED, "1")
    await adding
    assert hass.states.is_state(QUEUED, "0")
    await settled(hass)
    assert len(calls) == 1


async def test_queued_for_a_while(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """More magnets do not start the time over; an empty queue does."""
    calls = await on(hass, "magnets_queued", options={"for": {"minutes": 10}})
    await start(instance("first", primary), options={"scan_interval": 3600})
    await primary.refuse()
    await add(hass, link(1))
    await settled(hass)
    await call(hass, "remove_magnets", all=True)
    await poll(hass, 700)
    assert reasons(calls) == []
    await add(hass, link(2))
    await settled(hass)
    pass_time(hass, 300)
    await add(hass, link(3))
    await settled(hass)
    await poll(hass, 605)
    assert [one.data["to"] for one in calls] == [1]


@pytest.mark.usefixtures("clock")
async def test_failed(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    calls = await automate(
        hass,
        triggers=[{"trigger": f"{DOMAIN}.magnet_failed"}],
        actions={
            "action": "test.fired",
            "data": {
                "names": "{{ trigger.to_state.attributes.names }}",
                "reason": "{{ trigger.to_state.attributes.reason }}",
            },
        },
    )
    await start(instance("first", primary))
    await add(hass, link(1))
    primary.torrents.never_listed = {info_hash(2)}
    await add(hass, link(2), link(3))
    await settled(hass)
    assert [one.data for one in calls] == [{"names": ["Torrent 2"], "reason": "rejected"}]
    await add(hass, link(4))
    await settled(hass)
    assert len(calls) == 1


async def test_two_kinds_within_a_millisecond(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """One call tells several kinds at once; core moves the second on by a millisecond."""
    calls = await on(hass, "magnet_failed")
    entry = await start(instance("first", primary))
    dispatcher = entry.runtime_data.dispatcher
    with freeze_time(dt_util.utcnow() + timedelta(seconds=1), real_asyncio=True):
        dispatcher._listeners.notify(DeliveryEvent(EventType.ADDED, 1))
        dispatcher._listeners.notify(DeliveryEvent(EventType.FAILED, 2, reason="rejected"))
        await hass.async_block_till_done()
    assert len(calls) == 1


async def test_failed_fires_for_events_only(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    """A state that is written again, or restored, is no event."""
    calls = await on(hass, "magnet_failed")
    entry = await start(instance("first", primary))
    await call(hass, "add_magnets", magnets=["bogus", link(1)])
    await settled(hass)
    assert len(calls) == 1
    entity_registry.async_update_entity(MAGNETS, name="Other")
    await settled(hass)
    await again(hass, entry)
    await settled(hass)
    assert len(calls) == 1


async def test_duplicated(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    calls = await on(hass, "magnet_duplicated")
    entry = await start(instance("first", primary))
    for event_type in (EventType.DELIVERED, EventType.DUPLICATE):
        entry.runtime_data.dispatcher._listeners.notify(DeliveryEvent(event_type, 1))
        await hass.async_block_till_done()
    assert [one.data["entity"] for one in calls] == [MAGNETS]


async def test_leak_detected(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    calls = await automate(hass, triggers=[{"trigger": f"{DOMAIN}.leak_detected"}])
    await start_at_home(hass, start, primary)
    await add(hass, link(1))
    assert not calls
    await leak(hass, primary)
    await settled(hass)
    assert [entity for entity, _ in reasons(calls)] == [MAGNETS]
    await poll(hass)
    await settled(hass)
    assert len(calls) == 1


async def test_leak_detected_by_the_first_check(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """The entity that tells it is there later; over a reload it is no news."""
    calls = await automate(hass, triggers=[{"trigger": f"{DOMAIN}.leak_detected"}])
    primary.network.bind("")
    primary.network.detect(HOME)
    entry = await start_at_home(hass, start, primary)
    await settled(hass)
    state = hass.states.get(MAGNETS)
    assert state
    told = {name: state.attributes[name] for name in ("event_type", "count", "instance", "names")}
    assert told == {"event_type": "leak", "count": 1, "instance": "First", "names": []}
    assert len(calls) == 1
    await again(hass, entry)
    await settled(hass)
    assert len(calls) == 1
