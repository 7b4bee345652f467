"""A server behind a proxy that wants a login of its own, or headers."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.diagnostics import async_get_config_entry_diagnostics
from custom_components.qbittorrent_resilient.flows.connection_test import async_try_instance
from custom_components.qbittorrent_resilient.settings import settings_from
from tests.support.actions import add, call, hashes, status_of
from tests.support.canaries import SECRET
from tests.support.common import Start, info_hash, instance, link
from tests.support.fake.answer import Answer
from tests.support.fake.dialect import Dialect
from tests.support.fake.proxies import InFront, basic, wants
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

LOGIN = {"proxy_username": "gate", "proxy_password": f"keeper-{SECRET}"}
HEADERS = {"headers": ["CF-Access-Client-Id: me.access", f"CF-Access-Client-Secret: {SECRET}"]}
LOGIN_PAGE = Answer(
    302, b"", "text/html", {"Location": f"https://team.example/cdn-cgi/access/login?kid={SECRET}"}
)
ACCESS = wants({"CF-Access-Client-Id": "me.access", "CF-Access-Client-Secret": SECRET}, LOGIN_PAGE)


@pytest.mark.parametrize(
    ("proxy", "in_front"),
    [(LOGIN, basic("gate", f"keeper-{SECRET}")), (HEADERS, ACCESS)],
    ids=["login", "headers"],
)
async def test_checks_and_adds(
    hass: HomeAssistant,
    start: Start,
    dialect: Dialect,
    proxy: dict[str, Any],
    in_front: InFront,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.in_front = in_front
        entry = await start(instance("first", server, proxy=proxy))
        assert status_of(hass, "first") == "ok"
        response = await add(hass, link(1))
        assert hashes(response["added"]) == [info_hash(1)]
        assert len(server.logins) == 1
        shown = str(await async_get_config_entry_diagnostics(hass, entry))
        assert SECRET not in shown + caplog.text


@pytest.mark.parametrize(
    ("proxy", "in_front", "reason"),
    [
        ({}, basic("gate", "x"), "wants a login of its own"),
        (LOGIN, basic("gate", "x"), "username or password is wrong"),
        ({}, ACCESS, "leads to https://team.example/cdn-cgi/access/login"),
    ],
    ids=["no login", "wrong login", "no headers"],
)
async def test_refused(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    proxy: dict[str, Any],
    in_front: InFront,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is an error that the log explains; neither qBittorrent's settings nor login is blamed."""
    primary.in_front = in_front
    entry = await start(instance("first", primary, proxy=proxy))
    await call(hass, "check_health")
    assert status_of(hass, "first") == "error"
    assert reason in caplog.text
    assert SECRET not in caplog.text
    assert not hass.config_entries.flow.async_progress()
    assert not primary.logins
    shown = str(await async_get_config_entry_diagnostics(hass, entry))
    assert SECRET not in shown
    assert "team.example" not in shown


async def test_refused_when_it_is_tried(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    """The form says so."""
    primary.in_front = basic("gate", "x")
    data = {"url": primary.url, "username": "admin", "password": "secret", "proxy": LOGIN}
    settings = settings_from("", "Name", data)
    assert (await async_try_instance(hass, settings, verify_ssl=True)).error == "proxy_auth_failed"
    primary.in_front = basic("gate", LOGIN["proxy_password"])
    assert (await async_try_instance(hass, settings, verify_ssl=True)).error is None
