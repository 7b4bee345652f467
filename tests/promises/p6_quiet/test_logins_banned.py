"""Banned: left alone for a pause that grows from five minutes to an hour, whatever is called."""

import asyncio
from collections.abc import AsyncGenerator

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, every_action, hashes, status_of
from tests.support.common import (
    FakeClock,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    poll,
    settled,
)
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent

pytestmark = [pytest.mark.usefixtures("socket_enabled", "vpn"), pytest.mark.few_dialects]

PAUSES = (5, 10, 20, 40, 60, 60)
"""Minutes."""


@pytest.fixture
async def banning(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return a server of each version that has banned this host for good."""
    async with FakeQBittorrent(dialect) as server:
        server.settings.ban_duration = 1e9
        server.ban()
        yield server


async def test_nothing_is_sent_within_the_pause_whatever_is_called(
    hass: HomeAssistant, start: Start, clock: FakeClock, banning: FakeQBittorrent
) -> None:
    await start(instance("first", banning))
    logins = 1
    for number, minutes in enumerate(PAUSES):
        assert len(banning.logins) == logins
        assert status_of(hass, "first") == "banned"
        contacts = len(banning.requests)
        await every_action(hass, 10 * number + 1)
        await asyncio.gather(*(call(hass, "retry_queue") for _ in range(20)))
        clock.tick(minutes * 60 - 10)
        await poll(hass)
        await every_action(hass, 10 * number + 6)
        assert len(banning.requests) == contacts, f"within a pause of {minutes} minutes"
        clock.tick(20)
        await asyncio.gather(*(call(hass, "check_health") for _ in range(20)))
        logins += 1
    assert len(banning.logins) == logins


async def test_after_the_ban_all_is_as_before(
    hass: HomeAssistant, start: Start, clock: FakeClock, banning: FakeQBittorrent
) -> None:
    await start(instance("first", banning))
    response = await add(hass, link(1))
    assert [(one["info_hash"], one["reason"]) for one in response["queued"]] == [
        (info_hash(1), "banned")
    ]
    banning.clear_bans()
    clock.tick(301)
    await poll(hass)
    assert status_of(hass, "first") == "ok"
    await eventually(lambda: banning.hashes == {info_hash(1)})
    assert hashes((await add(hass, link(2)))["added"]) == [info_hash(2)]
    # The next ban begins with the short pause.
    banning.ban()
    banning.expire_sessions()
    await poll(hass)
    assert status_of(hass, "first") == "banned"
    contacts = len(banning.requests)
    clock.tick(290)
    await poll(hass)
    assert len(banning.requests) == contacts
    banning.clear_bans()
    clock.tick(20)
    await poll(hass)
    assert status_of(hass, "first") == "ok"


async def test_session_from_before_the_ban_is_used_on(
    hass: HomeAssistant, start: Start, banning: FakeQBittorrent
) -> None:
    banning.clear_bans()
    await start(instance("first", banning))
    banning.ban()
    for number in range(1, 6):
        await poll(hass)
        assert hashes((await add(hass, link(number)))["added"]) == [info_hash(number)]
    assert len(banning.logins) == 1


async def test_one_banned_the_other_works_on(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    banning: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    await start(instance("first", banning), instance("second", secondary, priority=2))
    for number in range(1, 6):
        ((found,)) = (await add(hass, link(number)))["added"]
        assert found["instance"] == "Second"
        await poll(hass)
    assert len(banning.logins) == len(secondary.logins) == 1


@pytest.mark.parametrize("how", ["reload", "other options"])
async def test_pause_outlives_a_reload(
    hass: HomeAssistant, start: Start, clock: FakeClock, banning: FakeQBittorrent, how: str
) -> None:
    entry = await start(instance("first", banning))
    for number in range(1, 4):
        contacts = len(banning.requests)
        if how == "reload":
            assert await hass.config_entries.async_reload(entry.entry_id)
        else:
            hass.config_entries.async_update_entry(entry, options={"scan_interval": 60 + number})
        await settled(hass)
        await call(hass, "check_health")
        assert status_of(hass, "first") == "banned"
        assert len(banning.requests) == contacts
