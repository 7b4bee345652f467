"""The queue as a to-do list, through the actions of Home Assistant's own lists."""

from copy import replace
from datetime import datetime
import json
import re
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import JSONEncoder
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient import todo
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.todo_items import MOST_ITEMS, async_waiting
from tests.support.actions import add, call, hashes, sent, stored, work
from tests.support.canaries import NAME, SECRET, chain, secret_link, shown, variants
from tests.support.common import (
    FakeClock,
    Start,
    info_hash,
    instance,
    link,
    pass_time,
    poll,
    settled,
)
from tests.support.disk_faults import disk_full
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

LIST = QUEUE


@pytest.fixture
async def listed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> MockConfigEntry:
    """Return the entry, with one instance and the list enabled."""
    enable_lists(hass)
    entry: MockConfigEntry = await start(instance("first", primary))
    assert hass.states.is_state(LIST, "0")
    return entry


async def test_disabled_by_default(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    registered = er.async_get(hass).async_get(LIST)
    assert registered
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert hass.states.get(LIST) is None
    await primary.refuse()
    await add(hass, link(1))  # and nobody who follows the queue is missed


async def test_what_waits_is_listed_oldest_first(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await hass.config.async_set_time_zone("Asia/Tokyo")
    await add(hass, link(7))
    await primary.refuse()
    await add(hass, link(2, name="B"))
    clock.tick(60)
    await add(hass, f"magnet:?xt=urn:btih:{info_hash(1)}")
    await shown_now(hass)
    first, second, completed = await items(hass)
    assert (completed["uid"], completed["status"]) == (info_hash(7), "completed")
    assert (first["uid"], first["summary"], first["status"]) == (info_hash(2), "B", "needs_action")
    assert (second["uid"], second["summary"]) == (info_hash(1), info_hash(1))
    queued_at = (await call(hass, "get_queue"))["queued"][0]["queued_at"]
    there = datetime.fromisoformat(queued_at).astimezone(ZoneInfo("Asia/Tokyo"))
    assert first["description"] == f"Unreachable · {there:%Y-%m-%d %H:%M}"
    assert hass.states.is_state(LIST, "2")


async def test_follows_the_queue(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, link(1))
    await shown_now(hass)
    assert await waiting(hass) == [info_hash(1)]
    await call(hass, "remove_magnets", all=True)
    await add(hass, link(2))  # the count is the same
    await shown_now(hass)
    assert await waiting(hass) == [info_hash(2)]
    await primary.listen()
    await poll(hass)
    await work(listed)
    await shown_now(hass)
    assert (await waiting(hass), primary.hashes) == ([], {info_hash(2)})
    (completed,) = await items(hass)
    assert completed["description"] == "Delivered to First"
    assert hass.states.is_state(LIST, "0")


async def test_reason_follows_the_status(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, link(1))
    await primary.listen()
    primary.settings.password = "changed"
    primary.access.sessions.clear()
    await poll(hass)
    await shown_now(hass)
    assert (await items(hass))[0]["description"].startswith("Login failed · ")


async def test_what_only_waits_for_its_turn_has_no_reason(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, link(1))
    dispatcher = listed.runtime_data.dispatcher
    (job,) = dispatcher.jobs(Stage.QUEUED)
    (item,) = dispatcher.items(Stage.QUEUED)
    assert job.reason == "unreachable"
    put_back = replace(item, job=replace(job, reason=""))
    await primary.listen()
    await dispatcher.instances[0].check()
    assert dispatcher.reason(put_back) == "ok"
    with patch.object(dispatcher, "items", lambda _: [put_back]):
        (shown,) = async_waiting(hass, dispatcher)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", shown.description or "")


async def test_deleted_items_leave_the_queue_for_good(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    listed: MockConfigEntry,
    primary: FakeQBittorrent,
) -> None:
    await primary.refuse()
    await add(hass, *(link(one) for one in range(1, 5)))
    await shown_now(hass)
    await change(hass, "remove_item", [info_hash(1), "Torrent 3"])
    assert await waiting(hass) == [info_hash(2), info_hash(4)]
    assert hass.states.is_state(LIST, "2")
    assert stored(hass_storage).keys() == {info_hash(2), info_hash(4)}
    await change(hass, "remove_item", [])
    assert await waiting(hass) == [info_hash(2), info_hash(4)]


async def test_ticked_items_leave_the_queue_for_good(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    listed: MockConfigEntry,
    primary: FakeQBittorrent,
) -> None:
    """As a page sends it: with the name, but without the description; or as a dialog does."""
    await primary.refuse()
    await add(hass, *(link(one) for one in range(1, 5)))
    await shown_now(hass)
    name, shown = {"rename": "Torrent 1"}, (await items(hass))[2]["description"]
    await change(hass, "update_item", info_hash(1), **name, status="completed")
    assert await waiting(hass) == [info_hash(number) for number in (2, 3, 4)]
    name = {"rename": "Torrent 3"}
    await change(hass, "update_item", info_hash(3), **name, status="completed", description=shown)
    assert await waiting(hass) == [info_hash(2), info_hash(4)]
    assert await completed(hass) == []  # it was not delivered
    assert stored(hass_storage).keys() == {info_hash(2), info_hash(4)}


async def test_tick_while_the_reason_changes(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    """A dialog that was opened before sends the old description."""
    await primary.refuse()
    await add(hass, link(1))
    await shown_now(hass)
    old = (await items(hass))[0]["description"]
    await primary.listen()
    primary.settings.password = "changed"
    primary.access.sessions.clear()
    await poll(hass)
    await shown_now(hass)
    assert (await items(hass))[0]["description"] != old
    await change(hass, "update_item", info_hash(1), status="completed", description=old)
    assert await waiting(hass) == []


@pytest.mark.parametrize(
    "more",
    [
        {"rename": "Mine"},
        {"description": "Mine"},
        {"description": None},
        {"rename": "Mine", "status": "completed"},
        {"rename": "Mine", "status": "needs_action", "description": "Mine"},
    ],
)
async def test_name_and_description_stay(
    hass: HomeAssistant,
    listed: MockConfigEntry,
    primary: FakeQBittorrent,
    more: dict[str, str | None],
) -> None:
    await primary.refuse()
    await add(hass, link(1))
    await shown_now(hass)
    before = await items(hass)
    with pytest.raises(ServiceValidationError, match="cannot be changed") as caught:
        await change(hass, "update_item", info_hash(1), **more)
    assert caught.value.translation_key == "item_not_editable"
    assert await items(hass) == before


async def test_item_saved_as_it_was(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, link(1))
    await shown_now(hass)
    (item,) = await items(hass)
    same = {"rename": item["summary"], "description": item["description"]}
    await change(hass, "update_item", info_hash(1), **same, status="needs_action")
    assert await items(hass) == [item]


async def test_delivered_meanwhile_stays_delivered(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, link(1))
    await shown_now(hass)
    await primary.listen()
    await call(hass, "retry_queue")
    await change(hass, "remove_item", info_hash(1))  # still shown as waiting
    assert primary.hashes == {info_hash(1)}
    entry = listed.runtime_data.dispatcher.job(info_hash(1))
    assert entry.stage is Stage.SETTLING
    assert (await waiting(hass), await completed(hass)) == ([], [info_hash(1)])


@pytest.mark.parametrize(
    ("item", "more"),
    [
        (f"{link(1)} {link(2)}", {}),
        (f"{link(1, name='A B')}&tr=u {link(2, name="Tom's")}", {}),
        (f'[a]({link(1)}), [b]({link(2)} "title")', {}),
        (f"Look at this: {link(1)}", {"description": f"and\n{link(2)}\ntoo"}),
        ("From my phone", {"description": f"MAGNET{link(1)[6:]}\t{link(2)}"}),
    ],
)
async def test_added_items_are_delivered(
    hass: HomeAssistant,
    listed: MockConfigEntry,
    primary: FakeQBittorrent,
    item: str,
    more: dict[str, str],
) -> None:
    await change(hass, "add_item", item, **more)
    assert sent(primary) == [info_hash(1), info_hash(2)]
    assert (await waiting(hass), await completed(hass)) == ([], [info_hash(2), info_hash(1)])
    news = hass.states.get("event.qbittorrent_resilient_magnets")
    assert news
    assert (news.attributes["event_type"], news.attributes["count"]) == ("added", 2)


async def test_added_items_are_queued_while_nothing_can_be_delivered(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await change(hass, "add_item", link(1))
    assert await waiting(hass) == [info_hash(1)]
    await primary.listen()
    await poll(hass)
    await work(listed)
    assert primary.hashes == {info_hash(1)}


@pytest.mark.parametrize("text", ["Buy milk", "magnet:?xt=urn:btih:123", "https://example.org/"])
async def test_no_magnet_is_refused(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, text: str
) -> None:
    with pytest.raises(ServiceValidationError, match="No valid magnet link was given") as caught:
        await change(hass, "add_item", text)
    assert caught.value.translation_key == "no_valid_magnet"
    assert sent(primary) == await waiting(hass) == []


async def test_rejected_is_an_error(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    primary.torrents.never_listed = {info_hash(1)}
    with pytest.raises(HomeAssistantError, match="Refused by the server"):
        await change(hass, "add_item", link(1))
    assert await waiting(hass) == []


async def test_failing_disk(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, link(1))
    await shown_now(hass)
    for action, item in (("add_item", link(2)), ("remove_item", info_hash(1))):
        with (
            disk_full(),
            pytest.raises(HomeAssistantError) as caught,
        ):
            await change(hass, action, item)
        assert caught.value.translation_key == "storage_failed"
        await shown_now(hass)
        assert await waiting(hass) == [info_hash(1)]


async def test_most_are_not_shown_but_counted(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, *(link(one) for one in range(1, MOST_ITEMS + 51)))
    await shown_now(hass)
    assert await waiting(hass) == [info_hash(one) for one in range(1, MOST_ITEMS + 1)]
    assert hass.states.is_state(LIST, str(MOST_ITEMS + 50))


async def test_a_burst_of_changes_is_shown_once(
    hass: HomeAssistant,
    listed: MockConfigEntry,
    primary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(todo, "PAUSE_SECONDS", 60)  # for a busy machine
    lists: list[Any] = []
    hass.data["todo"].get_entity(LIST).async_subscribe_updates(lists.append)
    await primary.refuse()
    for one in range(1, 21):
        await add(hass, link(one), max_retries=0)
    assert lists == []
    pass_time(hass, 60)
    await settled(hass)
    assert [len(one) for one in lists] == [20]


async def test_time_that_no_calendar_has(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await primary.refuse()
    clock.tick(1e15)
    await add(hass, link(1))
    await shown_now(hass)
    assert (await items(hass))[0]["description"] == "Unreachable · ?"


async def test_no_names_in_states_and_no_secrets_at_all(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await change(hass, "add_item", secret_link(1))
    found = await items(hass)
    assert found[0]["summary"].startswith(NAME)
    state = hass.states.get(LIST)
    assert state
    said = json.dumps(state.as_dict(), cls=JSONEncoder)
    assert NAME not in said
    assert info_hash(1) not in said
    assert state.attributes.keys() == {"friendly_name", "supported_features"}
    with pytest.raises(ServiceValidationError) as caught:
        await change(hass, "add_item", secret_link(0))
    texts = [said, json.dumps(found), *shown(caught.value)]
    texts += [str(one) for one in chain(caught.value)]
    assert not [text for text in texts for one in variants(SECRET) if one in text.lower()]


async def test_reload_and_removal_leave_nothing_behind(
    hass: HomeAssistant, listed: MockConfigEntry, primary: FakeQBittorrent
) -> None:
    await primary.refuse()
    await add(hass, link(1))  # its moment is not over
    before = listed.runtime_data.queue
    assert await hass.config_entries.async_reload(listed.entry_id)
    assert not before._list_listeners._callbacks
    assert await waiting(hass) == [info_hash(1)]
    assert await call(hass, "get_queue")
    assert hashes((await call(hass, "get_queue"))["queued"]) == [info_hash(1)]
