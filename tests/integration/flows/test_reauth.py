"""New credentials are asked for: for one instance at a time, while the others work on."""

from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.support import flow
from tests.support.actions import add, status_of, work
from tests.support.common import TARGET, FakeClock, FakeVpn, Start, instance, link, poll, settled
from tests.support.fake.dialect import V5_3
from tests.support.fake.server import FakeQBittorrent

DOMAIN = "qbittorrent_resilient"


def asked(hass: HomeAssistant) -> list[Any]:
    """Return the dialogs that are open."""
    found: list[Any] = [
        one
        for one in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if one["context"]["source"] == SOURCE_REAUTH
    ]
    return found


def names(hass: HomeAssistant) -> list[str]:
    """Return whom the open dialogs are about."""
    return [one["context"]["title_placeholders"]["name"] for one in asked(hass)]


async def opened(hass: HomeAssistant) -> flow.Result:
    """Return the form of the one dialog that is open."""
    (one,) = asked(hass)
    form = await hass.config_entries.flow.async_configure(one["flow_id"])
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reauth_confirm")
    return form


async def accepted(hass: HomeAssistant, form: flow.Result, fields: flow.Fields) -> None:
    """Enter credentials that are good."""
    result = await flow.submit(hass, form, fields)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    await settled(hass)


async def test_one_is_refused_and_the_other_works_on(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(
        instance("first", primary, password="wrong", priority=1),
        instance("second", secondary, priority=2),
    )
    for _ in range(5):
        await poll(hass)
    assert names(hass) == ["First"]
    assert entry.state is ConfigEntryState.LOADED
    assert (await add(hass, link(1)))["added"][0]["instance"] == "Second"
    form = await opened(hass)
    assert flow.shown(form) == {"username": "admin"}
    told = form["description_placeholders"]
    assert (told["name"], told["redirect"]) == ("First", "")
    entered = {"username": "admin", "password": "wrong, too"}
    form = await flow.submit(hass, form, entered)
    assert form["errors"] == {"base": "invalid_auth"}
    assert flow.shown(form) == entered
    assert len(primary.logins) == 2
    await primary.refuse()
    form = await flow.submit(hass, form, entered)
    assert form["errors"] == {"base": "cannot_connect"}
    await primary.listen()
    await accepted(hass, form, {"username": "admin", "password": "secret"})
    assert asked(hass) == []
    assert status_of(hass, "first") == "ok"
    assert entry.subentries["first"].data["password"] == "secret"
    assert (await add(hass, link(2)))["added"][0]["instance"] == "First"


async def test_api_key(hass: HomeAssistant, start: Start, socket_enabled: None) -> None:
    async with FakeQBittorrent(V5_3) as server:
        key = server.new_api_key()
        entry = await start(instance("first", server, api_key=key))
        assert asked(hass) == []
        key = server.new_api_key()
        await poll(hass)
        form = await opened(hass)
        assert [str(one) for one in form["data_schema"].schema] == ["api_key"]
        form = await flow.submit(hass, form, {"api_key": "qbt_wrong"})
        assert form["errors"] == {"base": "invalid_auth"}
        await accepted(hass, form, {"api_key": f" {key} "})
        assert status_of(hass, "first") == "ok"
        assert entry.subentries["first"].data["api_key"] == key


async def test_the_same_are_good_again(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The server was changed back: nothing is saved, and yet it is tried again."""
    await start(instance("first", primary))
    primary.settings.password = "other"
    primary.expire_sessions()
    await poll(hass)
    primary.settings.password = "secret"
    await poll(hass)
    assert status_of(hass, "first") == "auth_failed"
    form = await opened(hass)
    await accepted(hass, form, {"username": "admin", "password": "secret"})
    assert status_of(hass, "first") == "ok"
    assert asked(hass) == []


async def test_an_open_session_accepts_no_wrong_password(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """With a valid cookie qBittorrent would take any: none is sent with the trial."""
    await start(instance("first", primary, password="wrong"))
    form = await opened(hass)
    form = await flow.submit(hass, form, {"username": "admin", "password": "no"})
    assert form["errors"] == {"base": "invalid_auth"}
    assert not primary.requests_to("auth/login")[-1].headers.get("Cookie")


async def test_one_after_the_other(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(
        instance("first", primary, password="wrong"),
        instance("second", secondary, password="wrong", priority=2),
    )
    assert len(names(hass)) == 1
    for _ in range(2):
        await accepted(hass, await opened(hass), {"username": "admin", "password": "secret"})
        await poll(hass)
    assert asked(hass) == []
    assert status_of(hass, "first") == status_of(hass, "second") == "ok"


async def test_let_in_again_without_the_user(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """A server that wanted a log-in, where none is known, lets this host in without one."""
    await start(instance("first", primary, username="", password=""))
    assert status_of(hass, "first") == "auth_failed"
    assert names(hass) == ["First"]
    primary.settings.local_host_auth = False
    await poll(hass)
    assert status_of(hass, "first") == "ok"
    assert asked(hass) == []


async def test_changed_elsewhere(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Credentials that are entered in the form of the instance end the dialog."""
    entry = await start(instance("first", primary, password="wrong"))
    assert names(hass) == ["First"]
    first = entry.subentries["first"]
    hass.config_entries.async_update_subentry(
        entry, first, data={**first.data, "password": "secret"}
    )
    await settled(hass)
    await poll(hass)
    assert status_of(hass, "first") == "ok"
    assert asked(hass) == []


async def test_removed_meanwhile(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(
        instance("first", primary, password="wrong"),
        instance("second", secondary, priority=2),
    )
    assert names(hass) == ["First"]
    hass.config_entries.async_remove_subentry(entry, "first")
    await settled(hass)
    assert asked(hass) == []


async def test_begun_for_one_that_is_gone(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_REAUTH, "entry_id": entry.entry_id},
        data={"subentry_id": "gone"},
    )
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "instance_removed")


async def test_begun_for_nobody_in_particular(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """It is about the one that is refused, else about the first; without any there is nothing."""
    entry = await start(
        instance("first", primary), instance("second", secondary, password="wrong", priority=2)
    )
    for one in asked(hass):
        hass.config_entries.flow.async_abort(one["flow_id"])
    for name in ("Second", "First"):
        form = await entry.start_reauth_flow(hass)
        assert form["step_id"] == "reauth_confirm"
        assert form["description_placeholders"]["name"] == name
        hass.config_entries.flow.async_abort(form["flow_id"])
        await hass.config_entries.async_unload(entry.entry_id)
    for key in ("first", "second"):
        hass.config_entries.async_remove_subentry(entry, key)
    form = await entry.start_reauth_flow(hass)
    assert (form["type"], form["reason"]) == (FlowResultType.ABORT, "instance_removed")


async def test_the_vpn_going_down_does_not_close_the_dialog(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary, password="wrong", requires_vpn=True), targets=(TARGET,))
    assert names(hass) == ["First"]
    vpn.up = False
    for _ in range(4):
        await poll(hass)
    assert status_of(hass, "first") == "vpn_down"
    assert names(hass) == ["First"]


@pytest.mark.parametrize("fault", ["unreachable", "banned"])
async def test_other_troubles_ask_for_nothing(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, fault: str
) -> None:
    if fault == "banned":
        primary.ban()
    else:
        await primary.refuse()
    await start(instance("first", primary))
    assert status_of(hass, "first") == fault
    assert asked(hass) == []


async def settle(hass: HomeAssistant, entry: MockConfigEntry, clock: FakeClock) -> None:
    """Deliver a magnet and let it settle, after which its instance is looked at again."""
    assert (await add(hass, link(1)))["added"]
    clock.tick(100)
    await work(entry)
    await settled(hass)


async def test_dialog_that_was_closed_does_not_come_back_by_itself(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """Another instance is looked at, and nothing has changed."""
    refused = instance("second", secondary, password="wrong", priority=2)
    entry = await start(instance("first", primary), refused)
    (dialog,) = asked(hass)
    hass.config_entries.flow.async_abort(dialog["flow_id"])
    await settle(hass, entry, clock)
    assert names(hass) == []


async def test_dialog_stays_while_its_server_is_away(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """The user may be typing."""
    without_login = instance("second", secondary, username="", password="", priority=2)
    entry = await start(instance("first", primary), without_login)
    assert names(hass) == ["Second"]
    await secondary.refuse()
    await poll(hass)
    assert status_of(hass, "second") == "unreachable"
    await settle(hass, entry, clock)
    assert names(hass) == ["Second"]
