"""A proxy that answers in the server's place must not make us log in again and again."""

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, hashes, status_of
from tests.support.common import FakeClock, Start, info_hash, instance, link, poll, settled
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent

pytestmark = [pytest.mark.usefixtures("socket_enabled", "vpn"), pytest.mark.few_dialects]

POLLS = 24
MINUTES = POLLS / 2
AT_MOST = 3 + MINUTES / 5
"""The first log-in, one more at the first refusal, and then one in five minutes, begun or over."""

PAGE = "<html>Forbidden</html>"


async def poll_often(hass: HomeAssistant, clock: FakeClock, polls: int = POLLS) -> None:
    """Let so many checks be due, 30 s from one to the next, on every clock."""
    for _ in range(polls):
        clock.tick(30)
        await poll(hass)


@pytest.mark.parametrize("code", [403, 401])
@pytest.mark.parametrize("endpoint", ["transfer/info", "log/main"])
async def test_one_question_is_forbidden(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect, endpoint: str, code: int
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        assert len(server.logins) == 1
        server.faults.answer(code, "no", endpoint=endpoint)
        await poll_often(hass, clock)
        assert status_of(hass, "first") == ("error" if code == 403 else "host_rejected")
        assert len(server.logins) <= (AT_MOST if code == 403 else 1)
        logins = len(server.logins)
        server.faults.clear()
        await poll(hass)
        assert status_of(hass, "first") == "ok"
        assert len(server.logins) == logins  # the session was kept: it was good all along


@pytest.mark.parametrize("code", [403, 401])
async def test_adding_is_forbidden(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect, code: int
) -> None:
    """The instance looks healthy, and a magnet is offered to it again and again."""
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.faults.answer(code, "no", endpoint="torrents/add")
        for number in range(1, 6):
            assert hashes((await add(hass, link(number)))["queued"]) == [info_hash(number)]
            await poll_often(hass, clock, POLLS // 5)
            await call(hass, "retry_queue")
        assert len(server.requests_to("torrents/add")) > 10
        assert len(server.logins) <= AT_MOST
        server.faults.clear()
        await call(hass, "retry_queue")
        assert len(server.torrents) == 5


async def test_everything_but_the_log_in_is_forbidden(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        for endpoint in ("app/version", "transfer/info", "log/main"):
            server.faults.answer(403, "Forbidden", endpoint=endpoint)
        await start(instance("first", server))
        await poll_often(hass, clock)
        assert status_of(hass, "first") == "error"
        assert 0 < len(server.logins) <= AT_MOST
        logins = len(server.logins)
        server.faults.clear()
        await poll(hass)
        assert status_of(hass, "first") == "ok"
        assert len(server.logins) == logins


async def test_server_that_forgets_each_log_in(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.on_request = lambda received: server.expire_sessions()
        await start(instance("first", server))
        await poll_often(hass, clock)
        assert status_of(hass, "first") == "error"
        assert 0 < len(server.logins) <= AT_MOST
        server.on_request = lambda received: None
        clock.tick(300)
        await poll(hass)
        assert status_of(hass, "first") == "ok"


@pytest.mark.parametrize("endpoint", [None, "app/version", "auth/login", "transfer/info"])
@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
async def test_gateway_errors(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    dialect: Dialect,
    endpoint: str | None,
    kind: str,
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.expire_sessions()
        server.faults.answer(502, PAGE, kind, endpoint)
        await poll_often(hass, clock)
        assert status_of(hass, "first") == "error"
        assert len(server.logins) <= AT_MOST
        server.faults.clear()
        clock.tick(300)
        await poll(hass)
        assert status_of(hass, "first") == "ok"


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("endpoint", [None, "app/version", "auth/login"])
async def test_page_of_the_proxy_is_no_refusal(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    dialect: Dialect,
    endpoint: str | None,
    code: int,
) -> None:
    """It says nothing about the password: no reauth, no ban."""
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.expire_sessions()
        server.faults.answer(code, PAGE, "text/html", endpoint)
        await poll_often(hass, clock)
        assert status_of(hass, "first") == "error"
        assert len(server.logins) <= AT_MOST
        server.faults.clear()
        clock.tick(300)
        await poll(hass)
        assert status_of(hass, "first") == "ok"


async def test_lost_session_while_adding_is_forbidden(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    """The pause is for what was refused in vain only: a restart is seen as soon as ever."""
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.faults.answer(403, "no", endpoint="torrents/add")
        await add(hass, link(1))
        await server.restart()
        await poll(hass)
        assert status_of(hass, "first") == "ok"


async def test_public_version(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    """A proxy that lets everyone see the version: it does not tell whether a session holds."""
    async with FakeQBittorrent(dialect) as server:
        server.faults.answer(200, server.dialect.version, endpoint="app/version")
        await start(instance("first", server))
        await poll_often(hass, clock, 5)
        assert status_of(hass, "first") == "ok"
        assert len(server.logins) == 1
        server.faults.answer(403, "no", endpoint="log/main")
        await poll_often(hass, clock)
        assert len(server.logins) <= AT_MOST
        await settled(hass)
