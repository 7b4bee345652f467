"""Passwords, keys and values of headers are stored, and never shown again."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.support.common import Start, instance, settled
from tests.support.fake.answer import Answer
from tests.support.fake.dialect import V5_3
from tests.support.fake.proxies import basic, wants
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import NO_PROXY, Fields, Result, shown
from tests.support.gluetun import FakeGluetun

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

HEADERS = ["CF-Access-Client-Id: canary-id", "X-Secret: canary: b"]
MASKED = ["CF-Access-Client-Id: ••••••", "X-Secret: ••••••"]


async def opened(hass: HomeAssistant, entry: Any) -> Result:
    """Return the form that changes the instance; it holds no secret."""
    form: Result = await entry.start_subentry_reconfigure_flow(hass, "first")
    assert "canary" not in str(shown(form))
    return form


async def sent(hass: HomeAssistant, form: Result, fields: Fields) -> Result:
    result: Result = await hass.config_entries.subentries.async_configure(form["flow_id"], fields)
    await settled(hass)
    return result


async def changed(hass: HomeAssistant, entry: Any, **changes: Any) -> Fields:
    """Change the instance as a user would; return its data afterwards."""
    form = await opened(hass, entry)
    result = await sent(hass, form, shown(form) | changes)
    assert result["type"] is FlowResultType.ABORT, result.get("errors")
    return dict(entry.subentries["first"].data)


async def test_an_empty_password_keeps_the_stored_one(hass: HomeAssistant, start: Start) -> None:
    async with FakeQBittorrent(V5_3, password="canary") as server:
        entry = await start(instance("first", server))
        assert shown(await opened(hass, entry))["password"] == ""
        assert (await changed(hass, entry, priority=4))["password"] == "canary"
        server.settings.username = "other"
        assert (await changed(hass, entry, username="other"))["password"] == "canary"
        server.settings.password = "new canary"
        data = await changed(hass, entry, password="new canary")
        assert (data["username"], data["password"]) == ("other", "new canary")


async def test_it_is_not_shown_after_an_error_either(hass: HomeAssistant, start: Start) -> None:
    """Only what was typed is; sections that were not opened come back as they were."""
    async with FakeQBittorrent(V5_3, password="canary") as server:
        server.in_front = wants({"X-Secret": "canary: b"}, Answer(403, b"<html>", "text/html"))
        section = NO_PROXY | {"headers": HEADERS}
        entry = await start(instance("first", server, proxy=section))
        form = await opened(hass, entry)
        fields = {key: one for key, one in shown(form).items() if key != "proxy"}
        form = await sent(hass, form, fields | {"password": "typed"})
        assert form["errors"] == {"base": "invalid_auth"}
        assert "canary" not in str(shown(form))
        assert shown(form)["password"] == "typed"
        assert shown(form)["proxy"] == NO_PROXY | {"headers": MASKED}
        result = await sent(hass, form, shown(form) | {"password": ""})
        assert result["type"] is FlowResultType.ABORT
        data = entry.subentries["first"].data
        assert (data["password"], data["proxy"]) == ("canary", section)


@pytest.mark.parametrize(
    "cleared", [{"username": ""}, {"username": "", "password": " "}], ids=["user name", "both"]
)
async def test_without_a_user_name_there_is_no_password(
    hass: HomeAssistant, start: Start, cleared: Fields
) -> None:
    async with FakeQBittorrent(V5_3, password="canary") as server:
        entry = await start(instance("first", server))
        server.settings.local_host_auth = False
        data = await changed(hass, entry, **cleared)
        assert (data["username"], data["password"]) == ("", "")


async def test_an_empty_key_keeps_the_stored_one(hass: HomeAssistant, start: Start) -> None:
    async with FakeQBittorrent(V5_3, password="canary") as server:
        key = server.new_api_key()
        entry = await start(instance("first", server, username="", password="", api_key=key))
        assert key not in str(shown(await opened(hass, entry)))
        assert (await changed(hass, entry, priority=4))["api_key"] == key
        server.settings.local_host_auth = False
        data = await changed(hass, entry, api_key=" ")
        assert (data["api_key"], data["password"]) == ("", "")


async def test_a_key_takes_the_place_of_a_password_and_back(
    hass: HomeAssistant, start: Start
) -> None:
    async with FakeQBittorrent(V5_3, password="canary") as server:
        entry = await start(instance("first", server))
        key = server.new_api_key()
        form = await opened(hass, entry)
        both = shown(form) | {"api_key": key, "password": "canary"}
        form = await sent(hass, form, both)
        assert form["errors"] == {"api_key": "key_or_password"}
        data = await changed(hass, entry, api_key=key)
        assert (data["api_key"], data["password"]) == (key, "")
        data = await changed(hass, entry, username="admin", password="canary")
        assert (data["api_key"], data["password"]) == ("", "canary")


async def test_an_entry_without_sections(hass: HomeAssistant, start: Start) -> None:
    """As somebody may have edited it."""
    async with FakeQBittorrent(V5_3, password="canary") as server:
        given = instance("first", server)
        bare = {key: one for key, one in given["data"].items() if key != "defaults"}
        entry = await start({**given, "data": bare})
        assert await changed(hass, entry) == given["data"]


async def test_both_of_an_older_entry_stay(hass: HomeAssistant, start: Start) -> None:
    """The key takes precedence, as ever."""
    async with FakeQBittorrent(V5_3, password="canary") as server:
        key = server.new_api_key()
        entry = await start(instance("first", server, api_key=key))
        data = await changed(hass, entry, priority=4)
        assert (data["api_key"], data["password"]) == (key, "canary")
        assert not server.logins


async def test_headers_keep_their_values(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Names are shown; a mask, or nothing, in place of the value keeps it."""
    entry = await start(instance("first", primary, proxy=NO_PROXY | {"headers": HEADERS}))
    assert shown(await opened(hass, entry))["proxy"]["headers"] == MASKED
    for lines, stored in (
        (MASKED, HEADERS),
        (["x-secret:", MASKED[0], "X-New: c"], [HEADERS[1], HEADERS[0], "X-New: c"]),
        (["X-Secret: canary"], ["X-Secret: canary"]),
    ):
        data = await changed(hass, entry, proxy=NO_PROXY | {"headers": lines})
        assert data["proxy"]["headers"] == stored
    form = await opened(hass, entry)
    unknown = shown(form) | {"proxy": NO_PROXY | {"headers": ["X-Other: ••••••"]}}
    form = await sent(hass, form, unknown)
    assert form["errors"] == {"proxy": "invalid_headers"}
    assert "proxy" not in await changed(hass, entry, proxy=NO_PROXY)


async def test_the_login_of_a_proxy(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    section = NO_PROXY | {"proxy_username": "gate", "proxy_password": "canary"}
    primary.in_front = basic("gate", "canary")
    entry = await start(instance("first", primary, proxy=section))
    assert (await changed(hass, entry))["proxy"] == section
    primary.in_front = basic("other", "canary")
    hidden = section | {"proxy_username": "other", "proxy_password": ""}
    data = await changed(hass, entry, proxy=hidden)
    assert data["proxy"] == section | {"proxy_username": "other"}
    primary.in_front = lambda received: None
    assert "proxy" not in await changed(hass, entry, proxy={"proxy_username": ""})


async def test_the_login_of_a_gluetun(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    async with FakeGluetun() as gluetun:
        stored = {
            "gluetun_url": gluetun.url,
            "gluetun_api_key": "canary-key",
            "gluetun_username": "home",
            "gluetun_password": "canary",
        }
        entry = await start(instance("first", primary, gluetun=stored))
        assert (await changed(hass, entry))["gluetun"] == stored
        hidden = shown(await opened(hass, entry))["gluetun"]
        data = await changed(hass, entry, gluetun=hidden | {"gluetun_username": ""})
        assert data["gluetun"] == stored | {"gluetun_username": "", "gluetun_password": ""}
        data = await changed(hass, entry, gluetun=hidden | {"gluetun_api_key": " "})
        assert data["gluetun"]["gluetun_api_key"] == ""
