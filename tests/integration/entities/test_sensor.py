"""The status of an instance: each word, what leads to it, and the way back to ok."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.support.common import Start, eventually, instance, pass_time, poll, settled
from tests.support.fake.dialect import V5_3, Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.states import CHECK, edges, endpoints, status

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")


async def test_ok(hass: HomeAssistant, start: Start, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        assert status(hass) == "ok"
        server.record.clear()
        for polls in range(1, 11):
            await poll(hass)
            # Two small requests a check, one session, no list of torrents.
            assert endpoints(server) == CHECK * polls
        assert status(hass) == "ok"


async def test_firewalled_is_ok(hass: HomeAssistant, start: Start, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.connection_status = "firewalled"
        await start(instance("first", server))
        assert status(hass) == "ok"


# What is done to the server, and what is done to make it good again.
FAULTS: dict[str, tuple[str, Callable[[FakeQBittorrent], Any]]] = {
    "cut": ("unreachable", lambda server: server.faults.cut()),
    "proxy": ("error", lambda server: server.faults.login_page()),
    "gateway": ("error", lambda server: server.faults.answer(502, "<html>", "text/html")),
    "busy": ("error", lambda server: server.faults.answer(503, "Service Unavailable")),
    "empty": ("error", lambda server: server.faults.answer(200)),
    "10 MB": ("error", lambda server: server.faults.huge()),
    "other JSON": ("error", lambda server: server.faults.answer(200, "[]", "application/json")),
    "redirect": ("error", lambda server: server.faults.redirect("/login")),
    "404": ("error", lambda server: server.faults.answer(404, "Not Found")),
    "401": ("host_rejected", lambda server: server.faults.answer(401, "Unauthorized")),
}


@pytest.mark.parametrize(("word", "inject"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_definite_answer_counts_at_once(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    word: str,
    inject: Callable[[FakeQBittorrent], Any],
) -> None:
    await start(instance("first", primary))
    assert edges(caplog) == ["First is ok"]
    caplog.clear()
    inject(primary)
    for _ in range(5):
        primary.record.clear()
        await poll(hass)
        assert status(hass) == word
        assert 1 <= len(primary.requests) <= 2
    primary.faults.clear()
    await poll(hass)
    assert status(hass) == "ok"
    assert edges(caplog) == [f"First is not usable: {word}", "First is ok"]
    assert len(primary.logins) <= 1


async def test_unreachable(
    hass: HomeAssistant, start: Start, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        await server.refuse()
        for _ in range(10):
            await poll(hass)
            assert status(hass) == "unreachable"
        await server.listen()
        await poll(hass)
        assert status(hass) == "ok"
        expected = ["First is ok", "First is not usable: unreachable", "First is ok"]
        assert edges(caplog) == expected
        assert len(server.logins) == 1


async def test_unreachable_from_the_start(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    await primary.refuse()
    await start(instance("first", primary))
    assert status(hass) == "unreachable"
    await primary.listen()
    await poll(hass)
    assert status(hass) == "ok"
    assert edges(caplog) == ["First is not usable: unreachable", "First is ok"]
    assert "First is not usable: unreachable (connection refused)" in caplog.messages


async def test_from_one_failure_to_the_next(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    await start(instance("first", primary))
    for status_code, word in ((502, "error"), (401, "host_rejected"), (500, "error")):
        primary.faults.clear()
        primary.faults.answer(status_code, "no")
        await poll(hass)
        assert status(hass) == word
    primary.faults.clear()
    await poll(hass)
    assert edges(caplog) == ["First is ok", "First is not usable: error", "First is ok"]


@pytest.mark.usefixtures("names")
async def test_unknown_name(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start(instance("first", primary, url="http://no-such-host.invalid"))
    assert status(hass) == "unreachable"


async def time_out(hass: HomeAssistant, server: FakeQBittorrent, after: float = 31) -> None:
    """Let the next check go unanswered."""
    before = len(server.requests)
    pass_time(hass, after)
    await eventually(lambda: len(server.requests) > before)
    pass_time(hass, 11)
    await settled(hass)


async def test_timeout(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    await start(instance("first", primary))
    # One silence is no verdict; the next check follows soon.
    primary.freeze()
    await time_out(hass, primary)
    assert status(hass) == "ok"
    await primary.thaw()
    await poll(hass, 3)
    assert status(hass) == "ok"
    # A good answer in between: the next single silence is none either.
    primary.freeze()
    await time_out(hass, primary)
    assert status(hass) == "ok"
    await time_out(hass, primary, after=3)
    assert status(hass) == "timeout"
    for _ in range(3):
        await time_out(hass, primary)
        assert status(hass) == "timeout"
    await primary.thaw()
    await poll(hass)
    assert status(hass) == "ok"
    assert edges(caplog) == ["First is ok", "First is not usable: timeout", "First is ok"]


async def test_session_expired(
    hass: HomeAssistant, start: Start, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.expire_sessions()
        for _ in range(3):
            await poll(hass)
            assert status(hass) == "ok"
        assert len(server.logins) == 2
        await server.restart()
        for _ in range(3):
            await poll(hass)
            assert status(hass) == "ok"
        assert len(server.logins) == 3
        assert edges(caplog) == ["First is ok"]


@pytest.mark.usefixtures("names")
async def test_host_rejected(hass: HomeAssistant, start: Start, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.settings.server_domains = "seedbox.example"
        await start(instance("first", server, url=f"http://localhost:{server.port}"))
        for _ in range(3):
            assert status(hass) == "host_rejected"
            await poll(hass)
        assert not server.logins
        server.settings.server_domains = "*"
        await poll(hass)
        assert status(hass) == "ok"


@pytest.mark.usefixtures("refused_handshakes")
async def test_ssl_error(hass: HomeAssistant, start: Start) -> None:
    async with FakeQBittorrent(V5_3, https=True) as server:
        await start(instance("first", server))
        for _ in range(3):
            assert status(hass) == "ssl_error"
            await poll(hass)
        assert not server.requests


async def test_ssl_error_recovers(hass: HomeAssistant, start: Start) -> None:
    async with FakeQBittorrent(V5_3, https=True) as server:
        await start(instance("first", server, verify_ssl=False))
        assert status(hass) == "ok"
        await server.refuse()
        server.https = False
        await server.listen()
        await poll(hass)
        assert status(hass) == "ssl_error"
        await server.refuse()
        server.https = True
        await server.listen()
        await poll(hass)
        assert status(hass) == "ok"
