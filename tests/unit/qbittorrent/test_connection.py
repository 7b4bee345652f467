"""One session with one server: opened once, renewed when it is gone, never tried in vain."""

import asyncio
from copy import replace
import logging
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import Request
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    GateClosedError,
    ServerError,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from custom_components.qbittorrent_resilient.core.qbittorrent.login_guard import LoginGuard
from tests.support.core import Http, Time, TimedServer, failure, transfer
from tests.support.fake import V4_5, V5_1, V5_3, Dialect

KEY = "qbt_" + "k" * 28
CANARY = "canary-secret"


async def test_one_log_in_for_all(server: TimedServer, http: Http) -> None:
    connection = http.connection(server)
    assert await asyncio.gather(*(transfer(connection) for _ in range(20))) == [200] * 20
    assert len(server.logins) == 1
    assert connection.version == server.dialect.name
    assert connection.renewals == 0


async def test_expired_session_is_renewed_once_for_all(server: TimedServer, http: Http) -> None:
    connection = http.connection(server)
    await connection.open()
    server.expire_sessions()
    assert await asyncio.gather(*(transfer(connection) for _ in range(20))) == [200] * 20
    assert len(server.logins) == 2
    assert connection.renewals == 1


async def test_restarted_server(server: TimedServer, http: Http) -> None:
    connection = http.connection(server)
    await connection.open()
    await server.restart()
    assert await transfer(connection) == 200
    assert (len(server.logins), connection.renewals) == (2, 1)


@pytest.mark.parametrize("at_once", [1, 20])
async def test_wrong_password_is_tried_once(
    server: TimedServer, http: Http, time: Time, at_once: int
) -> None:
    connection = http.connection(server, password="wrong")
    for _ in range(3):
        outcomes = await asyncio.gather(*(failure(transfer(connection)) for _ in range(at_once)))
        assert set(outcomes) == {("auth_failed", False)}
        time.seconds += 1e6
    assert len(server.logins) == 1
    assert connection.refused


async def test_refused_before(server: TimedServer, http: Http) -> None:
    """Not even the version is asked for."""
    login_guard = LoginGuard()
    login_guard.refuse("wrong")
    connection = http.connection(server, login_guard=login_guard)
    assert await failure(connection.open()) == ("auth_failed", False)
    assert server.requests == []


async def test_password_is_checked_without_a_cookie(server: TimedServer, http: Http) -> None:
    """With a valid session qBittorrent accepts any password."""
    await http.connection(server).open()
    assert await failure(http.connection(server, password="wrong").open()) == ("auth_failed", False)


async def test_no_credentials(server: TimedServer, http: Http) -> None:
    connection = http.connection(server, username="", password="")
    assert await failure(connection.open()) == ("auth_failed", False)
    assert server.logins == []
    server.settings.local_host_auth = False
    await connection.open()


async def test_ban(server: TimedServer, http: Http, time: Time) -> None:
    """No contact until the pause is over; it grows, and starts anew after a success."""
    server.settings.ban_duration = 1e9
    server.ban()
    connection = http.connection(server)
    for pause in (300, 600, 1200, 2400, 3600, 3600):
        contacts = len(server.requests)
        assert await failure(connection.open()) == ("banned", False)
        assert len(server.requests) == contacts + 2
        time.seconds += pause - 1
        assert await failure(transfer(connection)) == ("banned", False)
        assert len(server.requests) == contacts + 2
        time.seconds += 1
    server.clear_bans()
    assert await transfer(connection) == 200
    server.ban()
    assert await transfer(connection) == 200, "a session from before the ban works"
    server.expire_sessions()
    assert await failure(transfer(connection)) == ("banned", False)
    contacts = len(server.requests)
    time.seconds += 299
    assert await failure(connection.open()) == ("banned", False)
    assert len(server.requests) == contacts
    server.clear_bans()
    time.seconds += 1
    await connection.open()


async def test_two_servers_on_one_address(dialect: Dialect, http: Http, time: Time) -> None:
    """Up to 5.1 both cookies are called SID, and cookies ignore ports."""
    async with TimedServer(dialect, time) as one, TimedServer(V4_5, time, password="x") as other:
        first, second = http.connection(one), http.connection(other)
        for _ in range(5):
            assert await asyncio.gather(*map(transfer, (first, second))) == [200, 200]
        assert (len(one.logins), len(other.logins)) == (1, 1)
        keys = {*one.access.sessions, *other.access.sessions}
        assert len(keys) == 2
        for server in (one, other):
            foreign = keys - server.access.sessions.keys()
            sent = " ".join(request.headers.get("Cookie", "") for request in server.requests)
            assert not any(key in sent for key in foreign)


@pytest.mark.parametrize(
    ("dialect", "options"),
    [
        (replace(V5_1, cookie="MY_SESSION"), {}),
        (V5_3, {"own_port": 8080}),
        (V4_5, {"own_port": 8080}),
        (V5_3, {"prefix": "/qbit"}),
    ],
    ids=["renamed", "port-mapping", "port-mapping-old", "prefix"],
)
async def test_cookie_is_taken_as_it_comes(
    dialect: Dialect, options: dict[str, Any], http: Http, time: Time
) -> None:
    async with TimedServer(dialect, time, **options) as server:
        connection = http.connection(server)
        for _ in range(3):
            assert await transfer(connection) == 200
        assert len(server.logins) == 1
        assert server.access.cookie_name in server.requests[-1].headers["Cookie"]


async def test_port_mapping(dialect: Dialect, http: Http, time: Time) -> None:
    """The Host header goes without its port from the first refusal on."""
    async with TimedServer(dialect, time, own_port=8080) as server:
        connection = http.connection(server)
        assert await transfer(connection) == 200
        assert [request.status for request in server.requests].count(401) == 1
        server.expire_sessions()
        assert await transfer(connection) == 200
        assert [request.status for request in server.requests].count(401) == 1
        assert server.requests[-1].headers["Host"] == "127.0.0.1"
        assert len(server.logins) == 2


async def test_host_rejected(server: TimedServer, http: Http) -> None:
    """No password goes to a server whose Host check refuses us; it may let us in later."""
    connection = http.connection(server, url=f"http://qbit.example:{server.port}")
    server.settings.server_domains = "other.example"
    for _ in range(2):
        assert await failure(connection.open()) == ("host_rejected", False)
    assert server.logins == []
    assert not connection.refused
    server.settings.server_domains = "other.example;qbit.example"
    assert await transfer(connection) == 200
    assert server.requests[-1].headers["Host"] == f"qbit.example:{server.port}"
    server.settings.server_domains = "other.example"
    assert await failure(transfer(connection)) == ("host_rejected", False)
    server.settings.server_domains = "*"
    assert await transfer(connection) == 200
    assert len(server.logins) == 1  # the session holds whatever the Host check says


@pytest.mark.parametrize("credentials", [{}, {"username": "", "password": ""}])
async def test_log_in_bypass(server: TimedServer, http: Http, credentials: dict[str, Any]) -> None:
    """The session that the server opens by itself is kept: it has room for few."""
    server.settings.local_host_auth = False
    connection = http.connection(server, **credentials)
    for _ in range(50):
        assert await transfer(connection) == 200
    assert len(server.access.sessions) == 1
    assert (len(server.logins), connection.renewals) == (0, 0)
    await server.restart()
    for _ in range(50):
        assert await transfer(connection) == 200
    assert len(server.access.sessions) == 1
    assert (len(server.logins), connection.renewals) == (0, 1)


async def test_api_key(newest: TimedServer, http: Http) -> None:
    """No log-in, no session, and the password stays here."""
    newest.settings.api_key = KEY
    connection = http.connection(newest, api_key=KEY)
    for _ in range(3):
        assert await transfer(connection) == 200
    await newest.restart()
    assert await transfer(connection) == 200
    assert (newest.logins, newest.access.sessions) == ([], {})
    newest.new_api_key()
    assert await failure(transfer(connection)) == ("auth_failed", False)
    contacts = len(newest.requests)
    assert await failure(transfer(connection)) == ("auth_failed", False)
    assert len(newest.requests) == contacts
    assert newest.logins == []


async def test_wrong_api_key(server: TimedServer, http: Http) -> None:
    """Up to 5.1 every key is wrong; it is tried once, and the password not instead."""
    server.settings.api_key = KEY
    connection = http.connection(server, api_key=KEY[:-1] + "x")
    for _ in range(3):
        assert await failure(connection.open()) == ("auth_failed", False)
    assert len(server.requests) == 1
    assert connection.refused


async def test_version_is_public(server: TimedServer, http: Http) -> None:
    """A proxy lets everyone see it; the rest wants a log-in all the same, once."""
    server.faults.answer(200, server.dialect.version, endpoint="app/version")
    connection = http.connection(server)
    for _ in range(3):
        assert await transfer(connection) == 200
    assert len(server.logins) == 1
    server.expire_sessions()
    assert await transfer(connection) == 200
    wrong = http.connection(server, password="wrong")
    for _ in range(3):
        assert await failure(transfer(wrong)) == ("auth_failed", False)
    assert len([one for one in server.logins if one.form["password"] == "wrong"]) == 1


async def test_session_limit(newest: TimedServer, http: Http, time: Time) -> None:
    """Another client's log-ins throw ours out; we come back by ourselves."""
    connection = http.connection(newest)
    await connection.open()
    for _ in range(15):
        time.seconds += 1
        await http.connection(newest).open()
    assert await transfer(connection) == 200
    assert (len(newest.logins), connection.renewals) == (17, 1)


async def test_cookie_is_set_again(newest: TimedServer, http: Http, time: Time) -> None:
    """After half of its life, with the same value: that is no new session."""
    connection = http.connection(newest)
    await connection.open()
    for _ in range(5):
        time.seconds += 2000
        assert await transfer(connection) == 200
    assert (len(newest.logins), connection.renewals) == (1, 0)
    time.seconds += 3601
    assert await transfer(connection) == 200
    assert (len(newest.logins), connection.renewals) == (2, 1)


@pytest.mark.parametrize("fields", [{}, {"api_key": KEY}])
async def test_cookies_of_a_proxy(newest: TimedServer, http: Http, fields: dict[str, Any]) -> None:
    """One that changes with every answer is no sign of a restart."""
    newest.settings.api_key = KEY
    connection = http.connection(newest, **fields)
    for number in range(4):
        newest.faults.answer(
            200, "{}", endpoint="x/y", times=1, headers={"Set-Cookie": f"balance={number}"}
        )
        await connection.request(Request("GET", "x/y"))
    assert connection.renewals == 0
    cookies = newest.requests[-1].headers.get("Cookie", "")
    assert ("balance=2" in cookies) is (not fields)


async def test_log_in_forgotten_at_once(server: TimedServer, http: Http) -> None:
    server.faults.answer(403, "Forbidden", endpoint="transfer/info")
    connection = http.connection(server)
    assert await failure(transfer(connection)) == ("error", False)
    assert len(server.logins) == 2


async def test_failure_is_shared(newest: TimedServer, http: Http) -> None:
    """Whoever waits for another's try does not try again; whoever comes later does."""
    newest.faults.answer(500, endpoint="app/version")
    connection = http.connection(newest)
    for tries in (1, 2):
        outcomes = await asyncio.gather(*(failure(transfer(connection)) for _ in range(20)))
        assert set(outcomes) == {("error", False)}
        assert len(newest.requests) == tries


async def test_cancelled_log_in(newest: TimedServer, http: Http) -> None:
    """Whoever waits tries itself, whatever failed before."""
    connection = http.connection(newest)
    await newest.refuse()
    assert await failure(connection.open()) == ("unreachable", False)
    await newest.listen()
    newest.faults.hang("app/version", times=1)
    first = asyncio.create_task(connection.open())
    while not newest.requests:
        await asyncio.sleep(0.001)
    second = asyncio.create_task(connection.open())
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert len(newest.logins) == 1


async def test_gate(server: TimedServer, http: Http) -> None:
    """It is asked before every request, twice for magnets, and nothing gets past it."""
    asked: list[Content] = []
    closed_at: int | None = None

    async def gate(content: Content) -> None:
        if len(asked) == closed_at:
            raise GateClosedError("closed")
        asked.append(content)

    connection = http.connection(server, gate=gate)
    add = Request("POST", "torrents/add", {"urls": ""}, content=Content.MAGNETS)
    await connection.request(add)
    await transfer(connection)
    adding = [request.endpoint == "torrents/add" for request in server.requests]
    assert adding == [False, False, False, True, False]
    magnets, question, secret = Content.MAGNETS, Content.QUESTION, Content.SECRET
    assert asked == [question, secret, secret, magnets, magnets, question]
    for count in range(6):
        asked.clear()
        server.record.clear()
        closed_at = count
        connection = http.connection(server, gate=gate)
        attempt = connection.request(add)
        if count < 5:
            assert await failure(attempt) == ("vpn_down", False)
        else:
            await attempt
        assert len(server.requests) == (count if count < 4 else count - 1)


async def test_secrets_stay_secret(
    server: TimedServer, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in what is raised, nor in what is printed or logged."""
    caplog.set_level(logging.DEBUG)
    fields: dict[str, Any] = {"username": "user", "password": CANARY, "api_key": ""}
    shown: list[object] = []
    changes: tuple[dict[str, str], ...] = (
        {},
        {"api_key": CANARY},
        {"url": "http://missing.example"},
    )
    for change in changes:
        connection = http.connection(server, **fields | change)
        with pytest.raises(ServerError) as caught:
            await connection.open()
        shown += [connection, connection._settings, caught.value, *_causes(caught.value)]
    server.settings.password, server.settings.username = CANARY, "user"
    connection = http.connection(server, **fields)
    await connection.open()
    shown += [connection, connection._session]
    texts = [f"{one} {one!r}" for one in shown] + [caplog.text]
    cookies = list(server.access.sessions)
    assert len(cookies) == 1
    assert not any(secret in text for text in texts for secret in (CANARY, *cookies))


def _causes(error: BaseException) -> list[BaseException]:
    causes = []
    while (cause := error.__cause__) is not None:
        causes.append(cause)
        error = cause
    return causes
