"""What is logged: down and up once, nothing at every poll, whatever the kind of down."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import logging
import re

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, status_of
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    instance,
    link,
    pass_time,
    poll,
    settled,
)
from tests.support.disk_faults import disk_full
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent

pytestmark = [pytest.mark.usefixtures("socket_enabled"), pytest.mark.few_dialects]

OURS = "custom_components.qbittorrent_resilient"
POLLS = 24

type Act = Callable[[FakeQBittorrent], Awaitable[object]]


@pytest.fixture
async def server(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return a server of each version."""
    async with FakeQBittorrent(dialect) as server:
        yield server


def said(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """Return what was logged since the last time: by us at `level`, by others from warnings on.

    What asyncio says of slow callbacks is about the machine that runs the test, and that the
    integration is not one of Home Assistant's own is no news.
    """
    found = [
        re.sub(r"(?<= is not usable: )(\w+) \(.+\)$", r"\1", one.getMessage())
        for one in caplog.records
        if one.levelno >= (level if one.name.startswith(OURS) else logging.WARNING)
        and not one.name.startswith("aiohttp_fast_zlib")
        and one.name not in ("asyncio", "homeassistant.loader")
    ]
    caplog.clear()
    return found


async def _be_ok(server: FakeQBittorrent) -> None:
    """Change nothing."""


async def _refuse(server: FakeQBittorrent) -> None:
    await server.refuse()


async def _cut(server: FakeQBittorrent) -> None:
    server.faults.cut()


async def _fail(server: FakeQBittorrent) -> None:
    server.faults.answer(502, "<html>", "text/html")


async def _reject_host(server: FakeQBittorrent) -> None:
    server.faults.answer(401, "Unauthorized")


async def _change_password(server: FakeQBittorrent) -> None:
    server.settings.password = "another one"
    server.expire_sessions()


async def _ban(server: FakeQBittorrent) -> None:
    server.settings.ban_duration = 1e9
    server.ban()
    server.expire_sessions()


async def _disconnect(server: FakeQBittorrent) -> None:
    server.launch_time -= 3600
    server.journal._messages.clear()
    server.connection_status = "disconnected"


async def _fill_disk(server: FakeQBittorrent) -> None:
    server.say_not_saving()


KINDS: dict[str, Act] = {
    "ok": _be_ok,
    "unreachable": _refuse,
    "error": _fail,
    "host_rejected": _reject_host,
    "auth_failed": _change_password,
    "banned": _ban,
    "disconnected": _disconnect,
    "not_saving": _fill_disk,
}


@pytest.mark.usefixtures("vpn")
@pytest.mark.parametrize("status", KINDS)
async def test_nothing_is_logged_at_every_poll(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    status: str,
) -> None:
    """With magnets that wait, too."""
    caplog.set_level(logging.DEBUG)
    await start(instance("first", server))
    assert said(caplog) == ["First is ok"]
    await KINDS[status](server)
    await poll(hass)
    assert status_of(hass, "first") == status
    assert said(caplog) == ([] if status == "ok" else [f"First is not usable: {status}"])
    await add(hass, link(1))
    for _ in range(POLLS):
        await poll(hass)
        assert status_of(hass, "first") == status
    await call(hass, "retry_queue")
    await call(hass, "check_health")
    assert said(caplog) == []


@pytest.mark.usefixtures("vpn", "impatient")
async def test_silence_is_logged_once(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(instance("first", server))
    said(caplog)
    server.freeze()
    for _ in range(2):
        await call(hass, "check_health")
    assert status_of(hass, "first") == "timeout"
    assert said(caplog) == ["First is not usable: timeout"]
    for _ in range(5):
        await call(hass, "check_health")
    assert said(caplog) == []
    await server.thaw()
    await call(hass, "check_health")
    assert said(caplog) == ["First is ok"]


@pytest.mark.usefixtures("vpn")
async def test_from_one_kind_of_down_to_the_next(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    secondary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each instance by its name, down once and up once, whatever comes in between."""
    await start(instance("first", server), instance("second", secondary, priority=2))
    assert sorted(said(caplog)) == ["First is ok", "Second is ok"]
    await secondary.refuse()
    for act in (_fail, _reject_host, _cut, _fail, _cut, _reject_host) * 5:
        server.faults.clear()
        await act(server)
        await poll(hass)
        assert status_of(hass, "first") in ("error", "host_rejected", "unreachable")
    assert sorted(said(caplog)) == [
        "First is not usable: error",
        "Second is not usable: unreachable",
    ]
    server.faults.clear()
    await poll(hass)
    assert said(caplog) == ["First is ok"]


@pytest.mark.parametrize("permitted", [True, False])
async def test_vpn_is_logged_once(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    vpn: FakeVpn,
    caplog: pytest.LogCaptureFixture,
    *,
    permitted: bool,
) -> None:
    await start(instance("first", server, requires_vpn=True), targets=(TARGET,))
    assert sorted(said(caplog)) == ["First is ok", "The VPN is up"]
    vpn.up, vpn.permitted = False, permitted
    for _ in range(5):
        await poll(hass)
    down = (
        f"The VPN is down ({TARGET}: no answer)"
        if permitted
        else "The VPN cannot be watched: this host permits no ICMP socket"
    )
    assert said(caplog) == [down]
    for _ in range(POLLS):
        await poll(hass)
    assert status_of(hass, "first") == "vpn_down"
    assert said(caplog) == []
    vpn.up = vpn.permitted = True
    for _ in range(POLLS):
        await poll(hass)
    assert sorted(said(caplog)) == ["First is ok", "The VPN is up"]


async def test_vpn_that_flaps_says_nothing_new_of_a_server_that_is_down(
    hass: HomeAssistant,
    start: Start,
    server: FakeQBittorrent,
    vpn: FakeVpn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(instance("first", server, requires_vpn=True), targets=(TARGET,))
    await server.refuse()
    await poll(hass)
    caplog.clear()
    for _ in range(3):
        for vpn.up in (False, True):
            for _ in range(5):
                await poll(hass)
    assert status_of(hass, "first") == "unreachable"
    assert [one for one in said(caplog) if "First" in one] == []


@pytest.mark.usefixtures("vpn")
async def test_queue_that_cannot_be_written_is_logged_once(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    server: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(instance("first", server))
    await server.refuse()
    await add(hass, link(1), link(2))
    caplog.clear()
    with disk_full():
        await server.listen()
        for _ in range(POLLS):
            clock.tick(30)
            await poll(hass)
            pass_time(hass, 11)
            await settled(hass)
            await call(hass, "retry_queue")
        ours = [
            one.getMessage()
            for one in caplog.records
            if one.name.startswith(OURS) and one.levelno >= logging.WARNING
        ]
        assert len([one for one in ours if "First" not in one]) == 1
