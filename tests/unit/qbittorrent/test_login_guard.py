"""When a log-in may be tried, alone and in a connection."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.dialect import LOGIN
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    BannedError,
    LoginError,
    ServerError,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.login_guard import (
    BAN_PAUSE_SECONDS,
    FUTILE_SECONDS,
    LoginGuard,
)
from tests.support.core import Http, Time, TimedServer, failure, transfer


def _hopeless(login_guard: LoginGuard, now: float) -> type[ServerError] | None:
    try:
        login_guard.raise_if_pointless(now)
    except ServerError as err:
        return type(err)
    return None


def test_refused_for_ever() -> None:
    login_guard = LoginGuard()
    assert _hopeless(login_guard, 0) is None
    assert isinstance(login_guard.refuse("wrong"), LoginError)
    for now in (0, 1e12):
        assert _hopeless(login_guard, now) is LoginError


def test_pauses_grow_until_we_are_let_in() -> None:
    login_guard = LoginGuard()
    first, longest = BAN_PAUSE_SECONDS
    now = 0.0
    for pause in (first, 600, 1200, 2400, longest, longest):
        assert isinstance(login_guard.ban(now), BannedError)
        assert _hopeless(login_guard, now + pause - 1) is BannedError
        now += pause
        assert _hopeless(login_guard, now) is None
    login_guard.succeeded()
    login_guard.ban(now)
    assert _hopeless(login_guard, now + first) is None


def test_sessions_opened_in_vain_leave_room_for_others() -> None:
    """A session lives an hour, and 5.3 throws out the oldest of 15."""
    assert 3600 / FUTILE_SECONDS + 1 < 15


def test_in_vain_is_for_what_was_asked_only() -> None:
    login_guard = LoginGuard()
    login_guard.record_futile("a", 100)
    assert login_guard.is_futile("a", 100 + FUTILE_SECONDS - 1)
    assert not login_guard.is_futile("a", 100 + FUTILE_SECONDS)
    assert not login_guard.is_futile("b", 100)


def test_one_log_in_without_an_answer_is_nothing() -> None:
    login_guard = LoginGuard()
    login_guard.unanswered(0)
    assert not login_guard.is_futile(LOGIN, 0)
    login_guard.unanswered(0)
    assert login_guard.is_futile(LOGIN, 0)
    login_guard.succeeded()
    assert not login_guard.is_futile(LOGIN, 0)


@pytest.mark.parametrize("after", [False, True])
async def test_lost_answers_to_a_wrong_password_end_in_no_ban(
    server: TimedServer, http: Http, time: Time, *, after: bool
) -> None:
    """The server may count each as a failure, and bans at the fifth."""
    server.faults.cut("auth/login", after=after)
    connection = http.connection(server, password="wrong")
    for _ in range(20):
        assert await failure(connection.open()) == ("unreachable", True)
        time.seconds += 30
        if len(server.logins) == 2:
            break
    for _ in range(9):
        assert await failure(connection.open()) == ("error", False)
        time.seconds += 30
    assert len(server.logins) == 2


async def test_session_outlives_the_host_check(server: TimedServer, http: Http) -> None:
    """What it refuses by 401 is the address, not the session."""
    connection = http.connection(server)
    await connection.open()
    for _ in range(5):
        server.faults.answer(401, "Unauthorized")
        assert await failure(transfer(connection)) == ("host_rejected", False)
        server.faults.clear()
        assert await transfer(connection) == 200
    assert (len(server.logins), connection.renewals) == (1, 0)


@pytest.mark.parametrize("bypass", [False, True])
async def test_restart_behind_the_host_check_is_noticed(
    server: TimedServer, http: Http, *, bypass: bool
) -> None:
    server.settings.local_host_auth = not bypass
    connection = http.connection(server)
    assert await transfer(connection) == 200
    server.faults.answer(401, "Unauthorized")
    assert await failure(transfer(connection)) == ("host_rejected", False)
    server.faults.clear()
    await server.restart()
    assert await transfer(connection) == 200
    assert connection.renewals == 1


async def test_twenty_calls_share_a_log_in_that_is_in_vain(
    server: TimedServer, http: Http, time: Time
) -> None:
    connection = http.connection(server)
    assert await transfer(connection) == 200
    server.faults.answer(403, "no", endpoint="transfer/info")
    for _ in range(3):
        outcomes = await asyncio.gather(*(failure(transfer(connection)) for _ in range(20)))
        assert set(outcomes) == {("error", False)}
        time.seconds += 90
    assert len(server.logins) == 2
    time.seconds += FUTILE_SECONDS
    await failure(transfer(connection))
    assert len(server.logins) == 3
