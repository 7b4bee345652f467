"""What stands in front of a server: its login and its headers, in the forms."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.support.actions import add
from tests.support.common import Start, eventually, instance, link, poll, settled
from tests.support.fake.answer import Answer
from tests.support.fake.dialect import V5_3, Dialect
from tests.support.fake.proxies import InFront, basic, wants
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import (
    NO_PROXY,
    Fields,
    all_fields,
    begin,
    entered,
    finish,
    refused,
    shown,
    submit,
)

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

LOGIN: Fields = NO_PROXY | {"proxy_username": "gate", "proxy_password": " kéeper: "}
GATE = basic("gate", " kéeper: ")
HEADERS: Fields = NO_PROXY | {"headers": ["CF-Access-Client-Id: me.access", "X-Secret: a: b c"]}
LOGIN_PAGE = Answer(
    302, b"", "text/html", {"Location": "https://team.example/access/login?kid=swordfish#top"}
)
ACCESS = wants({"CF-Access-Client-Id": "me.access", "X-Secret": "a: b c"}, LOGIN_PAGE)
BOTH = pytest.mark.parametrize(
    ("section", "in_front"), [(LOGIN, GATE), (HEADERS, ACCESS)], ids=["login", "headers"]
)


@BOTH
async def test_set_up(
    hass: HomeAssistant, dialect: Dialect, section: Fields, in_front: InFront
) -> None:
    """The section is in the form, goes with every request of the trial, and is stored."""
    async with FakeQBittorrent(dialect) as server:
        server.in_front = in_front
        form = await begin(hass)
        assert shown(form)["proxy"] == NO_PROXY
        result = await finish(hass, await submit(hass, form, entered(server, proxy=section)))
        (only,) = result["result"].subentries.values()
        assert only.data["proxy"] == section
        await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))
        assert (await add(hass, link(1)))["added"]


async def test_stored_in_order(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    """Blanks around, and lines without anything, are left out; those in a password are not."""
    section = {
        "proxy_username": " gate ",
        "proxy_password": " kéeper: ",
        "headers": ["", "  X-Key :   a: b ", " "],
    }
    primary.in_front = GATE
    form = await submit(hass, await begin(hass), entered(primary, proxy=section))
    result = await finish(hass, form)
    (only,) = result["result"].subentries.values()
    assert only.data["proxy"] == LOGIN | {"headers": ["X-Key: a: b"]}


@pytest.mark.parametrize("section", [{}, NO_PROXY, {"headers": [" "]}, {"proxy_username": " "}])
async def test_none(hass: HomeAssistant, primary: FakeQBittorrent, section: Fields) -> None:
    form = await submit(hass, await begin(hass), entered(primary, proxy=section))
    result = await finish(hass, form)
    (only,) = result["result"].subentries.values()
    assert "proxy" not in only.data
    assert not [one for one in primary.requests if "Authorization" in one.headers]


async def test_refused_by_the_proxy(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    """It is said at the section, and says nothing about qBittorrent's own login."""
    primary.in_front = GATE
    form = await begin(hass)
    for section in (NO_PROXY, LOGIN | {"proxy_password": "kéeper:"}, HEADERS):
        fields = all_fields(primary, proxy=section)
        form = await refused(hass, form, fields, proxy="proxy_auth_failed")
    assert not primary.logins
    primary.in_front = wants({"X-Secret": "right"}, Answer(403, b"<html>", "text/html"))
    form = await refused(hass, form, all_fields(primary, proxy=HEADERS), proxy="proxy_auth_failed")
    primary.in_front = GATE
    fields = all_fields(primary, proxy=LOGIN, password="wrong")
    form = await refused(hass, form, fields, base="invalid_auth")
    await finish(hass, await submit(hass, form, fields | {"password": "secret"}))


@pytest.mark.parametrize(
    "line",
    [
        *("no colon", ": x", "two words: x", "Nämé: x", "X:", "X: ü", "X: a\r\nY: b", "X: a\x00"),
        *("Host: x", "Cookie: SID=1", "Content-Length: 5", "x-one: again", "X: " + "x" * 5000),
    ],
)
async def test_headers_that_cannot_be_sent(
    hass: HomeAssistant, primary: FakeQBittorrent, line: str
) -> None:
    """The form says so before anything is sent."""
    fields = all_fields(primary, proxy=NO_PROXY | {"headers": ["X-One: 1", line]})
    form = await refused(hass, await begin(hass), fields, proxy="invalid_headers")
    assert primary.record.connections == 0
    await finish(hass, await submit(hass, form, fields | {"proxy": HEADERS}))


@pytest.mark.parametrize(
    ("section", "more"),
    [
        ({"proxy_username": "a:b"}, {}),
        ({"proxy_password": "line\nbreak"}, {}),
        ({"proxy_username": "gate"}, {"api_key": " qbt_key ", "password": ""}),
        ({"headers": ["authorization: x"]}, {"api_key": "qbt_key", "password": ""}),
        ({"headers": ["Authorization: x"], "proxy_username": "gate"}, {}),
    ],
    ids=["colon", "line break", "beside a key", "header beside a key", "header and login"],
)
async def test_login_that_cannot_be_sent(
    hass: HomeAssistant, primary: FakeQBittorrent, section: Fields, more: Fields
) -> None:
    fields = all_fields(primary, proxy=NO_PROXY | section, **more)
    form = await refused(hass, await begin(hass), fields, proxy="invalid_proxy_login")
    assert primary.record.connections == 0
    fields |= {"proxy": HEADERS, "api_key": "", "password": "secret"}
    await finish(hass, await submit(hass, form, fields))


async def test_headers_beside_an_api_key(hass: HomeAssistant) -> None:
    async with FakeQBittorrent(V5_3) as server:
        server.in_front = ACCESS
        fields = entered(server, proxy=HEADERS, api_key=server.new_api_key(), password="")
        await finish(hass, await submit(hass, await begin(hass), fields))
        assert not server.logins


async def test_each_error_at_its_field(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    section = NO_PROXY | {"headers": ["no colon"]}
    fields = all_fields(primary, url="nas:8080:1", requires_vpn=True, proxy=section)
    errors = {"requires_vpn": "vpn_required", "proxy": "invalid_headers", "url": "invalid_url"}
    await refused(hass, await begin(hass), fields, **errors)


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://team.example/access/login?kid=swordfish#x", "https://team.example/access/login"),
        ("/login?swordfish", "http://127.0.0.1:PORT/login"),
        ("https://127.0.0.1:PORT/api/v2/app/version", "https://127.0.0.1:PORT/api/v2/app/version"),
        ("https://user:swordfish@a.example/{x}<b>", "https://a.example/..."),
    ],
)
async def test_a_redirect_says_where_it_leads(
    hass: HomeAssistant, primary: FakeQBittorrent, location: str, place: str
) -> None:
    """With scheme, host and path; what is secret mostly is in the query."""
    location, place = (one.replace("PORT", str(primary.port)) for one in (location, place))
    primary.faults.answer(301, b"", "text/html", headers={"Location": location})
    form = await begin(hass)
    assert form["description_placeholders"]["redirect"] == ""
    form = await refused(hass, form, all_fields(primary), base="not_qbittorrent")
    assert form["description_placeholders"]["redirect"] == f"It leads to {place}."
    primary.faults.clear()
    await primary.refuse()
    form = await refused(hass, form, all_fields(primary), base="cannot_connect")
    assert form["description_placeholders"]["redirect"] == ""


async def sent(hass: HomeAssistant, form: Any, fields: Fields) -> Any:
    """Submit the form of a subentry."""
    result = await hass.config_entries.subentries.async_configure(form["flow_id"], fields)
    await settled(hass)
    return result


async def test_another_server(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    secondary.in_front = GATE
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": SOURCE_USER}
    )
    form = await sent(hass, form, entered(secondary, "Second"))
    assert form["errors"] == {"proxy": "proxy_auth_failed"}
    result = await sent(hass, form, entered(secondary, "Second", proxy=LOGIN))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    _, second = entry.get_subentries_of_type("instance")
    assert second.data["proxy"] == LOGIN
    await eventually(lambda: hass.states.is_state("sensor.second_status", "ok"))


async def change(hass: HomeAssistant, entry: Any, **changes: Any) -> Fields:
    """Change the instance, leaving out what is None; return its data afterwards."""
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    fields = {key: value for key, value in (shown(form) | changes).items() if value is not None}
    result = await sent(hass, form, fields)
    assert result["type"] is FlowResultType.ABORT, result.get("errors")
    return dict(entry.subentries["first"].data)


async def test_reconfigure(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    """What the section held stays, without being shown; left out, too; emptied, it is gone."""
    entry = await start(instance("first", primary))
    section = LOGIN | {"headers": ["X-Key: a"]}
    primary.in_front = GATE
    assert (await change(hass, entry, proxy=section))["proxy"] == section
    assert (await change(hass, entry))["proxy"] == section
    assert (await change(hass, entry, proxy=None))["proxy"] == section
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    assert shown(form)["proxy"] == section | {"proxy_password": "", "headers": ["X-Key: ••••••"]}
    form = await sent(hass, form, shown(form) | {"proxy": NO_PROXY})
    assert form["errors"] == {"proxy": "proxy_auth_failed"}
    assert entry.subentries["first"].data["proxy"] == section
    primary.in_front = lambda received: None
    assert "proxy" not in await change(hass, entry, proxy={})


async def test_new_password_of_the_proxy(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """A refused login is not repeated, but one that was tried in the form counts at once."""
    primary.in_front = basic("gate", "new")
    entry = await start(instance("first", primary, proxy=LOGIN))
    await eventually(lambda: hass.states.is_state("sensor.first_status", "error"))
    await change(hass, entry, proxy=LOGIN | {"proxy_password": "new"})
    await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))


@BOTH
async def test_reauth_keeps_it(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    section: Fields,
    in_front: InFront,
) -> None:
    """New credentials are tried through the proxy, too."""
    primary.in_front = in_front
    entry = await start(instance("first", primary, password="wrong", proxy=section))
    (dialog,) = hass.config_entries.flow.async_progress()
    primary.in_front = basic("gate", "other")
    right = {"username": "admin", "password": "secret"}
    form = await submit(hass, dialog, right)
    assert form["errors"] == {"base": "proxy_auth_failed"}
    primary.in_front = wants({}, LOGIN_PAGE)
    primary.faults.redirect("https://team.example/?swordfish")
    form = await submit(hass, form, right)
    assert form["errors"] == {"base": "not_qbittorrent"}
    assert form["description_placeholders"]["redirect"] == "It leads to https://team.example/."
    primary.faults.clear()
    primary.in_front = in_front
    form = await submit(hass, form, right)
    assert form["reason"] == "reauth_successful"
    await settled(hass)
    data = entry.subentries["first"].data
    assert (data["proxy"], data["password"]) == (section, "secret")
    await poll(hass)
    assert hass.states.is_state("sensor.first_status", "ok")


async def test_reauth_of_what_was_damaged_meanwhile(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary, password="wrong"))
    (dialog,) = hass.config_entries.flow.async_progress()
    assert await hass.config_entries.async_unload(entry.entry_id)
    first = entry.subentries["first"]
    hass.config_entries.async_update_subentry(entry, first, data={**first.data, "proxy": "x"})
    form = await submit(hass, dialog, {"username": "admin", "password": "secret"})
    assert form["errors"] == {"base": "unknown"}
    assert entry.subentries["first"].data["password"] == "wrong"
