"""What was delivered, in the queue's list: shown as completed for an hour."""

from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.core.recent_deliveries import (
    MOST_DELIVERIES,
    SHOWN_SECONDS,
)
from tests.support.actions import add, call, sent, work
from tests.support.common import (
    FakeClock,
    Start,
    first_and_second,
    info_hash,
    instance,
    link,
    pass_time,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent
from tests.support.todo_lists import (
    QUEUE,
    change,
    completed,
    enable_lists,
    items,
    shown_now,
    waiting,
)
from tests.support.web_host import WebHost

ON = {"fetch_links": True}


@pytest.fixture
async def listed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> MockConfigEntry:
    """Return the entry, with one instance and the lists enabled."""
    enable_lists(hass)
    entry: MockConfigEntry = await start(instance("first", primary), options=ON)
    return entry


async def an_hour_later(hass: HomeAssistant, clock: FakeClock) -> None:
    clock.tick(SHOWN_SECONDS)
    pass_time(hass, SHOWN_SECONDS + 2)
    await settled(hass)


async def test_what_the_user_adds_is_shown_at_once(
    hass: HomeAssistant, listed: MockConfigEntry, clock: FakeClock
) -> None:
    before = datetime.now().astimezone()
    await change(hass, "add_item", link(1, name="A B"))
    (item,) = await items(hass)
    assert datetime.fromisoformat(item.pop("completed")) >= before.replace(microsecond=0)
    assert item == {
        "uid": info_hash(1),
        "summary": "A B",
        "status": "completed",
        "description": "Delivered to First",
    }
    assert hass.states.is_state(QUEUE, "0")


async def test_for_an_hour(hass: HomeAssistant, listed: MockConfigEntry, clock: FakeClock) -> None:
    """Nothing else has to happen for it to go."""
    lists: list[Any] = []
    hass.data["todo"].get_entity(QUEUE).async_subscribe_updates(lists.append)
    await change(hass, "add_item", link(1))
    clock.tick(1800)
    await add(hass, link(2))
    await shown_now(hass)
    assert await completed(hass) == [info_hash(2), info_hash(1)]
    clock.tick(SHOWN_SECONDS - 1800)
    pass_time(hass, SHOWN_SECONDS + 2)
    await settled(hass)
    assert [one.uid for one in lists[-1]] == [info_hash(2)]
    await an_hour_later(hass, clock)
    assert lists[-1] == []


async def test_what_the_queue_delivers(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await change(hass, "add_item", link(1))
    assert (await waiting(hass), await completed(hass)) == ([info_hash(1)], [])
    await primary.listen()
    await poll(hass)
    await work(listed)
    await shown_now(hass)
    assert (await waiting(hass), await completed(hass)) == ([], [info_hash(1)])


async def test_where_it_was_delivered(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """Descriptions are rendered as Markdown, so a name is escaped where it would be markup."""
    enable_lists(hass)
    first, second = first_and_second(primary, secondary)
    await start(
        {**first, "title": "Seedbox 2 (old)"}, {**second, "title": "**NAS** <b> [x](y) _a_ www.x.y"}
    )
    await change(hass, "add_item", link(1))
    await primary.refuse()
    await change(hass, "add_item", link(2))
    texts = [one["description"] for one in await items(hass)]
    assert texts[1] == "Delivered to Seedbox 2 (old)"
    assert texts[0] == (r"Delivered to \*\*NAS\*\* \<b\> \[x\]\(y\) \_a\_ www\.x\.y")


async def test_what_a_server_has_already(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """The user who adds it sees that; a feed that gives it again and again fills no list."""
    await add(hass, link(1))
    await an_hour_later(hass, clock)
    await add(hass, link(1))
    await shown_now(hass)
    assert await items(hass) == []
    await change(hass, "add_item", link(1))
    (item,) = await items(hass)
    assert (item["status"], item["description"]) == ("completed", "Already on First")
    assert item["summary"] == "Torrent 1"


async def test_what_was_delivered_before(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    enable_lists(hass)
    await start(instance("first", primary), options={"remember_days": 30})
    await add(hass, link(1))
    clock.tick(1000)
    await call(hass, "check_health")
    await settled(hass)
    await an_hour_later(hass, clock)
    primary.torrents.delete([info_hash(1)])
    await change(hass, "add_item", link(1))
    (item,) = await items(hass)
    assert item["description"] == "Already delivered, so not added again"


async def test_a_web_link_goes_by_the_torrent_that_it_leads_to(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, host: WebHost
) -> None:
    host.redirect("/a.torrent", link(1, name="A"))
    await change(hass, "add_item", f"see {host.url('/a.torrent')}?passkey=1", description="x")
    (item,) = await items(hass)
    assert (item["uid"], item["summary"]) == (info_hash(1), "A")


async def test_lost_again_it_waits_again(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """It is in the list once: what it is now counts."""
    await add(hass, link(1))
    await primary.refuse()
    primary.torrents.delete([info_hash(1)])
    dispatcher = listed.runtime_data.dispatcher
    job = dispatcher.job(info_hash(1))
    dispatcher._outbox.put(job.requeued())
    await dispatcher._outbox.commit()
    await shown_now(hass)
    assert (await waiting(hass), await completed(hass)) == ([info_hash(1)], [])


async def test_deleted_from_view(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    """One by one, or by "Remove completed items"; nothing is removed from the server."""
    await add(hass, link(1), link(2), link(3))
    await primary.refuse()
    await add(hass, link(4))
    await shown_now(hass)
    await change(hass, "remove_item", [info_hash(2)])
    assert await completed(hass) == [info_hash(3), info_hash(1)]
    await change(hass, "remove_completed_items")
    assert (await waiting(hass), await completed(hass)) == ([info_hash(4)], [])
    assert primary.hashes == {info_hash(1), info_hash(2), info_hash(3)}


async def test_delivered_cannot_wait_again(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    """Home Assistant's page has cleared the box by then, and ticks it only in a new item."""
    await add(hass, link(1))
    await shown_now(hass)
    lists: list[Any] = []
    hass.data["todo"].get_entity(QUEUE).async_subscribe_updates(lists.append)
    with pytest.raises(ServiceValidationError, match="add its link as a new item") as caught:
        await change(hass, "update_item", info_hash(1), rename="Torrent 1", status="needs_action")
    assert caught.value.translation_key == "item_delivered"
    assert lists == [[]]
    await shown_now(hass)
    assert [one.uid for one in lists[-1]] == [info_hash(1)]
    await change(hass, "update_item", info_hash(1), rename="Torrent 1", status="completed")
    assert (await completed(hass), sent(primary)) == ([info_hash(1)], [info_hash(1)])


async def test_the_last_ones_only(
    hass: HomeAssistant, listed: MockConfigEntry, clock: FakeClock
) -> None:
    await add(hass, *(link(one) for one in range(1, MOST_DELIVERIES + 11)))
    await shown_now(hass)
    last = [info_hash(one) for one in range(MOST_DELIVERIES + 10, 10, -1)]
    assert await completed(hass) == last


async def test_kept_over_a_reload(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """Any change of an option is one; the hour goes on, and so does what can be done."""
    await add(hass, link(1), link(2))
    clock.tick(1800)
    hass.config_entries.async_update_entry(listed, options={**ON, "scan_interval": 60})
    await settled(hass)
    assert await completed(hass) == [info_hash(2), info_hash(1)]
    await add(hass, link(3))
    await shown_now(hass)
    await change(hass, "remove_item", [info_hash(2)])
    assert await completed(hass) == [info_hash(3), info_hash(1)]
    clock.tick(SHOWN_SECONDS - 1800)
    pass_time(hass, SHOWN_SECONDS + 2)
    await settled(hass)
    assert await completed(hass) == [info_hash(3)]


async def test_gone_after_it_was_removed(
    hass: HomeAssistant, listed: MockConfigEntry, start: Start, primary: FakeQBittorrent
) -> None:
    await add(hass, link(1))
    await hass.config_entries.async_remove(listed.entry_id)
    enable_lists(hass)
    await start(instance("first", primary), options=ON)
    assert await items(hass) == []


async def test_some_of_what_was_given_is_no_magnet(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    """The others are added, and the user does not have to look into the log."""
    with pytest.raises(HomeAssistantError, match="1 of 3 could not be added") as caught:
        await change(hass, "add_item", f"{link(1)} magnet:?xt=urn:btih:12 {link(2)}")
    assert caught.value.translation_key == "some_failed"
    assert await completed(hass) == [info_hash(2), info_hash(1)]
