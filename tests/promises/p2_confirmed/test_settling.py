"""Deliveries that a server lists but may not have saved: watched, and repeated where lost."""

from collections.abc import AsyncGenerator
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, again, call, look_away, on_request, sent, stored, work
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link, settled
from tests.support.fake.dialect import V4_5, V5_3, Dialect
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

BOTH = {info_hash(1), info_hash(2)}


@pytest.fixture
async def server(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return a server of each version."""
    async with FakeQBittorrent(dialect) as server:
        yield server


async def _delivered(hass: HomeAssistant, start: Start, server: FakeQBittorrent) -> Any:
    entry = await start(instance("first", server))
    assert len((await add(hass, link(1), link(2)))["added"]) == 2
    return entry


async def test_stays_on_the_books_for_a_minute(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    assert set(stored(hass_storage)) == BOTH
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")
    clock.tick(55)
    await work(entry)
    assert set(stored(hass_storage)) == BOTH
    clock.tick(10)
    await work(entry)
    assert not stored(hass_storage)
    assert len(server.adds) == 1


async def test_lost_by_a_restart_is_delivered_again(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, clock: FakeClock
) -> None:
    """As soon as the restart shows, with the same wishes."""
    await start(instance("first", server))
    await add(hass, link(1), link(2), category="c", stopped=True)
    await server.restart(keep=[info_hash(1)])
    await call(hass, "check_health")
    await eventually(lambda: server.hashes == BOTH)
    assert {one.category for one in server.torrents} == {"c"}
    assert {one.stopped for one in server.torrents} == {True}
    assert sent(server).count(info_hash(1)) == 1


async def test_restart_between_two_questions_is_noticed(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, clock: FakeClock
) -> None:
    """The process that says when it was started need not be the one that lists nothing."""
    entry = await _delivered(hass, start, server)
    clock.tick(70)

    def restart(received: Received) -> None:
        if received.endpoint == "torrents/info":
            look_away(server)
            server.torrents.keep_only([])
            server.launch_time += 70
            server._begin_process()

    on_request(server, restart)
    await work(entry)
    await eventually(lambda: server.hashes == BOTH)


async def test_lost_twice(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, clock: FakeClock
) -> None:
    entry = await _delivered(hass, start, server)
    for _ in range(2):
        clock.tick(30)
        await server.restart(keep="none")
        server.launch_time = int(clock.make().now())
        clock.tick(3)
        await call(hass, "check_health")
        await eventually(lambda: server.hashes == BOTH)
        await settled(hass)
    assert len(server.adds) == 3
    clock.tick(70)
    await work(entry)
    assert not entry.runtime_data.dispatcher.job(info_hash(1))


async def test_deleted_by_the_user_stays_deleted(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    server.torrents.delete([info_hash(1)])
    await call(hass, "check_health")
    await work(entry)
    clock.tick(70)
    await work(entry)
    await settled(hass)
    assert server.hashes == {info_hash(2)}
    assert len(server.adds) == 1
    assert not stored(hass_storage)


async def test_kept_through_a_restart_gets_its_time_anew(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    clock.tick(50)
    await server.restart(keep="all")
    await call(hass, "check_health")
    await settled(hass)
    await work(entry)
    for _ in range(3):
        clock.tick(70)
        await work(entry)
    assert not stored(hass_storage)
    assert len(server.adds) == 1


async def test_down_when_the_time_is_over(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    await server.refuse()
    clock.tick(500)
    await work(entry)
    await call(hass, "check_health")
    await work(entry)
    assert set(stored(hass_storage)) == BOTH
    await server.restart(keep=[info_hash(2)])
    await call(hass, "check_health")
    await eventually(lambda: server.hashes == BOTH)
    assert sent(server).count(info_hash(2)) == 1


async def test_connection_lost_without_a_restart(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    """Away for a while, and meanwhile the user deleted one there."""
    entry = await _delivered(hass, start, server)
    await server.refuse()
    clock.tick(500)
    await work(entry)
    server.torrents.delete([info_hash(1)])
    await server.listen()
    await call(hass, "check_health")
    await eventually(lambda: not stored(hass_storage))
    assert len(server.adds) == 1


async def test_lost_while_home_assistant_restarted(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await server.restart(keep="none")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: server.hashes == BOTH)
    await settled(hass)
    for _ in range(3):
        clock.tick(70)
        await work(entry)
    assert not stored(hass_storage)


async def test_deleted_while_home_assistant_restarted(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    """Only a server that says when it was started lets us know that it was the user."""
    entry = await _delivered(hass, start, server)
    assert await hass.config_entries.async_unload(entry.entry_id)
    server.torrents.delete([info_hash(1)])
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    clock.tick(70)
    await work(entry)
    await settled(hass)
    assert server.hashes == ({info_hash(2)} if server.dialect.tells_launch_time else BOTH)


async def test_kept_through_our_restart_is_not_sent_again(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    await again(hass, entry)
    for _ in range(3):
        clock.tick(70)
        await work(entry)
    assert not stored(hass_storage)
    assert len(server.adds) == 1


async def test_restart_shows_by_launch_time_where_no_session_can_end(
    hass: HomeAssistant, start: Start, clock: FakeClock, socket_enabled: None
) -> None:
    async with FakeQBittorrent(V5_3) as server:
        entry = await start(instance("first", server, api_key=server.new_api_key()))
        assert not server.logins
        await add(hass, link(1), link(2))
        await server.restart(keep="none")
        await call(hass, "check_health")
        clock.tick(70)
        await work(entry)
        await eventually(lambda: server.hashes == BOTH)


@pytest.mark.parametrize("with_key", [False, True])
async def test_restart_within_the_second_of_the_start(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock, with_key: bool
) -> None:
    """The start is told in whole seconds, and two processes may have the same."""
    primary.launch_time = launched = int(clock.make().now())
    keyed = {"api_key": primary.new_api_key()} if with_key else {}
    entry = await start(instance("first", primary, **keyed))
    await add(hass, link(1), link(2))
    await primary.restart(keep="none")
    primary.launch_time = launched
    await call(hass, "check_health")
    clock.tick(10)
    await work(entry)
    await eventually(lambda: primary.hashes == BOTH)


async def test_lost_by_a_restart_just_before_it_is_looked_at(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """With an API key only the start tells, and that says nothing of a process so young."""
    entry = await start(instance("first", primary, api_key=primary.new_api_key()))
    await add(hass, link(1), link(2))
    clock.tick(70)
    await primary.restart(keep="none")
    primary.launch_time = int(clock.make().now())
    await work(entry)
    await eventually(lambda: primary.hashes == BOTH)


async def test_session_that_ran_out_is_no_restart_where_the_launch_time_says_so(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    entry = await _delivered(hass, start, primary)
    primary.torrents.delete([info_hash(1)])
    primary.expire_sessions()
    await call(hass, "check_health")
    clock.tick(70)
    await work(entry)
    await settled(hass)
    assert primary.hashes == {info_hash(2)}


async def test_disk_full_keeps_it_on_the_books(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    server.say_not_saving()
    await call(hass, "check_health")
    for _ in range(12):
        clock.tick(70)
        await call(hass, "check_health")
        await work(entry)
    assert set(stored(hass_storage)) == BOTH
    await server.restart(keep="none")
    await call(hass, "check_health")
    await eventually(lambda: server.hashes == BOTH)


async def test_there_before_on_a_full_disk_is_kept_on_the_books(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    """When it was added is not known, so each failed save may have been its own."""
    entry = await start(instance("first", server))
    server.add(link(1))
    server.say_not_saving()
    await call(hass, "check_health")
    clock.tick(600)
    (one,) = (await add(hass, link(1)))["added"]
    assert one["status"] == "already_present"
    clock.tick(70)
    await work(entry)
    assert set(stored(hass_storage)) == {info_hash(1)}
    await server.restart(keep="none")
    await call(hass, "check_health")
    await eventually(lambda: server.hashes == {info_hash(1)})


@pytest.mark.usefixtures("impatient")
async def test_log_that_could_not_be_read_keeps_it_on_the_books(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    """One check without an answer changes no status, but says nothing of what failed either."""
    entry = await _delivered(hass, start, server)
    server.say_not_saving()
    server.faults.hang("transfer/info", times=1)
    clock.tick(70)
    await work(entry)
    server.faults.clear()
    assert set(stored(hass_storage)) == BOTH
    await call(hass, "check_health")
    await server.restart(keep="none")
    await call(hass, "check_health")
    await eventually(lambda: server.hashes == BOTH)


async def test_lost_after_a_call_without_queue(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, clock: FakeClock
) -> None:
    """It was told to be added: what it takes to make that true is done."""
    await start(instance("first", server))
    assert (await add(hass, link(1), queue=False))["added"]
    await server.restart(keep="none")
    await call(hass, "check_health")
    await eventually(lambda: server.hashes == {info_hash(1)})


async def test_lost_goes_to_whoever_is_usable(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await start(instance("second", secondary), instance("first", primary, priority=2))
    await add(hass, link(1))
    await secondary.restart(keep="none")

    def look(received: Received) -> None:
        if received.endpoint == "torrents/info":
            secondary.faults.answer(503, endpoint="torrents/add")

    on_request(secondary, look)
    await call(hass, "check_health")
    await eventually(lambda: primary.hashes == {info_hash(1)})
    assert not secondary.hashes


async def test_already_present_is_watched_as_well(
    hass: HomeAssistant, start: Start, clock: FakeClock, socket_enabled: None
) -> None:
    """Another program may have added it a moment ago."""
    async with FakeQBittorrent(V4_5) as server:
        await start(instance("first", server))
        server.add(link(1))
        (one,) = (await add(hass, link(1)))["added"]
        assert one["status"] == "already_present"
        await server.restart(keep="none")
        await call(hass, "check_health")
        await eventually(lambda: server.hashes == {info_hash(1)})
