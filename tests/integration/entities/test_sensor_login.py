"""Wrong credentials and bans: what is tried how often."""

from homeassistant.core import HomeAssistant
import pytest

from tests.support.common import FakeClock, Start, instance, poll, settled
from tests.support.fake.dialect import V5_3, Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.states import edges, status

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")


async def test_wrong_password_is_tried_once(
    hass: HomeAssistant, start: Start, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeQBittorrent(dialect) as server:
        entry = await start(instance("first", server, password="wrong"))
        assert status(hass) == "auth_failed"
        for _ in range(50):
            await poll(hass)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await settled(hass)
        await poll(hass)
        assert status(hass) == "auth_failed"
        assert len(server.logins) == 1
        # Once before the reload, once after it, whatever happened in between.
        assert edges(caplog) == ["First is not usable: auth_failed"] * 2


async def test_password_changed_on_the_server(
    hass: HomeAssistant, start: Start, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.settings.password = "new"
        await poll(hass)
        assert status(hass) == "ok"  # its session holds
        server.expire_sessions()
        for _ in range(10):
            await poll(hass)
            assert status(hass) == "auth_failed"
        assert len(server.logins) == 2


async def test_new_credentials_are_tried(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary, password="wrong"))
    first = entry.subentries["first"]
    for password, word in (("wrong too", "auth_failed"), ("secret", "ok")):
        data = {**first.data, "password": password}
        hass.config_entries.async_update_subentry(entry, first, data=data)
        await settled(hass)
        await poll(hass)
        assert status(hass) == word
    assert len(primary.logins) == 3


async def test_api_key_is_refused(hass: HomeAssistant, start: Start) -> None:
    async with FakeQBittorrent(V5_3) as server:
        key = server.new_api_key()
        await start(instance("first", server, api_key=key))
        assert status(hass) == "ok"
        server.new_api_key()
        await poll(hass)
        assert status(hass) == "auth_failed"
        server.record.clear()
        for _ in range(10):
            await poll(hass)
        assert status(hass) == "auth_failed"
        assert not server.requests


async def test_log_in_wanted_where_none_is_known(
    hass: HomeAssistant, start: Start, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server, username="", password=""))
        for _ in range(10):
            assert status(hass) == "auth_failed"
            await poll(hass)
        assert not server.logins
        server.settings.local_host_auth = False
        await poll(hass)
        assert status(hass) == "ok"
        assert not server.logins


async def test_banned(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.settings.ban_duration = 1e9
        server.ban()
        await start(instance("first", server))
        assert status(hass) == "banned"
        for minutes in (5, 10, 20, 40, 60, 60):
            attempts = len(server.logins)
            server.record.clear()
            for _ in range(3):
                clock.tick(minutes * 60 / 3 - 5)
                await poll(hass)
                assert status(hass) == "banned"
            assert not server.requests, f"asked within a pause of {minutes} minutes"
            clock.tick(20)
            await poll(hass)
            assert len(server.logins) == 1
            assert attempts
        assert edges(caplog) == ["First is not usable: banned"]
        server.clear_bans()
        clock.tick(3601)
        await poll(hass)
        assert status(hass) == "ok"
        # The next ban starts with the short pause again.
        server.ban()
        server.expire_sessions()
        await poll(hass)
        assert status(hass) == "banned"
        server.clear_bans()
        clock.tick(301)
        await poll(hass)
        assert status(hass) == "ok"
