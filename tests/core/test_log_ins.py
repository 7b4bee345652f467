"""When a log-in may be tried, alone and in a connection."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.errors import InstanceError
from custom_components.qbittorrent_resilient.core.models import InstanceStatus
from custom_components.qbittorrent_resilient.core.qbittorrent.dialect import LOG_IN
from custom_components.qbittorrent_resilient.core.qbittorrent.log_ins import (
    BAN_PAUSE_SECONDS,
    IN_VAIN_SECONDS,
    LogIns,
)
from tests.core.common import Http, Time, TimedServer, failure, transfer


def _hopeless(log_ins: LogIns, now: float) -> InstanceStatus | None:
    try:
        log_ins.require_hope(now)
    except InstanceError as err:
        return err.status
    return None


def test_refused_for_ever() -> None:
    log_ins = LogIns()
    assert _hopeless(log_ins, 0) is None
    assert log_ins.refuse("wrong").status is InstanceStatus.AUTH_FAILED
    for now in (0, 1e12):
        assert _hopeless(log_ins, now) is InstanceStatus.AUTH_FAILED


def test_pauses_grow_until_we_are_let_in() -> None:
    log_ins = LogIns()
    first, longest = BAN_PAUSE_SECONDS
    now = 0.0
    for pause in (first, 600, 1200, 2400, longest, longest):
        assert log_ins.ban(now).status is InstanceStatus.BANNED
        assert _hopeless(log_ins, now + pause - 1) is InstanceStatus.BANNED
        now += pause
        assert _hopeless(log_ins, now) is None
    log_ins.let_in()
    log_ins.ban(now)
    assert _hopeless(log_ins, now + first) is None


def test_sessions_opened_in_vain_leave_room_for_others() -> None:
    """A session lives an hour, and 5.3 throws out the oldest of 15."""
    assert 3600 / IN_VAIN_SECONDS + 1 < 15


def test_in_vain_is_for_what_was_asked_only() -> None:
    log_ins = LogIns()
    log_ins.in_vain("a", 100)
    assert log_ins.is_in_vain("a", 100 + IN_VAIN_SECONDS - 1)
    assert not log_ins.is_in_vain("a", 100 + IN_VAIN_SECONDS)
    assert not log_ins.is_in_vain("b", 100)


def test_one_log_in_without_an_answer_is_nothing() -> None:
    log_ins = LogIns()
    log_ins.unanswered(0)
    assert not log_ins.is_in_vain(LOG_IN, 0)
    log_ins.unanswered(0)
    assert log_ins.is_in_vain(LOG_IN, 0)
    log_ins.let_in()
    assert not log_ins.is_in_vain(LOG_IN, 0)


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
    time.seconds += IN_VAIN_SECONDS
    await failure(transfer(connection))
    assert len(server.logins) == 3
