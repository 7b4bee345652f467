"""An instance that was silent for too long comes back with what another one has got meanwhile."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import Arrivals, add, again, call, stored, work
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link, settled
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

ENTITY = "event.qbittorrent_resilient_magnets"
FOUND = "delivered elsewhere while it could not be asked"


@pytest.fixture
async def moved_on(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
) -> Any:
    """Freeze the first while it is given 1 and 2; 15 minutes later the second one has them."""
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            primary.freeze()

    Arrivals(primary, look)
    response = await add(hass, link(1), link(2), max_retries=0)
    assert {one["reason"] for one in response["queued"]} == {"uncertain"}
    assert not secondary.hashes
    primary.record.requests = [*primary.record.requests]
    clock.tick(901)
    await call(hass, "retry_queue")
    assert secondary.hashes == {info_hash(1), info_hash(2)}
    assert not primary.hashes
    return entry


def doubles(hass: HomeAssistant) -> tuple[Any, ...] | None:
    """Return what the event entity told last, if that is about duplicates."""
    state = hass.states.get(ENTITY)
    assert state
    found = state.attributes
    if found["event_type"] != "duplicate":
        return None
    return found["count"], found["instance"], set(found["names"])


async def _back(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    await primary.thaw()
    await call(hass, "check_health")


async def test_noticed_and_said(
    hass: HomeAssistant,
    moved_on: Any,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    hass_storage: dict[str, Any],
) -> None:
    await _back(hass, primary)
    await eventually(lambda: primary.hashes == {info_hash(1), info_hash(2)})
    await work(moved_on)
    assert doubles(hass) == (2, "First", {"Torrent 1", "Torrent 2"})
    assert caplog.text.count(FOUND) == 1
    assert "Torrent" not in caplog.text.partition(FOUND)[0].rpartition("\n")[2]
    assert secondary.hashes == {info_hash(1), info_hash(2)}  # nothing is deleted
    await work(moved_on)
    assert caplog.text.count(FOUND) == 1
    assert not any(one.get("suspects") for one in stored(hass_storage).values())


async def test_noticed_long_after_it_has_settled_and_across_a_restart(
    hass: HomeAssistant,
    moved_on: Any,
    primary: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    for _ in range(3):
        clock.tick(300)
        await work(moved_on)
    assert {one["stage"] for one in stored(hass_storage).values()} == {"watched"}
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    await again(hass, moved_on)
    await settled(hass)
    assert {one["stage"] for one in stored(hass_storage).values()} == {"watched"}
    await _back(hass, primary)
    await eventually(lambda: primary.hashes)
    await work(moved_on)
    assert doubles(hass) == (2, "First", {"Torrent 1", "Torrent 2"})
    assert not stored(hass_storage)


async def test_one_that_comes_back_without_them_is_cleared(
    hass: HomeAssistant,
    moved_on: Any,
    primary: FakeQBittorrent,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    hass_storage: dict[str, Any],
) -> None:
    await primary.restart(keep="none")
    clock.tick(300)
    await call(hass, "check_health")
    await work(moved_on)
    await work(moved_on)
    assert doubles(hass) is None
    assert FOUND not in caplog.text
    assert not stored(hass_storage)


async def test_removed_meanwhile(
    hass: HomeAssistant, moved_on: Any, clock: FakeClock, hass_storage: dict[str, Any]
) -> None:
    """An instance that is set up no more cannot come back, but for a minute."""
    clock.tick(300)
    await work(moved_on)
    hass.config_entries.async_remove_subentry(moved_on, "first")
    await settled(hass)
    await work(moved_on)
    assert stored(hass_storage)
    clock.tick(61)
    await work(moved_on)
    assert not stored(hass_storage)


async def test_forgotten_with_time(
    hass: HomeAssistant, moved_on: Any, clock: FakeClock, hass_storage: dict[str, Any]
) -> None:
    clock.tick(300)
    await work(moved_on)
    assert stored(hass_storage)
    clock.tick(22 * 86_400)
    await work(moved_on)
    assert not stored(hass_storage)
    assert (await call(hass, "get_queue"))["failed"] == []


async def test_given_again_meanwhile(
    hass: HomeAssistant,
    moved_on: Any,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """What is known of the silent one stays known."""
    clock.tick(300)
    await work(moved_on)
    (one,) = (await add(hass, link(1)))["added"]
    assert (one["instance"], one["status"]) == ("Second", "already_present")
    await _back(hass, primary)
    await eventually(lambda: primary.hashes)
    await work(moved_on)
    assert doubles(hass) == (2, "First", {"Torrent 1", "Torrent 2"})
    assert len(secondary.adds) == 1


async def test_gone_again_before_it_can_be_asked(
    hass: HomeAssistant,
    moved_on: Any,
    primary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    hass_storage: dict[str, Any],
) -> None:
    """It stays a suspect until it has answered."""
    await _back(hass, primary)
    primary.faults.cut("torrents/info")
    await work(moved_on)
    await work(moved_on)
    assert doubles(hass) is None
    assert {tuple(one["suspects"]) for one in stored(hass_storage).values()} == {("first",)}
    primary.faults.clear()
    await call(hass, "check_health")
    await work(moved_on)
    assert doubles(hass) == (2, "First", {"Torrent 1", "Torrent 2"})
    assert caplog.text.count(FOUND) == 1
