"""The entry and its instances change in the middle of a delivery: nothing lost, nothing twice."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from itertools import product
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
import pytest

from tests.support import flow
from tests.support.actions import STORE, Response, add, hashes, sent, stored
from tests.support.common import (
    TARGET,
    FakeClock,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    settled,
)
from tests.support.fake.dialect import DIALECTS, Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.moments import MOMENTS, complaints, held_at, nothing_left, our_tasks, where

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

type Change = Callable[[HomeAssistant, ConfigEntry, FakeQBittorrent], Awaitable[None]]

DOMAIN = "qbittorrent_resilient"
QUEUED = "sensor.qbittorrent_resilient_queued_magnets"
GIVEN = [info_hash(1), info_hash(2)]


@pytest.fixture
async def server(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return the first server in line, in the version of the case."""
    async with FakeQBittorrent(dialect) as server:
        yield server


async def reload(hass: HomeAssistant, entry: ConfigEntry, server: FakeQBittorrent) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)


async def disable_and_enable(
    hass: HomeAssistant, entry: ConfigEntry, server: FakeQBittorrent
) -> None:
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await nothing_left(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)


async def other_targets(hass: HomeAssistant, entry: ConfigEntry, server: FakeQBittorrent) -> None:
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    done: Any = await flow.submit(hass, form, {"vpn_targets": [TARGET]})
    assert done["reason"] == "reconfigure_successful"


async def other_options(hass: HomeAssistant, entry: ConfigEntry, server: FakeQBittorrent) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    done: Any = await hass.config_entries.options.async_configure(
        form["flow_id"], {"scan_interval": 77}
    )
    assert done["type"] == "create_entry"


async def _reconfigure(
    hass: HomeAssistant,
    entry: ConfigEntry,
    server: FakeQBittorrent,
    *,
    priority: int = 1,
    **changes: Any,
) -> None:
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": "first"},
    )
    done: Any = await hass.config_entries.subentries.async_configure(
        form["flow_id"], flow.entered(server, requires_vpn=False, priority=priority, **changes)
    )
    assert done["reason"] == "reconfigure_successful", done


async def other_priority(hass: HomeAssistant, entry: ConfigEntry, server: FakeQBittorrent) -> None:
    await _reconfigure(hass, entry, server, priority=9)


async def other_url(hass: HomeAssistant, entry: ConfigEntry, server: FakeQBittorrent) -> None:
    """The same server under another address."""
    await _reconfigure(hass, entry, server, url=server.url.replace("127.0.0.1", "localhost"))


async def other_credentials(
    hass: HomeAssistant, entry: ConfigEntry, server: FakeQBittorrent
) -> None:
    server.settings.username, server.settings.password = "other", "another one"
    await _reconfigure(hass, entry, server)


CHANGES: tuple[Change, ...] = (
    reload,
    disable_and_enable,
    other_targets,
    other_options,
    other_priority,
    other_url,
    other_credentials,
)


def cases(changes: tuple[Change, ...]) -> list[Any]:
    """Return each change at each moment; each meets every version in turn."""
    return [
        pytest.param(
            change,
            moment,
            DIALECTS[number % len(DIALECTS)],
            id=f"{change.__name__}-{moment}".replace("_", " "),
        )
        for number, (moment, change) in enumerate(
            (moment, change) for moment, change in product(MOMENTS, changes)
        )
    ]


async def _answer(adding: asyncio.Task[Response]) -> Response:
    """Wait for a call's answer, which has to speak of each magnet once."""
    async with asyncio.timeout(30):
        response = await adding
    told = [*response["added"], *response["queued"], *response["failed"]]
    assert sorted(hashes(told)) == GIVEN
    return response


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(("change", "moment", "dialect"), cases(CHANGES))
async def test_changed_in_the_middle_of_a_delivery(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    secondary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    change: Change,
    moment: str,
) -> None:
    entry = await start(instance("first", server), instance("second", secondary, priority=2))
    async with held_at(moment, server) as held:
        adding = asyncio.create_task(add(hass, link(1), link(2)))
        await asyncio.wait_for(held.reached.wait(), 30)
        await change(hass, entry, server)
        await _answer(adding)
        await eventually(lambda: entry.state is ConfigEntryState.LOADED)
    await settled(hass)
    await eventually(lambda: hass.states.is_state(QUEUED, "0"))
    places = await where(hass, (server, secondary))
    assert sorted(places) == GIVEN
    # One that may have it is asked first; else whoever is first in line by now gets it.
    moved = change is other_priority and moment in ("look", "note", "noted", "add")
    assert set(map(tuple, places.values())) == {("server 1" if moved else "server 0",)}
    assert sorted(sent(server, secondary)) == GIVEN
    assert await hass.config_entries.async_unload(entry.entry_id)
    await nothing_left(hass)
    assert complaints(caplog) == []


@pytest.mark.parametrize(
    ("moment", "dialect"),
    [(one, DIALECTS[number % len(DIALECTS)]) for number, one in enumerate(MOMENTS)],
)
async def test_instance_removed_that_is_being_added_to(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    secondary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    moment: str,
) -> None:
    """The magnets move on at once: the user has taken that server out of the game."""
    entry = await start(instance("first", server), instance("second", secondary, priority=2))
    async with held_at(moment, server) as held:
        adding = asyncio.create_task(add(hass, link(1), link(2)))
        await asyncio.wait_for(held.reached.wait(), 30)
        assert hass.config_entries.async_remove_subentry(entry, "first")
        response = await _answer(adding)
        await eventually(lambda: entry.state is ConfigEntryState.LOADED)
    await settled(hass)
    told_added = hashes(response["added"])
    await eventually(lambda: hass.states.is_state(QUEUED, "0"))
    server.record.clear()
    if not told_added:
        await eventually(lambda: secondary.hashes == set(GIVEN))
        assert sorted(sent(secondary)) == GIVEN
    await settled(hass)
    assert not server.requests
    assert await hass.config_entries.async_unload(entry.entry_id)
    await nothing_left(hass)
    assert complaints(caplog) == []


@pytest.mark.parametrize(
    ("moment", "dialect"),
    [(one, DIALECTS[number % len(DIALECTS)]) for number, one in enumerate(MOMENTS)],
)
async def test_entry_removed(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    moment: str,
) -> None:
    entry = await start(instance("first", server))
    async with held_at(moment, server) as held:
        adding = asyncio.create_task(add(hass, link(1), link(2)))
        await asyncio.wait_for(held.reached.wait(), 30)
        await hass.config_entries.async_remove(entry.entry_id)
        await _answer(adding)
        await nothing_left(hass)
        server.record.clear()
    await hass.async_block_till_done()
    clock.tick(3600)
    assert not server.requests
    assert complaints(caplog) == []


@pytest.mark.parametrize(
    ("moment", "dialect"),
    [(one, DIALECTS[number % len(DIALECTS)]) for number, one in enumerate(MOMENTS)],
)
async def test_home_assistant_stops(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    moment: str,
) -> None:
    await start(instance("first", server))
    async with held_at(moment, server) as held:
        adding = asyncio.create_task(add(hass, link(1), link(2)))
        await asyncio.wait_for(held.reached.wait(), 30)
        async with asyncio.timeout(30):
            await hass.async_stop(force=True)
        await _answer(adding)
        await nothing_left(hass)
        server.record.clear()
    assert STORE in hass_storage
    books = stored(hass_storage)
    assert sorted(books) == GIVEN
    for record in books.values():
        assert record["stage"] == ("settling" if moment == "closed" else "queued")
        # Whoever may have it is known on disk.
        assert ("sent_to" in record) is (moment != "note")
    assert not server.requests
    assert complaints(caplog) == []


async def test_instance_moved_to_another_server_in_the_middle_of_a_delivery(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    """What the old server may have counts for nothing any more: it is not set up."""
    entry = await start(instance("first", primary))
    async with held_at("answer", primary) as held:
        adding = asyncio.create_task(add(hass, link(1), link(2)))
        await asyncio.wait_for(held.reached.wait(), 30)
        await _reconfigure(hass, entry, secondary)
        await _answer(adding)
    await eventually(lambda: secondary.hashes == set(GIVEN))
    await eventually(lambda: hass.states.is_state(QUEUED, "0"))
    assert sorted(sent(secondary)) == GIVEN


async def test_many_reloads_leave_nothing_behind(
    hass: HomeAssistant, start: Start, clock: FakeClock, server: FakeQBittorrent
) -> None:
    entry = await start(instance("first", server))
    await reload(hass, entry, server)
    await settled(hass)
    listeners, tasks = hass.bus.async_listeners(), len(our_tasks())
    for number in range(1, 11):
        assert hashes((await add(hass, link(number)))["added"]) == [info_hash(number)]
        await reload(hass, entry, server)
    await settled(hass)
    now = hass.bus.async_listeners()
    assert not {name for name, count in now.items() if count > listeners.get(name, 0)}
    await eventually(lambda: len(our_tasks()) == tasks)
