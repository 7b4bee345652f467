"""The gluetun of an instance: tried before it is accepted, and kept until it is cleared."""

from collections.abc import AsyncGenerator
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.support.common import TARGET, Start, eventually, instance, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import (
    NO_GLUETUN,
    Fields,
    all_fields,
    begin,
    entered,
    finish,
    refused,
    shown,
    submit,
)
from tests.support.gluetun import FakeGluetun

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

KEY = "canary-key"


@pytest.fixture
async def gluetun(socket_enabled: None) -> AsyncGenerator[FakeGluetun]:
    """Return a gluetun that wants a key."""
    async with FakeGluetun() as server:
        server.api_key = KEY
        yield server


def section(gluetun: FakeGluetun, **changes: str) -> Fields:
    """Return what a user enters in the section."""
    return NO_GLUETUN | {"gluetun_url": gluetun.url, "gluetun_api_key": gluetun.api_key} | changes


async def test_a_gluetun_is_enough_to_require_the_vpn(
    hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    form = await begin(hass)
    assert shown(form)["gluetun"] == NO_GLUETUN
    assert not shown(form)["requires_vpn"]
    typed = section(
        gluetun,
        gluetun_url=f" {gluetun.url.removeprefix('http://')}/v1/publicip/ip ",
        gluetun_api_key=f" {KEY} ",
    )
    form = await submit(hass, form, entered(primary, requires_vpn=True, gluetun=typed))
    result = await finish(hass, form)
    (only,) = result["result"].subentries.values()
    assert only.data["gluetun"] == section(gluetun)
    assert only.data["requires_vpn"] is True
    await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))
    assert sorted(gluetun.paths[:2]) == ["/v1/publicip/ip", "/v1/vpn/status"]


@pytest.mark.parametrize("given", [{}, {"gluetun": {}}, {"gluetun": {"gluetun_url": " "}}])
async def test_without_a_url_there_is_none(
    hass: HomeAssistant, primary: FakeQBittorrent, given: Fields
) -> None:
    form = await begin(hass)
    fields = entered(primary, requires_vpn=True, **given)
    form = await submit(hass, form, fields)
    assert form["errors"] == {"requires_vpn": "vpn_required"}
    result = await finish(hass, await submit(hass, form, fields | {"requires_vpn": False}))
    (only,) = result["result"].subentries.values()
    assert "gluetun" not in only.data


@pytest.mark.parametrize("word", ["running", "stopped", "crashed"])
@pytest.mark.parametrize("address", ["198.51.100.7", ""])
async def test_whether_its_tunnel_is_up_does_not_matter(
    hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun, word: str, address: str
) -> None:
    gluetun.status, gluetun.public_ip = word, address
    fields = entered(primary, requires_vpn=True, gluetun=section(gluetun))
    await finish(hass, await submit(hass, await begin(hass), fields))


async def test_user_name_and_password(
    hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    gluetun.api_key, gluetun.username, gluetun.password = "", "home", " blanks count "
    form = await begin(hass)
    wrong = section(gluetun, gluetun_username="home", gluetun_password="blanks count")
    fields = all_fields(primary, requires_vpn=True, gluetun=wrong)
    form = await refused(hass, form, fields, gluetun="gluetun_auth")
    right = wrong | {"gluetun_password": " blanks count "}
    await finish(hass, await submit(hass, form, fields | {"gluetun": right}))


async def test_refused(hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun) -> None:
    form = await begin(hass)
    for key in ("", "wrong", "line\nbreak", "ключ"):
        typed = section(gluetun, gluetun_api_key=key)
        form = await submit(hass, form, all_fields(primary, requires_vpn=True, gluetun=typed))
        assert form["errors"]["gluetun"] in ("gluetun_auth", "gluetun_cannot_connect"), key
        assert shown(form)["gluetun"] == typed
    gluetun.keyless = {"/v1/publicip/ip"}
    fields = all_fields(primary, requires_vpn=True, gluetun=section(gluetun))
    form = await refused(hass, form, fields, gluetun="gluetun_auth")
    gluetun.keyless = set()
    await finish(hass, await submit(hass, form, shown(form)))


async def test_cannot_connect(
    hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    form = await begin(hass)
    fields = all_fields(primary, requires_vpn=True, gluetun=section(gluetun))
    await gluetun.refuse()
    form = await refused(hass, form, fields, gluetun="gluetun_cannot_connect")
    await gluetun.listen()
    for fault in ("hang", "html", "redirect", "error", "cut", "garbage"):
        gluetun.faults = {"*": fault}
        form = await refused(hass, form, fields, gluetun="gluetun_cannot_connect")
    gluetun.faults = {}
    elsewhere = fields | {"gluetun": section(gluetun, gluetun_url=primary.url)}
    form = await submit(hass, form, elsewhere)
    assert form["errors"]["gluetun"] in ("gluetun_auth", "gluetun_cannot_connect")
    await finish(hass, await submit(hass, form, fields))


@pytest.mark.parametrize(
    "url", ["http://", "ftp://gluetun:8000", "http://key@gluetun:8000", "gluetun?apikey=1", "a b"]
)
async def test_invalid_url(
    hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun, url: str
) -> None:
    typed = section(gluetun, gluetun_url=url)
    fields = all_fields(primary, requires_vpn=True, gluetun=typed)
    form = await refused(hass, await begin(hass), fields, gluetun="invalid_url")
    assert primary.record.connections == 0
    assert not gluetun.requests
    await finish(hass, await submit(hass, form, fields | {"gluetun": section(gluetun)}))


async def test_secrets_stay_out_of_the_log(
    hass: HomeAssistant,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    form = await begin(hass)
    for changes in (
        {"gluetun_api_key": "swordfish"},
        {"gluetun_api_key": "", "gluetun_username": "x", "gluetun_password": "swordfish"},
        {"gluetun_url": "http://swordfish@127.0.0.1:8000"},
    ):
        typed = section(gluetun, **changes)
        form = await submit(hass, form, all_fields(primary, gluetun=typed))
        assert form["errors"]
    ours = [one for one in caplog.records if "qbittorrent_resilient" in one.name]
    assert [one for one in ours if "gluetun" in one.getMessage()]
    assert not [one for one in ours if "swordfish" in one.getMessage()]
    assert not [one for one in ours if gluetun.public_ip in one.getMessage()]


async def change(hass: HomeAssistant, entry: Any, **changes: Any) -> Fields:
    """Change the instance; return its data afterwards."""
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    fields = {key: value for key, value in (shown(form) | changes).items() if value is not None}
    result = await hass.config_entries.subentries.async_configure(form["flow_id"], fields)
    await settled(hass)
    assert result["type"] is FlowResultType.ABORT, result.get("errors")
    return dict(entry.subentries["first"].data)


async def test_reconfigure(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    entry = await start(instance("first", primary))
    stored = section(gluetun)
    data = await change(hass, entry, requires_vpn=True, gluetun=stored)
    assert (data["requires_vpn"], data["gluetun"]) == (True, stored)
    # An empty key stays as it is stored; a section that is left out keeps it, too.
    assert (await change(hass, entry))["gluetun"] == stored
    assert (await change(hass, entry, gluetun=None))["gluetun"] == stored
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    assert shown(form)["gluetun"] == stored | {"gluetun_api_key": ""}
    cleared = shown(form) | {"gluetun": stored | {"gluetun_url": ""}}
    result = await hass.config_entries.subentries.async_configure(form["flow_id"], cleared)
    assert result["errors"] == {"requires_vpn": "vpn_required"}
    cleared["requires_vpn"] = False
    await hass.config_entries.subentries.async_configure(form["flow_id"], cleared)
    await settled(hass)
    assert "gluetun" not in entry.subentries["first"].data


async def test_a_gluetun_beside_targets(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    data = await change(hass, entry, gluetun=section(gluetun))
    assert data["gluetun"] == section(gluetun)
    assert "gluetun" not in await change(hass, entry, gluetun={})
