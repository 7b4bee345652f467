"""Log-ins: as few as can be, whatever is polled and called."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import CoreState, HomeAssistant
import pytest

from custom_components import qbittorrent_resilient as integration
from tests.support.actions import add, call, every_action, hashes, sent, status_of
from tests.support.common import Start, eventually, info_hash, instance, link, poll, settled
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import entered

pytestmark = [pytest.mark.usefixtures("socket_enabled", "vpn"), pytest.mark.few_dialects]

QUEUED = "sensor.qbittorrent_resilient_queued_magnets"


@pytest.fixture
async def server(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return a server of each version."""
    async with FakeQBittorrent(dialect) as server:
        yield server


async def test_wrong_password_is_tried_once(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent
) -> None:
    entry = await start(instance("first", server, password="wrong"))
    for number in (1, 5):
        for _ in range(25):
            await poll(hass)
        await every_action(hass, number)
        assert status_of(hass, "first") == "auth_failed"
        assert len(server.logins) == 1
        assert await hass.config_entries.async_reload(entry.entry_id)
        await settled(hass)
    await poll(hass)
    await asyncio.gather(*(call(hass, "check_health") for _ in range(20)))
    assert status_of(hass, "first") == "auth_failed"
    assert len(server.logins) == 1
    assert not server.adds
    assert hass.states.is_state(QUEUED, "8")


async def test_wrong_password_met_by_a_delivery_is_tried_once(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent
) -> None:
    """Twenty calls find out at once that the session is gone and the password another one."""
    entry = await start(instance("first", server))
    server.settings.password = "another one"
    server.expire_sessions()
    server.record.clear()
    responses = await asyncio.gather(*(add(hass, link(one)) for one in range(1, 21)))
    assert {one["queued"][0]["reason"] for one in responses} == {"auth_failed"}
    assert await hass.config_entries.async_reload(entry.entry_id)
    for _ in range(5):
        await poll(hass)
    assert status_of(hass, "first") == "auth_failed"
    assert len(server.logins) == 1


@pytest.mark.parametrize("end", ["expired", "restarted"])
async def test_session_gone_under_twenty_calls(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, end: str
) -> None:
    await start(instance("first", server))
    assert len(server.logins) == 1
    if end == "expired":
        server.expire_sessions()
    else:
        await server.restart()
    responses = await asyncio.gather(*(add(hass, link(one)) for one in range(1, 21)))
    assert [hashes(one["added"]) for one in responses] == [[info_hash(one)] for one in range(1, 21)]
    assert sorted(sent(server)) == [info_hash(one) for one in range(1, 21)]
    assert len(server.logins) == 2


async def _change_password(server: FakeQBittorrent) -> None:
    server.settings.password = "another one"
    server.expire_sessions()


async def _change_password_and_restart(server: FakeQBittorrent) -> None:
    server.settings.password = "another one"
    await server.restart()


@pytest.mark.parametrize("change", [_change_password, _change_password_and_restart])
async def test_password_changed_while_running(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    secondary: FakeQBittorrent,
    change: Callable[[FakeQBittorrent], Awaitable[None]],
) -> None:
    """That one instance is out; the other works on and gets the magnets."""
    entry = await start(instance("first", server), instance("second", secondary, priority=2))
    assert (await add(hass, link(1)))["added"][0]["instance"] == "First"
    await change(server)
    for number in range(2, 7):
        ((found,)) = (await add(hass, link(number)))["added"]
        assert found["instance"] == "Second"
        await poll(hass)
        assert (status_of(hass, "first"), status_of(hass, "second")) == ("auth_failed", "ok")
    assert (len(server.logins), len(secondary.logins)) == (2, 1)
    assert server.hashes == {info_hash(1)}

    first = entry.subentries["first"]
    data = {**first.data, "password": "another one"}
    hass.config_entries.async_update_subentry(entry, first, data=data)
    await settled(hass)
    await eventually(lambda: status_of(hass, "first") == "ok")
    assert (await add(hass, link(7)))["added"][0]["instance"] == "First"


async def test_api_key_revoked_while_running(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    key = primary.new_api_key()
    entry = await start(
        instance("first", primary, api_key=key), instance("second", secondary, priority=2)
    )
    assert (await add(hass, link(1)))["added"][0]["instance"] == "First"
    primary.settings.api_key = ""
    responses = await asyncio.gather(*(add(hass, link(one)) for one in range(2, 22)))
    assert {one["added"][0]["instance"] for one in responses} == {"Second"}
    assert sorted(sent(secondary)) == [info_hash(one) for one in range(2, 22)]
    assert (status_of(hass, "first"), status_of(hass, "second")) == ("auth_failed", "ok")
    await poll(hass)
    primary.record.clear()
    await every_action(hass, 30)
    assert await hass.config_entries.async_reload(entry.entry_id)
    for _ in range(10):
        await poll(hass)
    assert status_of(hass, "first") == "auth_failed"
    assert not primary.requests  # neither the key nor the password instead


@pytest.mark.parametrize("by_flow", [True, False])
async def test_old_session_does_not_hide_a_wrong_password(
    hass: HomeAssistant, start: Start, server: FakeQBittorrent, *, by_flow: bool
) -> None:
    """With the cookie of an open session qBittorrent takes any password."""
    entry = await start(instance("first", server))
    first = entry.subentries["first"]
    if by_flow:
        form = await hass.config_entries.subentries.async_init(
            (entry.entry_id, "instance"),
            context={"source": SOURCE_RECONFIGURE, "subentry_id": "first"},
        )
        form = await hass.config_entries.subentries.async_configure(
            form["flow_id"], entered(server, password="wrong")
        )
        assert form["errors"] == {"base": "invalid_auth"}
        await poll(hass)
        assert status_of(hass, "first") == "ok"
    else:
        data = {**first.data, "password": "wrong"}
        hass.config_entries.async_update_subentry(entry, first, data=data)
        await settled(hass)
        await poll(hass)
        assert status_of(hass, "first") == "auth_failed"
    assert len(server.access.sessions) == 1
    assert [one.form["password"] for one in server.logins] == ["secret", "wrong"]


async def test_reloads_that_cut_a_log_in_off_repeat_it_once_at_most(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may have counted it as a failure; five are a ban."""
    monkeypatch.setattr(integration, "FIRST_LOOK_SECONDS", 0.0)
    primary.faults.hang("auth/login", after=True)
    hass.set_state(CoreState.not_running)
    entry = await start(instance("first", primary, password="wrong"))
    for _ in range(6):
        monitor = entry.runtime_data.instances["first"].monitor
        entry.runtime_data.instances["first"]._async_check_soon()
        before = len(primary.logins)
        await eventually(
            lambda before=before, monitor=monitor: len(primary.logins) > before or monitor.status
        )
        await hass.config_entries.async_reload(entry.entry_id)
    assert len(primary.requests_to("auth/login")) <= 2
