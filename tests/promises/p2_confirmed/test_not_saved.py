"""Deliveries that a server cannot save, or that were looked at long ago."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.actions import add, call, status_of, work
from tests.support.common import FakeClock, Start, info_hash, instance, link, settled
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent


@pytest.mark.parametrize("interval", [30, 3600])
async def test_failed_save_is_seen_however_rare_the_checks_are(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock, interval: int
) -> None:
    """It is looked for before a delivery leaves the books."""
    entry = await start(instance("first", primary), options={"scan_interval": interval})
    assert (await add(hass, link(1)))["added"]
    primary.say_not_saving()
    clock.tick(70)
    await work(entry)
    assert status_of(hass, "first") == "not_saving"
    await primary.restart(keep="none")
    primary.launch_time = int(clock.make().now()) - 5
    clock.tick(31)
    for _ in range(2):
        await call(hass, "check_health")
        await work(entry)
    assert primary.hashes == {info_hash(1)}


async def test_unsaved_delivery_is_not_written_again_and_again(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waits for the server's restart, which may be weeks away."""
    entry = await start(instance("first", primary))
    await add(hass, link(1))
    primary.say_not_saving()
    await call(hass, "check_health")
    clock.tick(700)
    await call(hass, "check_health")
    for _ in range(3):
        clock.tick(70)
        await work(entry)
    writes: list[int] = []
    commit = QueueStorage.commit

    async def counted(self: QueueStorage, put: Any, drop: Any) -> None:
        writes.append(len(put))
        await commit(self, put, drop)

    monkeypatch.setattr(QueueStorage, "commit", counted)
    for _ in range(10):
        clock.tick(70)
        await work(entry)
    assert writes == []


async def test_delivery_is_looked_at_before_it_expires(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """Home Assistant was off for longer than a magnet may wait."""
    entry = await start(instance("first", primary), options={"queue_expiry": 1})
    assert (await add(hass, link(1)))["added"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    clock.tick(2 * 86_400)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass)
    await work(entry)
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    assert not entry.runtime_data.dispatcher.job(info_hash(1))


@pytest.mark.few_dialects
@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("sign", ["reload", "session", "at once", "given again"])
async def test_unsaved_delivery_stays_so_where_nobody_knows_of_a_restart(
    hass: HomeAssistant, start: Start, dialect: Dialect, clock: FakeClock, sign: str
) -> None:
    """Home Assistant's own restart, or a session that is gone, does not save it."""
    async with FakeQBittorrent(dialect) as server:
        entry = await start(instance("first", server))
        assert (await add(hass, link(1)))["added"]
        server.say_not_saving()
        await call(hass, "check_health")
        for _ in range(2 if sign in ("reload", "session") else 0):
            clock.tick(700)
            await call(hass, "check_health")
            await work(entry)
        if sign == "reload":
            assert await hass.config_entries.async_reload(entry.entry_id)
            await settled(hass)
        elif sign == "given again":
            clock.tick(601)
            assert (await add(hass, link(1)))["added"]
        else:
            server.expire_sessions()
        for _ in range(4):
            clock.tick(700)
            await call(hass, "check_health")
            await work(entry)
        await server.restart(keep="none")
        server.launch_time = int(clock.make().now()) - 5
        for _ in range(3):
            clock.tick(31)
            await call(hass, "check_health")
            await work(entry)
        assert server.hashes == {info_hash(1)}


@pytest.mark.few_dialects
@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("wrong", ["our clock", "the server's clock"])
async def test_failed_save_is_seen_by_the_next_start_whatever_the_clocks_say(
    hass: HomeAssistant, start: Start, dialect: Dialect, clock: FakeClock, wrong: str
) -> None:
    """It looks days old: our clock is ahead, or the server's was set since."""
    async with FakeQBittorrent(dialect) as server:
        entry = await start(instance("first", server))
        assert (await add(hass, link(1)))["added"]
        assert await hass.config_entries.async_unload(entry.entry_id)
        days = 2 * 86_400
        if wrong == "our clock":
            server.say_not_saving()
            clock.tick(days)
        else:
            server.journal.write(f"Couldn't save resume data: {info_hash(1)}", 8, 1_700_000_000)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await settled(hass)
        assert status_of(hass, "first") == ("not_saving" if wrong == "our clock" else "ok")
        for _ in range(4):
            clock.tick(700)
            await call(hass, "check_health")
            await work(entry)
        await server.restart(keep="none")
        server.launch_time = int(clock.make().now()) - 5
        for _ in range(3):
            clock.tick(31)
            await call(hass, "check_health")
            await work(entry)
        assert server.hashes == {info_hash(1)}
