"""The event entity: once for each call or pass and type."""

from typing import Any

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
import pytest

from tests.support.actions import add, again, call, call_silently, work
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent
from tests.support.leaks import leak, start_at_home
from tests.support.routes import HOME

ENTITY = "event.qbittorrent_resilient_magnets"
type Told = list[tuple[str, int, str | None, str | None]]


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """Return what the entity tells: type, count, instance, reason."""
    told: Told = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is not None and state.state not in ("unknown", "unavailable"):
            found: Any = state.attributes
            told.append(
                (found["event_type"], found["count"], found.get("instance"), found.get("reason"))
            )

    async_track_state_change_event(hass, ENTITY, changed)
    return told


async def test_added_and_failed_over(
    hass: HomeAssistant,
    start: Start,
    told: Told,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    await add(hass, *(link(number) for number in range(1, 13)))
    state = hass.states.get(ENTITY)
    assert state
    assert state.attributes["names"] == [f"Torrent {number}" for number in range(1, 11)]
    assert set(state.attributes["event_types"]) == {
        "added",
        "failed_over",
        "queued",
        "delivered",
        "failed",
        "duplicate",
        "leak",
    }
    await add(hass, link(1), link(20))
    await add(hass, link(1))
    await primary.refuse()
    await add(hass, link(21), link(22), max_retries=0)
    await hass.async_block_till_done()
    assert told == [
        ("added", 12, "First", None),
        ("added", 1, "First", None),
        ("failed_over", 2, "Second", None),
    ]


async def test_first_in_line_for_the_magnet(
    hass: HomeAssistant,
    start: Start,
    told: Told,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    """With `require_vpn`, the first that may have it is the first in line."""
    await start(
        instance("first", primary),
        instance("second", secondary, priority=2, requires_vpn=True),
        targets=(TARGET,),
    )
    await add(hass, link(1), require_vpn=True)
    await hass.async_block_till_done()
    assert told == [("added", 1, "Second", None)]


async def test_queued_and_delivered(
    hass: HomeAssistant, start: Start, told: Told, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1), link(2))
    await add(hass, link(2), link(3))
    await call(hass, "retry_queue")
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: len(primary.hashes) == 3)
    await settled(hass)
    assert told == [
        ("queued", 2, None, "unreachable"),
        ("queued", 2, None, "unreachable"),
        ("delivered", 3, "First", None),
    ]


@pytest.mark.usefixtures("clock")
async def test_failed(
    hass: HomeAssistant, start: Start, told: Told, primary: FakeQBittorrent
) -> None:
    """What was no magnet counts, too; it has no name."""
    await start(instance("first", primary))
    await add(hass, link(1), "http://x.example/a.torrent", "bogus")
    primary.torrents.never_listed = {info_hash(2)}
    await call_silently(hass, "add_magnets", magnets=[link(2), link(3)])
    await primary.refuse()
    await add(hass, link(4), queue=False)
    await hass.async_block_till_done()
    assert told == [
        ("added", 1, "First", None),
        ("failed", 2, None, "invalid_magnet"),
        ("added", 1, "First", None),
        ("failed", 1, None, "rejected"),
        ("failed", 1, None, "unreachable"),
    ]


async def test_expired(
    hass: HomeAssistant, start: Start, told: Told, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    entry = await start(instance("first", primary), options={"queue_expiry": 1})
    await add(hass, link(1))
    clock.tick(90_000)
    await work(entry)
    await hass.async_block_till_done()
    assert told == [("queued", 1, None, "unreachable"), ("failed", 1, None, "expired")]


async def test_quiet_where_nothing_happens(
    hass: HomeAssistant, start: Start, told: Told, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    await primary.refuse()
    await poll(hass)
    await primary.listen()
    await poll(hass)
    await call(hass, "retry_queue")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    assert told == []


async def test_names_are_not_recorded(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    await add(hass, link(1))
    state = hass.states.get(ENTITY)
    assert state
    assert state.state_info
    assert "names" in state.state_info["unrecorded_attributes"]


async def test_leak(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, told: Told, primary: FakeQBittorrent
) -> None:
    """Once when the route turns, not at each check, and not after a restart."""
    entry = await start_at_home(hass, start, primary)
    await leak(hass, primary)
    await poll(hass)
    assert told == [("leak", 1, "First", None)]
    state = hass.states.get(ENTITY)
    assert state
    assert state.attributes["names"] == []
    await again(hass, entry)
    await poll(hass)
    restored = hass.states.get(ENTITY)
    assert restored
    assert restored.state == state.state
    told.clear()
    primary.network.bind("tun0")
    await poll(hass)
    primary.network.detect(HOME)
    await poll(hass)
    assert told == [("leak", 1, "First", None)]
