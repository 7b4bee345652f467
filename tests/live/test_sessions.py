"""Log-ins: as few as can be, one server's apart from another's, and none that end in a ban."""

import asyncio
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntry
from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import login_guard as patience
from tests.live.common import configure, delivered, fields, health, log_ins, set_up, until_health
from tests.live.conftest import StartServer
from tests.support import flow
from tests.support.actions import add, again, call
from tests.support.common import info_hash, link
from tests.support.harness.qbittorrent import VERSIONS, QBittorrent
from tests.support.harness.qbittorrent_client import Client


@pytest.mark.parametrize("suites", [("bookworm", "bookworm"), ("trixie", "forky")])
async def test_two_on_one_address(
    hass: HomeAssistant, start_server: StartServer, suites: tuple[str, str]
) -> None:
    first, second = (start_server(suite, password=f"of {suite}") for suite in suites)
    entry = await set_up(hass, fields(first), fields(second, "Second"))
    for number in range(1, 6):
        for _ in range(4):
            assert await health(hass) == {"First": "ok", "Second": "ok"}
        response = await add(hass, link(number))
        assert response["added"][0]["instance"] == "First"
    first.kill()
    for number in range(6, 11):
        response = await add(hass, link(number), max_retries=0)
        assert response["added"][0]["instance"] == "Second"
        assert await health(hass) == {"First": "unreachable", "Second": "ok"}
    # One in the flow, one to work with, and the test's own.
    assert log_ins(second) == (3, 0)
    assert second.hashes() == {info_hash(number) for number in range(6, 11)}
    first.start()
    assert await health(hass) == {"First": "ok", "Second": "ok"}
    assert log_ins(first) == (2, 0)
    renewals = [one.monitor.client.renewals for one in entry.runtime_data.instances.values()]
    assert renewals == [1, 0]


@pytest.mark.parametrize("end", ["restart", "timeout"])
@pytest.mark.parametrize("suite", VERSIONS, ids=VERSIONS.values())
async def test_session_gone_under_twenty_calls(
    hass: HomeAssistant, start_server: StartServer, suite: str, end: str
) -> None:
    server = start_server(suite)
    entry = await set_up(hass, fields(server))
    assert (await add(hass, link(1)))["added"]
    if end == "restart":
        server.restart()
        log_ins_before = 0
    else:
        configure(server, web_ui_session_timeout=2)
        await asyncio.sleep(2.5)
        log_ins_before = log_ins(server)[0]
    responses = await asyncio.gather(*(add(hass, link(number)) for number in range(2, 22)))
    assert all(one["added"][0]["status"] == "added" for one in responses)
    assert {info_hash(number) for number in range(2, 22)} <= server.hashes()
    renewals = [one.monitor.client.renewals for one in entry.runtime_data.instances.values()]
    assert renewals == [1]
    # One more is that of the test itself, whose session is gone, too.
    own = 1 if end == "restart" else 0
    assert log_ins(server) == (log_ins_before + 1 + own, 0)


@pytest.mark.parametrize("suite", VERSIONS, ids=VERSIONS.values())
async def test_password_changed_while_running(
    hass: HomeAssistant, start_server: StartServer, suite: str
) -> None:
    """That one is out after a single try; the other works on and gets the magnets."""
    server, other = start_server(suite), start_server("trixie" if suite == "forky" else "forky")
    entry = await set_up(hass, fields(server), fields(other, "Second"))
    assert (await add(hass, link(1)))["added"][0]["instance"] == "First"
    configure(server, web_ui_password="another one", web_ui_session_timeout=1)
    server.client = Client(server.url, server.username, "another one")
    await asyncio.sleep(2.1)
    for number in range(2, 7):
        assert (await add(hass, link(number)))["added"][0]["instance"] == "Second"
        assert await health(hass) == {"First": "auth_failed", "Second": "ok"}
        await call(hass, "retry_queue")
    await again(hass, entry)
    assert await health(hass) == {"First": "auth_failed", "Second": "ok"}
    assert log_ins(server)[1] == 1
    assert other.hashes() == {info_hash(number) for number in range(2, 7)}

    form = await _reconfigure(hass, entry, "First")
    form = await _enter(hass, form, fields(server, password="another one", priority=1))
    assert form["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert await health(hass) == {"First": "ok", "Second": "ok"}
    assert (await add(hass, link(7)))["added"][0]["instance"] == "First"
    assert log_ins(server)[1] == 1


async def test_api_key_revoked_while_running(
    hass: HomeAssistant, start_server: StartServer
) -> None:
    server, other = start_server(auth="api_key"), start_server("bookworm")
    entry = await set_up(hass, fields(server), fields(other, "Second"))
    assert (await add(hass, link(1)))["added"][0]["instance"] == "First"
    server.client.call("app/deleteAPIKey", {})
    for number in range(2, 7):
        assert (await add(hass, link(number)))["added"][0]["instance"] == "Second"
        assert await health(hass) == {"First": "auth_failed", "Second": "ok"}
    await again(hass, entry)
    assert await health(hass) == {"First": "auth_failed", "Second": "ok"}
    assert other.hashes() == {info_hash(number) for number in range(2, 7)}


async def test_wrong_password_is_tried_once(hass: HomeAssistant, start_server: StartServer) -> None:
    servers = one_of_each(start_server)
    entry = await set_up(hass, *(fields(server, name) for name, server in servers.items()))
    for server in servers.values():
        configure(server, web_ui_password="another one", web_ui_session_timeout=1)
        server.client = Client(server.url, server.username, "another one")
    await asyncio.sleep(2.1)
    for _ in range(10):
        assert await health(hass) == dict.fromkeys(servers, "auth_failed")
    response = await add(hass, link(1))
    assert response["queued"][0]["reason"] == "auth_failed"
    await again(hass, entry)
    assert await health(hass) == dict.fromkeys(servers, "auth_failed")
    for server in servers.values():
        # It is not banned: the test logs in, from the same address.
        assert server.client.call("app/version") == f"v{server.version}"
        assert log_ins(server)[1] == 1

    for name, server in servers.items():
        form = await _reconfigure(hass, entry, name)
        form = await _enter(hass, form, fields(server, name, password="another one"))
        assert form["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
    assert await health(hass) == dict.fromkeys(servers, "ok")
    await delivered(hass)
    assert [hashes for server in servers.values() if (hashes := server.hashes())] == [
        {info_hash(1)}
    ]


async def test_wrong_password_entered_while_a_session_is_open(
    hass: HomeAssistant, start_server: StartServer
) -> None:
    # With the cookie of an open session qBittorrent takes any password.
    servers = one_of_each(start_server)
    entry = await set_up(hass, *(fields(server, name) for name, server in servers.items()))
    for name, server in servers.items():
        form = await _reconfigure(hass, entry, name)
        for _ in range(2):
            form = await _enter(hass, form, fields(server, name, password="wrong"))
            assert form["errors"] == {"base": "invalid_auth"}
    assert await health(hass) == dict.fromkeys(servers, "ok")
    assert [log_ins(server) for server in servers.values()] == [(3, 2)] * 3


async def test_ban(
    hass: HomeAssistant, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BAN_PAUSE_SECONDS", (9.0, 9.0))
    limits = {"MaxAuthenticationFailCount": "1", "BanDuration": "8", "SessionTimeout": "1"}
    settings = {f"Preferences/WebUI/{key}": value for key, value in limits.items()}
    servers = one_of_each(start_server, settings=settings)
    entry = await set_up(hass, *(fields(server, name) for name, server in servers.items()))
    await asyncio.sleep(1.1)  # the sessions time out
    for server in servers.values():
        wrong = {"username": "admin", "password": "wrong"}
        assert server.client.raw("POST", "auth/login", wrong)[0] in (200, 401)
    for _ in range(10):
        assert await health(hass) == dict.fromkeys(servers, "banned")
    response = await add(hass, link(1))
    assert response["queued"][0]["reason"] == "banned"
    for name, server in servers.items():
        form = await _reconfigure(hass, entry, name)
        form = await _enter(hass, form, fields(server, name))
        assert form["errors"] == {"base": "banned"}

    await until_health(hass, lambda statuses: set(statuses.values()) == {"ok"})
    await delivered(hass)  # to whichever was the first to let us in again
    assert [hashes for server in servers.values() if (hashes := server.hashes())] == [
        {info_hash(1)}
    ]
    # One of the test, one to find out, one in the flow.
    assert [log_ins(server)[1] for server in servers.values()] == [3, 3, 3]


def one_of_each(start_server: StartServer, **options: Any) -> dict[str, QBittorrent]:
    """Start a server of each version; return them under the names of their instances."""
    started = [start_server(suite, **options) for suite in VERSIONS]
    return {f"V{server.version.replace('.', '')}": server for server in started}


async def _reconfigure(hass: HomeAssistant, entry: ConfigEntry, name: str) -> flow.Result:
    (key,) = (one.subentry_id for one in entry.subentries.values() if one.title == name)
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": key},
    )


async def _enter(hass: HomeAssistant, form: flow.Result, entered: flow.Fields) -> flow.Result:
    return await hass.config_entries.subentries.async_configure(form["flow_id"], entered)
