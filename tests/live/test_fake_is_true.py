"""The fake answers as the real servers do: each scenario is run against both and compared."""

import asyncio
from collections.abc import AsyncIterator, Callable
from copy import replace
import json

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
import pytest

from tests.support.fake import DIALECTS, Dialect, FakeQBittorrent
from tests.support.fake.probe import Probe, Target
from tests.support.fake.scenarios import SCENARIOS, Scenario
from tests.support.harness.qbittorrent import VERSIONS, QBittorrent

_DEFAULTS = {
    "add_stopped_enabled": False,
    "auto_tmm_enabled": False,
    "bypass_local_auth": False,
    "queueing_enabled": False,
    "start_paused_enabled": False,
    "web_ui_ban_duration": 3600,
    "web_ui_csrf_protection_enabled": True,
    "web_ui_domain_list": "*",
    "web_ui_host_header_validation_enabled": True,
    "web_ui_session_timeout": 3600,
}


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """Give a client without a memory for cookies."""
    connector = TCPConnector(ssl=False)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as client:
        yield client


async def _reset(server: QBittorrent, session: ClientSession) -> None:
    """Bring a real server back to what a new one is like."""
    probe = Probe(_real(server), session)
    await probe.login()
    await probe.post("app/setPreferences", {"json": json.dumps(_DEFAULTS)})
    await probe.post("torrents/delete", {"hashes": "all", "deleteFiles": "false"})
    names = json.loads(await probe.get("torrents/categories"))
    await probe.post("torrents/removeCategories", {"categories": "\n".join(names)})
    tags = json.loads(await probe.get("torrents/tags"))
    await probe.post("torrents/deleteTags", {"tags": ",".join(tags)})
    while json.loads(await probe.get("torrents/info")):
        await asyncio.sleep(0.02)
    await probe.post("auth/logout")


def _real(server: QBittorrent) -> Target:
    """Describe a real server."""

    async def restart() -> None:
        await asyncio.sleep(1.1)
        await asyncio.to_thread(server.restart)

    async def freeze() -> None:
        server.freeze()

    async def thaw() -> None:
        server.thaw()

    return Target(server.url, server.username, server.password, 2, restart, freeze, thaw)


def _fake(server: FakeQBittorrent) -> Target:
    """Describe the fake."""

    async def restart() -> None:
        await server.restart()

    async def freeze() -> None:
        server.freeze()

    settings = server.settings
    return Target(server.url, settings.username, settings.password, 0, restart, freeze, server.thaw)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_same_answers(
    real_servers: list[QBittorrent], session: ClientSession, name: str
) -> None:
    """Both servers answer alike, in each build; all at a time, as most of it is waiting."""
    await asyncio.gather(*(_reset(one, session) for one in real_servers))
    await _compare(real_servers, session, SCENARIOS[name])


async def test_same_answers_over_https(
    start_server: Callable[..., QBittorrent], session: ClientSession
) -> None:
    """The cookie is marked as secure, and plain HTTP is not answered."""

    async def scenario(probe: Probe) -> None:
        await SCENARIOS["log_in_and_out"](probe)
        await probe.login()
        probe.target = replace(probe.target, url=probe.target.url.replace("https:", "http:"))
        await probe.send("POST", "auth/login", data={"x": "1"})

    await _compare([start_server(suite, https=True) for suite in VERSIONS], session, scenario)


async def _compare(servers: list[QBittorrent], session: ClientSession, scenario: Scenario) -> None:
    """Run a scenario against real servers and the fakes of their versions."""
    different = await asyncio.gather(*(_differences(one, session, scenario) for one in servers))
    assert not any(different), "\n".join(line for lines in different for line in lines)


async def _differences(
    server: QBittorrent, session: ClientSession, scenario: Scenario
) -> list[str]:
    """Run a scenario against a real server and the fake of its version; tell what differs."""
    dialect = await _dialect(server, session)
    https = server.url.startswith("https:")
    async with FakeQBittorrent(
        dialect, https=https, username=server.username, password=server.password
    ) as stand_in:
        real, fake = Probe(_real(server), session), Probe(_fake(stand_in), session)
        await asyncio.gather(scenario(real), scenario(fake))
    different = [_difference(*pair) for pair in zip(real.notes, fake.notes, strict=True)]
    return [f"{server.version} {one}" for one in different if one]


async def _dialect(server: QBittorrent, session: ClientSession) -> Dialect:
    """Return the dialect of a server, by its version and that of its libtorrent."""
    probe = Probe(_real(server), session)
    await probe.login()
    build = json.loads(await probe.get("app/buildInfo"))
    await probe.post("auth/logout")
    return next(
        entry
        for entry in DIALECTS
        if (entry.name, entry.build["libtorrent"]) == (server.version, build["libtorrent"])
    )


def _is_cookie_set_again(real: tuple[object, ...], fake: tuple[object, ...]) -> bool:
    """Tell whether the same cookie was set once more; 5.3 does so at moments of its own."""
    cookie = 6
    return (
        len(real) == len(fake) > cookie
        and not fake[cookie]
        and "QBT_SID" in str(real[cookie])
        and (*real[:cookie], "", *real[cookie + 1 :]) == fake
    )


def _difference(real: tuple[object, ...], fake: tuple[object, ...]) -> str:
    """Tell how two notes about one request differ."""
    if real == fake or _is_cookie_set_again(real, fake):
        return ""
    asked, texts = real[:3], [str(note[3:]) for note in (real, fake)]
    same = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), 0)
    start = max(same - 80, 0)
    return "\n".join([f"{asked}", *(f"    {text[start : start + 400]}" for text in texts)])
