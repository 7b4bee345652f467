"""The failed list as a to-do list: a tick tries again, deleting discards."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.support.actions import add, call, hashes, stored
from tests.support.canaries import SECRET, secret_link, variants
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link, settled
from tests.support.disk_faults import disk_full
from tests.support.fake.server import FakeQBittorrent
from tests.support.todo_lists import (
    FAILED,
    QUEUE,
    change,
    completed,
    enable_lists,
    items,
    shown_now,
    waiting,
)
from tests.support.web_host import LOGIN_PAGE, WebHost


@pytest.fixture
async def listed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> MockConfigEntry:
    """Return the entry, with the lists enabled; two magnets have failed, the second later."""
    enable_lists(hass)
    entry: MockConfigEntry = await start(instance("first", primary), options={"fetch_links": True})
    primary.torrents.never_listed = {info_hash(number) for number in (1, 2, 3)}
    await add(hass, link(1))
    clock.tick(60)
    await add(hass, link(2, name="B"))
    await shown_now(hass)
    return entry


async def failed(hass: HomeAssistant) -> list[str]:
    return await waiting(hass, FAILED)


async def test_disabled_by_default(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    registered = er.async_get(hass).async_get(FAILED)
    assert registered
    assert registered.unique_id == "hub_failed"
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_what_failed_is_listed_newest_first(
    hass: HomeAssistant, listed: MockConfigEntry
) -> None:
    assert hass.states.is_state(FAILED, "2")
    first, second = await items(hass, FAILED)
    assert (first["uid"], first["summary"], first["status"]) == (info_hash(2), "B", "needs_action")
    assert first["description"].startswith("Refused by the server · 20")
    assert second["uid"] == info_hash(1)
    assert await items(hass) == []


async def test_tick_tries_again(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    primary.torrents.never_listed = set()
    await change(
        hass, "update_item", info_hash(2), entity_id=FAILED, rename="B", status="completed"
    )
    assert await failed(hass) == [info_hash(1)]
    await eventually(lambda: primary.hashes == {info_hash(2)})
    await settled(hass)
    await shown_now(hass)
    assert await completed(hass) == [info_hash(2)]
    assert hass.states.is_state(FAILED, "1")


async def test_tick_that_fails_again(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """It is back in its list."""
    clock.tick(60)
    before = (await items(hass, FAILED))[1]["description"]
    await change(hass, "update_item", info_hash(1), entity_id=FAILED, status="completed")
    await settled(hass)
    await shown_now(hass)
    first, second = await items(hass, FAILED)
    assert (first["uid"], second["uid"]) == (info_hash(1), info_hash(2))
    assert first["description"] != before


async def test_deleting_discards(
    hass: HomeAssistant, hass_storage: dict[str, Any], listed: MockConfigEntry
) -> None:
    await change(hass, "remove_item", ["B"], entity_id=FAILED)
    assert await failed(hass) == [info_hash(1)]
    assert stored(hass_storage).keys() == {info_hash(1)}
    assert hashes((await call(hass, "get_queue"))["failed"]) == [info_hash(1)]


async def test_links_are_added_elsewhere(hass: HomeAssistant, listed: MockConfigEntry) -> None:
    with pytest.raises(HomeAssistantError):
        await change(hass, "add_item", link(4), entity_id=FAILED)
    assert len(await failed(hass)) == 2


async def test_name_and_reason_stay(hass: HomeAssistant, listed: MockConfigEntry) -> None:
    for more in ({"rename": "C"}, {"description": "mine"}):
        with pytest.raises(ServiceValidationError) as caught:
            await change(hass, "update_item", "B", entity_id=FAILED, **more)
        assert caught.value.translation_key == "item_not_editable"
    assert len(await failed(hass)) == 2


async def test_web_links(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, host: WebHost
) -> None:
    """They go by the last part of their path, whether they wait or have failed."""
    await add(hass, host.give("/a.torrent", LOGIN_PAGE), host.give("/b.torrent", status=500))
    await shown_now(hass)
    item = (await items(hass, FAILED))[0]
    assert item["summary"] == "a.torrent"
    assert item["description"].startswith("Not a torrent file · ")
    assert [one["summary"] for one in await items(hass)] == ["b.torrent"]
    host.redirect("/a.torrent", link(5))
    host.redirect("/b.torrent", link(6))
    await change(hass, "update_item", item["uid"], entity_id=FAILED, status="completed")
    await eventually(lambda: info_hash(5) in primary.hashes)
    await settled(hass)
    await shown_now(hass)
    await change(hass, "update_item", "b.torrent", status="completed")
    await settled(hass)
    await shown_now(hass)
    assert await waiting(hass) == []
    assert info_hash(6) not in primary.hashes
    assert await failed(hass) == [info_hash(2), info_hash(1)]


async def test_a_web_link_is_discarded(
    hass: HomeAssistant, listed: MockConfigEntry, host: WebHost
) -> None:
    await add(hass, host.give("/a.torrent", LOGIN_PAGE))
    await shown_now(hass)
    await change(hass, "remove_item", "a.torrent", entity_id=FAILED)
    assert len((await call(hass, "get_queue"))["failed"]) == 2


async def test_no_secrets(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, host: WebHost
) -> None:
    """Neither the query of a web link nor the trackers of a magnet."""
    primary.torrents.never_listed.add(info_hash(7))
    link_in = f"{host.give('/a.torrent', LOGIN_PAGE)}?passkey={SECRET}"
    await add(hass, secret_link(7), link_in)
    await shown_now(hass)
    found = await items(hass, FAILED)
    assert len(found) == 4
    text = f"{found} {hass.states.get(FAILED)} {hass.states.get(QUEUE)}".lower()
    assert not [one for one in variants(SECRET) if one in text]


async def test_failing_disk(hass: HomeAssistant, listed: MockConfigEntry) -> None:
    with disk_full(), pytest.raises(HomeAssistantError) as caught:
        await change(hass, "update_item", "B", entity_id=FAILED, status="completed")
    assert caught.value.translation_key == "storage_failed"
    await shown_now(hass)
    assert await failed(hass) == [info_hash(2), info_hash(1)]
