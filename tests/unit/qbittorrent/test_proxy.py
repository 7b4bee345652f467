"""What stands in front of a server: its login, its headers, and where it leads."""

from collections.abc import Callable
import logging
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    InvalidProxyError,
    ProxyAuthError,
    ServerError,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.login_guard import (
    BAN_PAUSE_SECONDS,
    LoginGuard,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.models import (
    AddOptions,
    ServerSettings,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.proxy import (
    check_login,
    parse_headers,
)
from tests.support.common import info_hash, link
from tests.support.core import Http, Time, TimedServer, failure, magnets, transfer
from tests.support.fake import FakeQBittorrent
from tests.support.fake.answer import Answer
from tests.support.fake.proxies import basic, wants

LOGIN = {"proxy_username": "gate", "proxy_password": "kéeper"}
ACCESS = (("CF-Access-Client-Id", "id.access"), ("CF-Access-Client-Secret", "canary-secret"))
ELSEWHERE = Answer(
    302,
    b"",
    "text/html",
    {"Location": "https://team.example/cdn-cgi/login/qbit?token=canary-secret"},
)
FORBIDDEN = Answer(403, b"<html>no</html>", "text/html")


async def refusal(http: Http, server: TimedServer, **fields: Any) -> str:
    """Return what the error says that a connection ends in."""
    with pytest.raises(ServerError) as caught:
        await http.connection(server, **fields).open()
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize("headers", [(), ACCESS])
async def test_login_of_a_proxy(
    server: TimedServer, http: Http, headers: tuple[tuple[str, str], ...]
) -> None:
    """It goes with every request, adds and logins too, beside qBittorrent's own cookie."""
    server.in_front = basic("gate", "kéeper")
    client = http.client(server, headers=headers, **LOGIN)
    await client.vitals()
    await client.add([link(1)], AddOptions())
    assert await client.find(magnets(1)) == {info_hash(1)}
    assert [one.status for one in server.requests if one.status == 401] == []
    assert len(server.logins) == 1
    for one in server.requests:
        assert {name: one.headers.get(name) for name, _ in headers} == dict(headers)


async def test_headers_for_a_proxy(server: TimedServer, http: Http) -> None:
    """As Cloudflare Access wants them; an API key may go with them."""
    server.in_front = wants(dict(ACCESS), ELSEWHERE)
    assert await transfer(http.connection(server, headers=ACCESS)) == 200
    if server.dialect.api_key:
        key = server.new_api_key()
        assert await transfer(http.connection(server, headers=ACCESS, api_key=key)) == 200


async def test_headers_go_to_their_server_only(newest: TimedServer, http: Http, time: Time) -> None:
    newest.in_front = basic("gate", "kéeper")
    async with TimedServer(newest.dialect, time) as other:
        await transfer(http.connection(newest, headers=ACCESS, **LOGIN))
        await transfer(http.connection(other))
        for one in other.requests:
            assert not {"Authorization", *(name for name, _ in ACCESS)} & one.headers.keys()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "wants a login of its own"),
        ({"proxy_username": "gate", "proxy_password": "wrong"}, "username or password is wrong"),
        ({"headers": ACCESS}, "wants a login of its own"),
        ({"api_key": "qbt_" + "k" * 28, **LOGIN}, "cannot be sent beside the API key"),
    ],
    ids=["nothing", "wrong", "headers", "api key"],
)
async def test_refused_by_a_proxy(
    newest: TimedServer, http: Http, fields: dict[str, Any], words: str
) -> None:
    """It is no failed Host check, and says nothing about qBittorrent's password."""
    newest.in_front = basic("gate", "kéeper")
    told = await refusal(http, newest, **fields)
    assert told.startswith("ProxyAuthError")
    assert words in told
    assert newest.logins == []
    assert await failure(http.connection(newest, **fields).open()) == ("error", False)


async def test_wrong_login_of_a_proxy_is_tried_once(
    newest: TimedServer, http: Http, time: Time
) -> None:
    newest.in_front = basic("gate", "kéeper")
    guard = LoginGuard()
    for _ in range(5):
        connection = http.connection(newest, login_guard=guard, **LOGIN | {"proxy_password": "x"})
        assert await failure(connection.open()) == ("error", False)
        assert not connection.refused, "else reauth would ask for qBittorrent's password"
        time.seconds += 86_400
    assert len(newest.requests) == 1


async def test_proxy_that_wants_a_login_is_asked_again(newest: TimedServer, http: Http) -> None:
    """Without a login for it there is nothing to lose: it may have been switched off."""
    connection = http.connection(newest)
    newest.in_front = basic("gate", "kéeper")
    assert await failure(connection.open()) == ("error", False)
    newest.in_front = lambda received: None
    assert await transfer(connection) == 200


async def test_proxy_that_took_the_login_before(
    newest: TimedServer, http: Http, time: Time
) -> None:
    """Its refusal may pass: it is asked again after a pause that grows, and the session holds."""
    newest.in_front = basic("gate", "kéeper")
    connection = http.connection(newest, **LOGIN)
    await connection.open()
    newest.in_front = basic("gate", "other")
    for pause in (BAN_PAUSE_SECONDS[0], BAN_PAUSE_SECONDS[0] * 2):
        asked = len(newest.requests)
        for _ in range(3):
            assert await failure(transfer(connection)) == ("error", False)
        assert len(newest.requests) == asked + 1
        time.seconds += pause
    newest.in_front = basic("gate", "kéeper")
    assert await transfer(connection) == 200
    assert len(newest.logins) == 1


@pytest.mark.parametrize("front", [FORBIDDEN, Answer(407, b"", "text/plain")])
async def test_other_refusals(newest: TimedServer, http: Http, front: Answer, time: Time) -> None:
    """Those of headers, and of a proxy as HTTP means it."""
    newest.in_front = wants({"X-Key": "right"}, front)
    told = await refusal(http, newest, headers=(("X-Key", "wrong"),))
    assert told.startswith("ProxyAuthError")


async def test_login_that_a_proxy_passes_on(newest: TimedServer, http: Http, time: Time) -> None:
    """From 5.3 on qBittorrent takes it for its own: we say so before it bans us."""
    newest.in_front = basic("gate", "kéeper", passes_on=True)
    connection = http.connection(newest, **LOGIN)
    for _ in range(10):
        with pytest.raises(ProxyAuthError, match="takes that for its own"):
            await connection.open()
        time.seconds += 1000
    assert not newest.access.is_banned("127.0.0.1")
    assert len(newest.requests) == 2


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://name.example/login?rd=canary-secret#x", "https://name.example/login"),
        ("/login?next=%2Fapi", "http://127.0.0.1:{port}/login"),
        ("//user:canary-secret@name.example:8443/a", "https?://name.example:8443/a"),
        pytest.param("https://name.example/" + "a" * 1000, r"name.example/\.\.\.,", id="long part"),
        pytest.param(
            "https://name.example/" + "a/" * 1000, r"name.example/[a/]+\.\.\.,", id="long"
        ),
        ("https://name.example/ü\u202e", r"https://name.example/\.\.\.,"),
        ("https://name.example/in/canary7f3a/x", r"https://name.example/in/\.\.\./x,"),
        ("https://name.example/api/v2/app/version", "https://name.example/api/v2/app/version,"),
        ("http://[", "no readable address"),
        ("", "nowhere"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirect_says_where_it_leads(
    newest: TimedServer, http: Http, location: str, place: str, status: int
) -> None:
    """Without its query, and without credentials."""
    headers = {"Location": location.encode().decode("latin-1")} if location else {}
    newest.faults.answer(status, b"", "text/html", headers=headers)
    with pytest.raises(ServerError, match=place.format(port=newest.port)) as caught:
        await http.connection(newest).open()
    told = str(caught.value)
    assert told.startswith(f"status {status}, which leads to ")
    assert "canary" not in told
    assert "rd=" not in told
    assert len(told) < 320
    assert told.isprintable()


@pytest.mark.parametrize(
    "line",
    [
        *("no colon", ": no name", "two words: x", "Nämé: x", "X: ", "X: a\r\nY: b", "X: a\x00"),
        *("X: ü", "X: \ud800", "Host: x", "cookie: x", "Connection: close", "TE: trailers"),
        *("Content-Length: 5", "Transfer-Encoding: chunked", "Origin: http://x", "Referer: x"),
        *("X: " + "x" * 5000, "x" * 200 + ": x", "Upgrade: h2c", "Proxy-Authorization: x"),
    ],
)
def test_refused_headers(line: str) -> None:
    with pytest.raises(InvalidProxyError) as caught:
        parse_headers(["A: b", line])
    assert len(str(caught.value)) < 200


def test_headers() -> None:
    assert parse_headers(["A: b", "", "  ", " X-Key :  a: b c "]) == (
        ("A", "b"),
        ("X-Key", "a: b c"),
    )
    assert parse_headers([]) == ()
    with pytest.raises(InvalidProxyError, match="twice"):
        parse_headers(["A: canary", "a: c"])
    with pytest.raises(InvalidProxyError, match="more than"):
        parse_headers([f"A{number}: b" for number in range(21)])


@pytest.mark.parametrize(
    ("fields", "is_right"),
    [
        ({"username": "a", "password": "b"}, True),
        ({"username": "a:b", "password": "b"}, False),
        ({"username": "a", "password": "b\n"}, False),
        ({"username": "a", "password": "b", "api_key": True}, False),
        ({"headers": [("authorization", "x")]}, True),
        ({"headers": [("authorization", "x")], "api_key": True}, False),
        ({"headers": [("Authorization", "x")], "username": "a", "password": "b"}, False),
        ({"headers": [("X", "x")], "api_key": True}, True),
        ({}, True),
    ],
)
def test_one_authorization(fields: dict[str, Any], is_right: bool) -> None:
    """The API key, the proxy's login and a header of that name exclude each other."""
    known: dict[str, Any] = {"username": "", "password": "", "headers": (), "api_key": False}

    def check() -> None:
        check_login(**known | fields)

    if is_right:
        check()
    else:
        with pytest.raises(InvalidProxyError):
            check()


def test_other_proxy_login_is_tried_again() -> None:
    """What a refusal depends on has them all."""
    known: dict[str, Any] = {"url": "http://x", "proxy_username": "a", "proxy_password": "b"}
    changes: list[dict[str, Any]] = [
        {"proxy_password": "c"},
        {"headers": ACCESS},
        {"url": "http://y"},
    ]
    credentials = {ServerSettings(**known | change).credentials for change in ({}, *changes)}
    assert len(credentials) == 4


async def test_they_stay_secret(
    newest: TimedServer, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither raised, nor printed, nor logged."""
    caplog.set_level(logging.DEBUG)
    fields: dict[str, Any] = {"proxy_username": "canary-name", "proxy_password": "canary-secret"}
    ways: list[Callable[[FakeQBittorrent], object]] = [
        lambda server: None,
        lambda server: setattr(server, "in_front", basic("gate", "x")),
        lambda server: server.faults.cut(),
        lambda server: server.faults.answer(400, "no"),
    ]
    shown = [repr(http.settings(newest, headers=ACCESS, **fields))]
    for way in ways:
        way(newest)
        connection = http.connection(newest, headers=ACCESS, **fields)
        shown.append(repr(connection))
        with pytest.raises(ServerError) as caught:
            await connection.open()
        shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
    assert "canary" not in "".join([*shown, caplog.text])
