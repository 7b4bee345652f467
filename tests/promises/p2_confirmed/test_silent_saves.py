"""Servers that cannot save and do not say so: resume data in SQLite, on a full disk, since 4.6."""

from collections.abc import AsyncGenerator
from typing import Any, Literal

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.reconciliation import keeping
from tests.support.actions import add, again, call, check, status_of, stored, work
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent

BOTH = {info_hash(1), info_hash(2)}
NOTHING = {"queued": [], "failed": []}


@pytest.fixture
async def server(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return a server of each version that stores its resume data in SQLite."""
    async with FakeQBittorrent(dialect) as server:
        server.resume_data = "SQLite"
        server._begin_process(server.launch_time)
        yield server


async def _restart(
    hass: HomeAssistant, server: FakeQBittorrent, clock: FakeClock, keep: Literal["all", "none"]
) -> None:
    await server.restart(keep=keep)
    server._begin_process(int(clock.make().now()))
    clock.tick(31)
    await check(hass)


async def _delivered(hass: HomeAssistant, start: Start, server: FakeQBittorrent) -> Any:
    entry = await start(instance("first", server))
    assert len((await add(hass, link(1), link(2)))["added"]) == 2
    return entry


async def _pass(hass: HomeAssistant, entry: Any, clock: FakeClock, *seconds: float) -> None:
    """Let time pass as it does: with checks and with the worker."""
    for one in seconds:
        clock.tick(one)
        await check(hass)
        await work(entry)


async def test_lost_on_a_full_disk_is_delivered_again(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, clock: FakeClock
) -> None:
    server.disk_full = True
    entry = await _delivered(hass, start, server)
    await _pass(hass, entry, clock, 70, 3600, 86_400)
    assert await call(hass, "get_queue") == NOTHING
    assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")
    assert status_of(hass, "first") == "ok"
    server.disk_full = False
    await _restart(hass, server, clock, "all")
    await work(entry)
    await eventually(lambda: server.hashes == BOTH)
    await _pass(hass, entry, clock, 70)
    await _restart(hass, server, clock, "all")
    assert server.hashes == BOTH
    await _pass(hass, entry, clock, 70)
    assert not entry.runtime_data.dispatcher.job(info_hash(1))
    assert len(server.adds) == 2


async def test_waits_for_months_beyond_the_expiry_and_a_start_of_home_assistant(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, clock: FakeClock
) -> None:
    server.disk_full = True
    entry = await _delivered(hass, start, server)
    await _pass(hass, entry, clock, 70, 80 * 86_400)
    await server.refuse()
    await _pass(hass, entry, clock, 31, 31)  # down, as it is for each restart
    await server.listen()
    await again(hass, entry)
    await _pass(hass, entry, clock, 31, 70)
    assert await call(hass, "get_queue") == NOTHING
    assert len(server.adds) == 1
    server.disk_full = False
    await _restart(hass, server, clock, "all")
    await work(entry)
    await eventually(lambda: server.hashes == BOTH)


async def test_saved_leaves_the_books_with_the_first_restart(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    entry = await _delivered(hass, start, server)
    await _pass(hass, entry, clock, 70)
    silent = not server.dialect.logs_failed_sqlite
    assert set(stored(hass_storage)) == (BOTH if silent else set())
    await _restart(hass, server, clock, "all")
    await work(entry)
    assert not stored(hass_storage)
    assert len(server.adds) == 1


@pytest.mark.parametrize("home_restarts", [False, True])
async def test_deleted_by_the_user_stays_deleted(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
    home_restarts: bool,
) -> None:
    entry = await _delivered(hass, start, server)
    await _pass(hass, entry, clock, 70)
    server.torrents.delete([info_hash(1)])
    if home_restarts:
        await again(hass, entry)
    await _pass(hass, entry, clock, 31, 900)
    assert info_hash(1) not in stored(hass_storage)
    await _restart(hass, server, clock, "all")
    await _pass(hass, entry, clock, 70)
    assert server.hashes == {info_hash(2)}
    assert len(server.adds) == 1
    assert not stored(hass_storage)


async def test_session_that_ends_proves_no_restart(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    server.disk_full = not server.dialect.logs_failed_sqlite
    entry = await _delivered(hass, start, server)
    await _pass(hass, entry, clock, 70)
    server.expire_sessions()
    await _pass(hass, entry, clock, 31, 70, 900)
    assert set(stored(hass_storage)) == (BOTH if server.disk_full else set())
    assert len(server.adds) == 1


async def test_costs_next_to_nothing(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, clock: FakeClock
) -> None:
    entry = await _delivered(hass, start, server)
    await _pass(hass, entry, clock, 70, 10)
    before = len(server.requests_to("torrents/info"))
    settings = len(server.requests_to("app/preferences"))
    for _ in range(360):
        clock.tick(10)
        await work(entry)
    assert len(server.requests_to("torrents/info")) - before <= 4
    assert len(server.requests_to("app/preferences")) == settings == 1


async def test_files_need_no_restart(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    server.resume_data = "Legacy"
    entry = await _delivered(hass, start, server)
    await _pass(hass, entry, clock, 70)
    assert not stored(hass_storage)


async def test_settings_that_cannot_be_read(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
) -> None:
    """It waits some minutes for them, in case that was passing; then files are assumed."""
    entry = await _delivered(hass, start, server)
    server.faults.answer(502, endpoint="app/preferences")
    await _pass(hass, entry, clock, 70)
    assert set(stored(hass_storage)) == BOTH
    await _pass(hass, entry, clock, 190, 190)
    assert not stored(hass_storage)


async def test_the_number_is_bounded(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(keeping, "MOST_KEPT", 3)
    entry = await start(instance("first", server))
    for number in range(1, 6):
        await add(hass, link(number))
        await _pass(hass, entry, clock, 70)
    kept = [job.info_hash for job in entry.runtime_data.dispatcher.jobs(Stage.KEPT)]
    if server.dialect.logs_failed_sqlite:
        assert kept == []
    else:
        assert kept == [info_hash(number) for number in (3, 4, 5)]
        assert caplog.text.count("are no longer watched") == 1
