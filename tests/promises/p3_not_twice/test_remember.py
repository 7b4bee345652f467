"""The option `remember_days`: what was delivered is not added again, even if it was deleted."""

from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.support.actions import add, call, hashes, stored
from tests.support.common import (
    FakeClock,
    Start,
    eventually,
    first_and_second,
    info_hash,
    instance,
    link,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled")

DAY = 86_400
V2 = "ab" * 32
HYBRID = f"{link(1)}&xt=urn:btmh:1220{V2}"
V2_LINK = f"magnet:?xt=urn:btmh:1220{V2}&dn=Torrent+1&tr=http%3A%2F%2Ftracker.invalid%2F"

type Deliver = Callable[..., Awaitable[None]]


@pytest.fixture
def deliver(
    hass: HomeAssistant, primary: FakeQBittorrent, clock: FakeClock, hass_storage: dict[str, Any]
) -> Deliver:
    """Return what delivers magnets, lets them be saved, and has the user delete them."""

    async def deliver(*magnets: str) -> None:
        await add(hass, *magnets)
        await eventually(lambda: primary.hashes)
        clock.tick(100)
        await poll(hass)
        books = stored(hass_storage)
        await eventually(lambda: all(job["stage"] != "settling" for job in books.values()))
        primary.torrents.keep_only([])
        primary.record.clear()

    return deliver


async def again(hass: HomeAssistant, *magnets: str) -> list[tuple[str, str, str | None]]:
    """Give magnets again; return hash, status and instance of each that succeeded."""
    response = await add(hass, *magnets)
    return [(one["info_hash"], one["status"], one["instance"]) for one in response["added"]]


async def test_not_sent_again(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, deliver: Deliver
) -> None:
    await start(instance("first", primary), options={"remember_days": 30})
    await deliver(link(1), link(2))
    assert await again(hass, link(1), link(3), link(2)) == [
        (info_hash(1), "already_delivered", "First"),
        (info_hash(3), "added", "First"),
        (info_hash(2), "already_delivered", "First"),
    ]
    assert primary.hashes == {info_hash(3)}
    assert await again(hass, link(1)) == [(info_hash(1), "already_delivered", "First")]
    queue = await call(hass, "get_queue")
    assert (queue["queued"], queue["failed"]) == ([], [])


async def test_off_by_default(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, deliver: Deliver
) -> None:
    await start(instance("first", primary))
    await deliver(link(1))
    assert await again(hass, link(1)) == [(info_hash(1), "added", "First")]


async def test_only_for_so_many_days(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    deliver: Deliver,
    hass_storage: dict[str, Any],
) -> None:
    await start(instance("first", primary), options={"remember_days": 2})
    await deliver(link(1), link(2))
    clock.tick(1.9 * DAY)
    await poll(hass)
    assert await again(hass, link(1)) == [(info_hash(1), "already_delivered", "First")]
    clock.tick(0.2 * DAY)
    assert await again(hass, link(1)) == [(info_hash(1), "added", "First")]
    await poll(hass)
    assert info_hash(2) not in stored(hass_storage)


async def test_over_a_restart_and_without_name_or_trackers(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    deliver: Deliver,
    hass_storage: dict[str, Any],
) -> None:
    entry: MockConfigEntry = await start(instance("first", primary), options={"remember_days": 30})
    await deliver(link(1, name="Private", extra="&tr=http%3A%2F%2Fsecret.invalid"))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    (record,) = stored(hass_storage).values()
    assert record["link"] == f"magnet:?xt=urn:btih:{info_hash(1)}"
    assert await again(hass, link(1)) == [(info_hash(1), "already_delivered", "First")]


async def test_by_whichever_hash(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock, deliver: Deliver
) -> None:
    """Once it is forgotten, it is added as it is given then, with its trackers."""
    await start(instance("first", primary), options={"remember_days": 1})
    await deliver(HYBRID)
    assert await again(hass, V2_LINK) == [(V2, "already_delivered", "First")]
    clock.tick(1.1 * DAY)
    assert await again(hass, V2_LINK) == [(V2, "added", "First")]
    (added,) = primary.adds
    assert "tracker.invalid" in added[0]


async def test_found_there_counts_as_delivered(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, deliver: Deliver
) -> None:
    primary.add(link(1))
    await start(instance("first", primary), options={"remember_days": 30})
    await deliver(link(1))
    assert await again(hass, link(1)) == [(info_hash(1), "already_delivered", "First")]


async def test_whatever_is_down(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    deliver: Deliver,
) -> None:
    await start(*first_and_second(primary, secondary), options={"remember_days": 30})
    await deliver(link(1))
    await primary.refuse()
    await poll(hass)
    response = await add(hass, link(1), queue=False)
    assert hashes(response["added"]) == [info_hash(1)]
    assert not secondary.hashes


async def test_turned_off_later(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    deliver: Deliver,
    hass_storage: dict[str, Any],
) -> None:
    entry: MockConfigEntry = await start(instance("first", primary), options={"remember_days": 30})
    await deliver(link(1), link(2))
    hass.config_entries.async_update_entry(entry, options={"remember_days": 0})
    await settled(hass)
    await poll(hass)
    assert await again(hass, link(1)) == [(info_hash(1), "added", "First")]
    assert info_hash(2) not in stored(hass_storage)
