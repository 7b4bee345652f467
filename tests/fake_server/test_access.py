"""The fake lets in whom each version lets in, and answers the others as it does."""

import time

import pytest

from tests.support.fake import Dialect, FakeQBittorrent
from tests.support.fake.access import BANNED_TEXT

from .conftest import Client


async def test_log_in(stranger: Client, dialect: Dialect) -> None:
    """Good and bad, with each version's status, text and cookie."""
    assert (await stranger.get("app/version")).status == 403
    bad = await stranger.login("wrong")
    good = await stranger.login()
    port = stranger.server.port
    expected = {
        "4": ((200, "Fails."), (200, "Ok."), "SID", "HttpOnly; path=/; SameSite=Strict"),
        "5": ((200, "Fails."), (200, "Ok."), "SID", "HttpOnly; SameSite=Strict; path=/"),
        "5.2": ((401, "Unauthorized"), (204, ""), f"QBT_SID_{port}", "HttpOnly; SameSite=Lax; "),
    }["5.2" if dialect.name >= "5.2" else dialect.name[0]]
    assert (bad.status, bad.text) == expected[0]
    assert "Set-Cookie" not in bad.headers
    assert (good.status, good.text) == expected[1]
    assert stranger.cookie.partition("=")[0] == expected[2]
    assert good.headers["Set-Cookie"].partition("; ")[2].startswith(expected[3])
    assert (await stranger.get("app/version")).text == f"v{dialect.name}"
    assert (await stranger.login("wrong")).status == expected[1][0]
    assert len(stranger.server.logins) == 3


async def test_ban(stranger: Client, dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five bad log-ins are answered as such, the sixth and any good one with the ban."""
    server = stranger.server
    answers = [(await stranger.login("wrong")).status for _ in range(6)]
    assert answers == [dialect.login_refused_status] * 5 + [403]
    banned = await stranger.login()
    assert (banned.status, banned.text) == (403, BANNED_TEXT)
    after = time.time() + server.settings.ban_duration + 1
    monkeypatch.setattr(time, "time", lambda: after)
    assert (await stranger.login()).status == dialect.login_status
    stranger.cookie = ""
    server.ban()
    assert (await stranger.login()).status == 403
    server.clear_bans()
    assert (await stranger.login()).status == dialect.login_status


async def test_sessions_end(
    client: Client, dialect: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On demand, by time, by log-out, and by number where there is a limit."""
    client.server.expire_sessions()
    assert (await client.get("app/version")).status == 403
    await client.login()
    after = time.time() + client.server.settings.session_timeout + 1
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: after)
        assert (await client.get("app/version")).status == 403
    await client.login()
    assert (await client.post("auth/logout")).status == 200
    assert (await client.get("app/version")).status == 403
    client.cookie = ""
    await client.login()
    first = client.cookie
    for _ in range(15):
        client.cookie = ""
        await client.login()
    client.cookie = first
    limited = dialect.name >= "5.3"
    assert (await client.get("app/version")).status == (403 if limited else 200)


async def test_no_log_in_needed(stranger: Client) -> None:
    """Every request without a cookie opens a session and gets one."""
    stranger.server.settings.local_host_auth = False
    answers = [await stranger.get("app/version") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert len({answer.headers["Set-Cookie"] for answer in answers}) == 3
    stranger.cookie = answers[0].headers["Set-Cookie"].partition(";")[0]
    assert "Set-Cookie" not in (await stranger.get("app/version")).headers
    assert len(stranger.server.access.sessions) == 3


async def test_api_key(stranger: Client, dialect: Dialect) -> None:
    """A key opens 5.2 and newer; it is not counted as a log-in."""
    key = stranger.server.new_api_key()
    assert key.startswith("qbt_")
    assert len(key) == 32
    good = await stranger.get("app/version", Authorization=f"Bearer {key}")
    assert good.status == (200 if dialect.name >= "5.2" else 403)
    for _ in range(7):
        wrong = await stranger.get("app/version", Authorization="Bearer wrong")
        assert wrong.status == 403
    assert (await stranger.login()).status == dialect.login_status


@pytest.mark.parametrize(
    ("header", "value", "passes"),
    [
        ("Host", "127.0.0.1", True),
        ("Host", "name.example", True),
        ("Host", "127.0.0.1:{port}", True),
        ("Host", "127.0.0.1:1", False),
        ("Origin", "http://127.0.0.1:{port}", True),
        ("Origin", "https://127.0.0.1:{port}", True),
        ("Origin", "http://127.0.0.1", False),
        ("Origin", "null", False),
        ("Referer", "http://127.0.0.1:{port}/x", True),
        ("Referer", "http://elsewhere:{port}/", False),
    ],
)
async def test_host_and_origin(client: Client, header: str, value: str, *, passes: bool) -> None:
    """Requests that seem to come from or to go elsewhere are refused."""
    text = value.format(port=client.server.port)
    assert (await client.get("app/version", **{header: text})).status == (200 if passes else 401)


async def test_port_mapping(dialect: Dialect, stranger: Client) -> None:
    """A server that thinks it has another port refuses ours, and names its cookie after its own."""
    async with FakeQBittorrent(dialect, own_port=8080) as server:
        client = Client(stranger.session, server)
        assert (await client.login()).status == 401
        form = {"username": "admin", "password": "secret"}
        shown = await client.send("POST", "auth/login", data=form, Host="127.0.0.1")
        assert shown.status == dialect.login_status
        name = "QBT_SID_8080" if dialect.name >= "5.2" else "SID"
        assert shown.headers["Set-Cookie"].startswith(f"{name}=")


async def test_server_domains(client: Client) -> None:
    """Only the listed names and the address pass."""
    client.server.settings.server_domains = "good.example"
    hosts = {"good.example": 200, "127.0.0.1": 200, "localhost": 401, "bad.example": 401}
    assert {host: (await client.get("app/version", Host=host)).status for host in hosts} == hosts
