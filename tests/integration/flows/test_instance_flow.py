"""Adding and changing an instance of the entry that is set up."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.support.common import TARGET, FakeVpn, Start, eventually, instance, settled
from tests.support.fake.dialect import V5_3, Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import NO_DEFAULTS, NO_GLUETUN, NO_PROXY, Fields, Result, entered, shown

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")


async def add(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Return the form for another instance."""
    result: Result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": SOURCE_USER}
    )
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    return result


async def submit(hass: HomeAssistant, result: Result, fields: Fields) -> Result:
    """Submit the form, and let what follows come to rest."""
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], fields)
    await settled(hass)
    return result


async def refused(hass: HomeAssistant, form: Result, fields: Fields, **errors: str) -> Result:
    """Submit, and assert these errors and that the form still holds what was entered."""
    result = await submit(hass, form, fields)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert {key: value for key, value in shown(result).items() if key in fields} == fields
    return result


def status(hass: HomeAssistant, name: str) -> str:
    state = hass.states.get(f"sensor.{name}_status")
    assert state
    return state.state


async def test_add(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary, priority=3), targets=(TARGET,))
    form = await add(hass, entry)
    assert shown(form) == {
        "username": "",
        "password": "",
        "api_key": "",
        "verify_ssl": True,
        "requires_vpn": True,
        "priority": 4,
        "proxy": NO_PROXY,
        "gluetun": NO_GLUETUN,
        "defaults": NO_DEFAULTS,
    }
    defaults = {"category": "iso", "save_path": "/iso", "tags": ["a"], "stopped": "stop"}
    fields = entered(secondary, " Second ", requires_vpn=False, defaults=defaults)
    result = await submit(hass, form, fields)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    _, second = entry.get_subentries_of_type("instance")
    assert second.title == "Second"
    assert second.data == {
        "url": secondary.url,
        "username": "admin",
        "password": "secret",
        "api_key": "",
        "verify_ssl": True,
        "requires_vpn": False,
        "priority": 4,
        "defaults": defaults,
    }
    # Reloaded by itself: the new one is at work, and the old one still is.
    assert entry.state is ConfigEntryState.LOADED
    await eventually(lambda: status(hass, "first") == status(hass, "second") == "ok")


async def test_add_errors(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    form = await add(hass, entry)
    assert not shown(form)["requires_vpn"]
    secondary.record.clear()
    fields = entered(secondary, "First", url=f"https://127.0.0.1:{primary.port}", requires_vpn=True)
    errors = dict.fromkeys(("name", "url"), "already_configured")
    result = await refused(hass, form, fields, **errors, requires_vpn="vpn_required")
    fields = entered(secondary, "Second", url="http://admin@nas", requires_vpn=False)
    result = await refused(hass, result, fields, url="invalid_url")
    assert secondary.record.connections == 0
    await secondary.refuse()
    fields["url"] = secondary.url
    result = await refused(hass, result, fields, base="cannot_connect")
    await secondary.listen()
    fields["password"] = "wrong"
    result = await refused(hass, result, fields, base="invalid_auth")
    result = await submit(hass, result, entered(secondary, "Second"))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await eventually(lambda: status(hass, "second") == "ok")


async def test_form_shows_what_is_stored(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    defaults = {"category": "iso", "save_path": "/iso", "tags": ["a"], "stopped": "stop"}
    given = instance("first", primary, priority=4, requires_vpn=True, defaults=defaults)
    entry = await start(given, targets=(TARGET,))
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    assert form["step_id"] == "reconfigure"
    assert shown(form) == {
        "name": "First",
        "proxy": NO_PROXY,
        "gluetun": NO_GLUETUN,
        **given["data"],
        "password": "",
    }


async def reconfigured(
    hass: HomeAssistant, entry: MockConfigEntry, key: str, **changes: Any
) -> Fields:
    """Change an instance as a user would; return its data afterwards."""
    form = await entry.start_subentry_reconfigure_flow(hass, key)
    result = await submit(hass, form, shown(form) | changes)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.state is ConfigEntryState.LOADED
    return dict(entry.subentries[key].data)


async def test_what_is_left_out_stays_as_it_is(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """Texts are cleared by leaving them out: the frontend does so."""
    defaults = {"category": "iso", "save_path": "/iso", "tags": ["a"], "stopped": "stop"}
    given = instance(
        "first", primary, priority=4, requires_vpn=False, verify_ssl=False, defaults=defaults
    )
    entry = await start(given, targets=(TARGET,))
    fields = entered(primary)
    for changes in ({}, {"defaults": {"category": "other"}}):
        form = await entry.start_subentry_reconfigure_flow(hass, "first")
        result = await submit(hass, form, fields | changes)
        assert result["reason"] == "reconfigure_successful"
        expected = {**given["data"], **changes}
        if changes:
            expected["defaults"] = {
                "save_path": "",
                "tags": [],
                "stopped": "stop",
                "category": "other",
            }
        assert dict(entry.subentries["first"].data) == expected


async def test_server_that_does_not_say_goes_on_requiring_the_vpn(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    given = instance("first", primary)
    silent = {key: one for key, one in given["data"].items() if key != "requires_vpn"}
    entry = await start({**given, "data": silent}, targets=(TARGET,))
    form = await entry.start_reconfigure_flow(hass)
    form = await hass.config_entries.flow.async_configure(form["flow_id"], {"vpn_targets": []})
    assert form["errors"] == {"vpn_targets": "vpn_required"}
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    await submit(hass, form, entered(primary))
    assert entry.subentries["first"].data["requires_vpn"] is True


def unique_ids(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the unique ids of all entities by entity id."""
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {one.entity_id: one.unique_id for one in found}


async def test_rename(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    device_registry: dr.DeviceRegistry,
) -> None:
    entry = await start(instance("first", primary))
    before = unique_ids(hass, entry)
    await reconfigured(hass, entry, "first", name=" Seedbox ")
    assert entry.subentries["first"].title == "Seedbox"
    assert unique_ids(hass, entry) == before
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert sorted(str(one.name) for one in devices) == ["Seedbox", "qBittorrent Resilient"]
    await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))


async def test_change_of_url(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    before = unique_ids(hass, entry)
    data = await reconfigured(hass, entry, "first", url=f"{secondary.url}/")
    assert data["url"] == secondary.url
    assert list(entry.subentries) == ["first"]
    assert unique_ids(hass, entry) == before
    primary.record.clear()
    await eventually(lambda: status(hass, "first") == "ok")
    assert secondary.requests_to("transfer/info")
    assert not primary.requests


async def test_same_again(hass: HomeAssistant, start: Start, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect) as server:
        given = instance("first", server)
        entry = await start(given)
        assert await reconfigured(hass, entry, "first") == given["data"]
        await eventually(lambda: status(hass, "first") == "ok")


async def test_url_of_another_instance(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    form = await entry.start_subentry_reconfigure_flow(hass, "second")
    fields = shown(form) | {"name": "First", "url": f"{primary.url}/"}
    errors = dict.fromkeys(("name", "url"), "already_configured")
    result = await refused(hass, form, fields, **errors)
    fields |= {"name": "Second", "url": secondary.url}
    result = await submit(hass, result, fields)
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.parametrize("name", ["FIRST", " first\u200b", "Ｆirst"])
async def test_name_of_another_instance_in_another_spelling(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    name: str,
) -> None:
    """It is refused, and the one that is there is named; one's own may be spelled anew."""
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    form = await entry.start_subentry_reconfigure_flow(hass, "second")
    fields = shown(form) | {"name": name}
    result = await refused(hass, form, fields, name="already_configured")
    assert result["description_placeholders"]["servers"] == "First"
    result = await submit(hass, result, fields | {"name": "SECOND"})
    assert result["reason"] == "reconfigure_successful"
    assert entry.subentries["second"].title == "SECOND"


async def test_both_that_are_there_are_named(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    form = await add(hass, entry)
    fields = entered(secondary, "first", url=f"127.0.0.1:{secondary.port}")
    errors = dict.fromkeys(("name", "url"), "already_configured")
    result = await refused(hass, form, fields, **errors)
    assert result["description_placeholders"]["servers"] == "First, Second"


async def test_wrong_password_is_refused_while_a_session_is_open(
    hass: HomeAssistant, start: Start, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        given = instance("first", server)
        entry = await start(given)
        assert status(hass, "first") == "ok"
        assert len(server.access.sessions) == 1
        form = await entry.start_subentry_reconfigure_flow(hass, "first")
        fields = shown(form) | {"password": "wrong"}
        result = await refused(hass, form, fields, base="invalid_auth")
        assert entry.subentries["first"].data == given["data"]
        assert "Cookie" not in server.logins[-1].headers
        server.settings.password = "new"
        result = await submit(hass, result, fields | {"password": "new"})
        assert result["reason"] == "reconfigure_successful"
        await eventually(lambda: status(hass, "first") == "ok")


async def test_refused_credentials_count_again_once_they_were_tried(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    primary.settings.password = "other"
    entry = await start(instance("first", primary, password="secret"))
    assert status(hass, "first") == "auth_failed"
    primary.settings.password = "secret"
    await reconfigured(hass, entry, "first")
    await eventually(lambda: status(hass, "first") == "ok")


@pytest.mark.parametrize("own", ["second", "first"])
async def test_requires_vpn_without_targets(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    own: str,
) -> None:
    entry = await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.record.clear()
    secondary.record.clear()
    form = await entry.start_subentry_reconfigure_flow(hass, own)
    fields = shown(form) | {"requires_vpn": True}
    result = await refused(hass, form, fields, requires_vpn="vpn_required")
    assert not primary.requests
    assert not secondary.requests
    result = await submit(hass, result, fields | {"requires_vpn": False})
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.usefixtures("refused_handshakes")
async def test_change_to_https_and_api_key(hass: HomeAssistant, start: Start) -> None:
    async with FakeQBittorrent(V5_3) as plain, FakeQBittorrent(V5_3, https=True) as secure:
        entry = await start(instance("first", plain))
        key = secure.new_api_key()
        changes = {"url": secure.url, "verify_ssl": False, "api_key": key}
        data = await reconfigured(hass, entry, "first", **changes, username="", password="")
        assert data | changes == data
        await eventually(lambda: status(hass, "first") == "ok")
        assert secure.requests_to("transfer/info")
        assert not secure.logins


async def test_requiring_the_vpn_takes_effect(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    vpn.up = False
    entry = await start(instance("first", primary), targets=(TARGET,))
    assert status(hass, "first") == "ok"
    await reconfigured(hass, entry, "first", requires_vpn=True)
    assert status(hass, "first") == "vpn_down"
