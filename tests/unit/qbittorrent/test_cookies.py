"""Which cookies are kept, for how long, and which of them tell of another process."""

from copy import replace
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.cookies import (
    MOST_CHARACTERS,
    MOST_COOKIES,
    changes,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.session import Session
from tests.support.core import Http, Time, TimedServer, transfer
from tests.support.fake import V5_1, Dialect

ID, OTHER_ID = "a+/Z" * 8, "b+/Z" * 8
DATE = "Sun, 29 Nov 2026 18:00:00 GMT"


@pytest.mark.parametrize(
    ("attributes", "date", "kept"),
    [
        ("", None, True),
        ("; Max-Age=0", None, False),
        ("; Max-Age=-1", None, False),
        ("; Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT", None, True),
        ("; Max-Age=0; Expires=Thu, 01 Jan 2099 00:00:00 GMT", DATE, False),
        ("; Max-Age=soon", None, True),
        ("; Expires=Thu, 01 Jan 1970 00:00:00 GMT", None, False),
        ("; Expires=Thu, 01-Jan-1970 00:00:00 GMT", None, False),
        ("; Expires=Sat, 28 Nov 2026 18:00:00 GMT", DATE, False),
        # a server whose clock is wrong: its own date counts, and without one nothing is sure
        ("; Expires=Sun, 29 Nov 2020 19:00:00 GMT", "Sun, 29 Nov 2020 18:00:00 GMT", True),
        ("; Expires=Sun, 29 Nov 2020 19:00:00 GMT", None, True),
        ("; Expires=soon", DATE, True),
        ("; Expires=" + "9" * 200, DATE, True),
    ],
)
def test_deletions(attributes: str, date: str | None, kept: bool) -> None:
    assert changes(["SID=x" + attributes], date) == {"SID": "x" if kept else None}


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (["a=b"], {"a": "b"}),
        ([" a = b c ; HttpOnly"], {"a": "b c"}),
        (["a=b", "a=c", "d="], {"a": "c", "d": ""}),
        (["SID=a+/Z=; path=/; SameSite=Strict"], {"SID": "a+/Z="}),
        (['a="b"'], {"a": '"b"'}),
        (["a", "=b", "", ";", "ü=b", "a=ü", "a b=c", "a=\udcff", "x" * 999 + "=b"], {}),
    ],
)
def test_cookies(headers: list[str], found: dict[str, str]) -> None:
    """As they are, to be sent back as they are."""
    assert changes(headers, None) == found


@pytest.mark.parametrize(
    ("known", "change", "is_another"),
    [
        ({}, {"SID": "a"}, False),
        ({"SID": "a"}, {"SID": "a"}, False),
        ({"SID": "a"}, {"SID": "b"}, True),
        ({"SID": "a"}, {"SID": None}, True),
        ({"SID": "a"}, {"QBT_SID_8080": "b"}, True),
        ({"QBT_SID_8080": "b"}, {"SID": "a"}, True),
        ({"SID": "a", "balance": "1"}, {"balance": "2"}, False),
        ({"SID": "a", "balance": "1"}, {"balance": None}, False),
        ({"SID": "a", "balance": ID}, {"balance": OTHER_ID}, False),
        ({"balance": "1"}, {"balance": "2"}, False),
        ({"MINE": ID, "balance": "1"}, {"balance": "2"}, False),
        ({"MINE": ID, "balance": "1"}, {"MINE": OTHER_ID}, True),
        ({"md5": "0f" * 16}, {"md5": "1f" * 16}, False),
    ],
)
@pytest.mark.parametrize("bypass", [True, False])
def test_sign_of_another_process(
    known: dict[str, str], change: dict[str, Any], is_another: bool, bypass: bool
) -> None:
    """Only a cookie of qBittorrent's own is one, and only where no login is needed."""
    session = Session(dict(known), worked=True, bypass=bypass)
    assert session.take_over(change) is (is_another and bypass)
    gone = {name for name, value in change.items() if value is None}
    assert session.cookies.keys() == (known.keys() | change.keys()) - gone


def test_they_do_not_pile_up() -> None:
    """However many a server sets: its own session is kept, and the latest of the others."""
    session = Session({"SID": "a" * 32})
    for number in range(1000):
        session.take_over({f"x{number}": "y" * 100, f"z{number}": "y" * 10_000})
        assert len(session.cookies) <= MOST_COOKIES
        assert len(session.header) <= MOST_CHARACTERS + 3 * MOST_COOKIES
    assert session.cookies["SID"] == "a" * 32
    assert "x999" in session.cookies
    session.take_over(dict.fromkeys(f"x{number}" for number in range(1000)))
    assert list(session.cookies) == ["SID"]


async def test_a_proxy_that_sets_many(newest: TimedServer, http: Http) -> None:
    """The header stays short enough for every server, and the session goes on."""
    connection = http.connection(newest)
    await connection.open()
    for number in range(100):
        cookie = f"c{number}={'x' * 3000}; Path=/"
        newest.faults.answer(
            200, "{}", endpoint="transfer/info", times=1, headers={"Set-Cookie": cookie}
        )
        assert await transfer(connection) == 200
    assert await transfer(connection) == 200
    assert len(newest.requests[-1].headers["Cookie"]) < 5000
    assert (len(newest.logins), connection.renewals) == (1, 0)


async def test_odd_cookies_are_not_logged(
    newest: TimedServer, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """Else a server could fill the log, some kB a check."""
    headers = {"Set-Cookie": f"c n{'x' * 3000}=x"}
    newest.faults.answer(200, "{}", endpoint="transfer/info", headers=headers)
    assert await transfer(http.connection(newest)) == 200
    assert "xxx" not in caplog.text


async def test_balancer_before_a_server_without_login(
    dialect: Dialect, http: Http, time: Time
) -> None:
    """Its cookie changes with every answer: no sign of a restart, but qBittorrent's own is."""
    async with TimedServer(dialect, time, local_host_auth=False) as server:
        connection = http.connection(server)
        await connection.open()
        for number in range(5):
            server.faults.answer(
                200,
                "{}",
                endpoint="transfer/info",
                times=1,
                headers={"Set-Cookie": f"balance={number}"},
            )
            await transfer(connection)
        assert connection.renewals == 0
        await server.restart()
        await transfer(connection)
        assert connection.renewals == 1


async def test_renamed_cookie_of_a_server_without_login(http: Http, time: Time) -> None:
    """From 4.6 to 5.1 it may be called as one likes, and is known by its look."""
    async with TimedServer(
        replace(V5_1, cookie="MY_SESSION"), time, local_host_auth=False
    ) as server:
        connection = http.connection(server)
        await connection.open()
        await server.restart()
        await transfer(connection)
        assert connection.renewals == 1
