"""A server that Home Assistant's own qBittorrent integration knows need not be typed again."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_integration,
)

from tests.support import flow
from tests.support.common import Start, instance
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("vpn")


def known(hass: HomeAssistant, server: FakeQBittorrent, **fields: Any) -> MockConfigEntry:
    """Set a server up in core's integration."""
    data = {
        "url": f"{server.url}/",
        "username": server.settings.username,
        "password": server.settings.password,
        "verify_ssl": False,
    }
    entry = MockConfigEntry(domain="qbittorrent", title="Seedbox", data=data | fields)
    entry.add_to_hass(hass)
    return entry


def offered(form: flow.Result) -> list[str]:
    """Return the labels of the servers that the form offers to take over."""
    for key, kind in form["data_schema"].schema.items():
        if key == "take_over":
            return [one["label"] for one in kind.config["options"]]
    return []


async def test_first_instance(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    core = known(hass, primary)
    form = await flow.begin(hass)
    assert offered(form) == [f"Seedbox ({primary.url}/)"]
    result = await flow.submit(hass, form, {"take_over": core.entry_id})
    result = await flow.finish(hass, result)
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == "Seedbox"
    assert subentry.data["url"] == primary.url
    assert (subentry.data["username"], subentry.data["password"]) == ("admin", "secret")
    assert subentry.data["verify_ssl"] is False
    assert "take_over" not in subentry.data
    await hass.config_entries.async_unload(result["result"].entry_id)


async def test_the_first_dialog_says_so(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    """And nothing where there is nothing to take over."""

    async def said() -> str:
        form: Any = await hass.config_entries.flow.async_init(
            "qbittorrent_resilient", context={"source": SOURCE_USER}
        )
        hass.config_entries.flow.async_abort(form["flow_id"])
        text: str = form["description_placeholders"]["known"]
        return text

    assert await said() == ""
    known(hass, primary, url="ftp://nowhere")
    assert await said() == ""
    known(hass, primary)
    assert "qBittorrent integration knows Seedbox. You can take over" in await said()


async def test_what_does_not_work_there_does_not_work_here(
    hass: HomeAssistant, primary: FakeQBittorrent
) -> None:
    """And its password is not sent to the browser."""
    core = known(hass, primary, password="canary")
    form = await flow.begin(hass)
    entered = {"take_over": core.entry_id, "name": "Mine"}
    form = await flow.submit(hass, form, entered)
    assert form["errors"] == {"base": "invalid_auth"}
    shown = flow.shown(form)
    assert {key: shown[key] for key in entered} == entered
    assert "canary" not in str(shown)
    form = await flow.submit(hass, form, flow.entered(primary, "Mine"))
    assert (form["type"], form["step_id"]) == (FlowResultType.MENU, "more")


@pytest.mark.parametrize(
    ("known_as", "typed"),
    [
        ({"password": "old"}, {"password": "secret"}),
        ({"username": "old", "password": "old"}, {"username": "admin", "password": "secret"}),
        ({"url": "http://127.0.0.1:1"}, {"url": "{url}"}),
        ({"username": "old", "password": "old"}, {"api_key": "{key}"}),
    ],
)
async def test_what_is_entered_is_used_instead(
    hass: HomeAssistant, primary: FakeQBittorrent, known_as: flow.Fields, typed: flow.Fields
) -> None:
    """The choice stays in the form after an error, so it must not undo what is typed then."""
    core = known(hass, primary, **known_as)
    form = await flow.submit(hass, await flow.begin(hass), {"take_over": core.entry_id})
    assert form["errors"]
    key = primary.new_api_key()
    typed = {name: text.format(url=primary.url, key=key) for name, text in typed.items()}
    result = await flow.submit(hass, form, {"take_over": core.entry_id} | typed)
    result = await flow.finish(hass, result)
    (subentry,) = result["result"].subentries.values()
    assert typed.items() <= subentry.data.items()
    assert "old" not in subentry.data.values()
    assert subentry.data["verify_ssl"] is False
    await hass.config_entries.async_unload(result["result"].entry_id)


async def test_nothing_chosen_and_nothing_entered(
    hass: HomeAssistant, primary: FakeQBittorrent
) -> None:
    known(hass, primary)
    form = await flow.submit(hass, await flow.begin(hass), {})
    assert form["errors"] == {"name": "name_missing", "url": "invalid_url"}


async def test_further_instance(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """Those that are instances already are not offered, nor what has no usable address."""
    entry = await start(instance("first", primary))
    known(hass, primary)
    known(hass, primary, url="ftp://nowhere")
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": SOURCE_USER}
    )
    assert offered(form) == []
    core = known(hass, secondary)
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": SOURCE_USER}
    )
    assert offered(form) == [f"Seedbox ({secondary.url}/)"]
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {"take_over": core.entry_id, "name": "Second"}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert [one.title for one in entry.subentries.values()] == ["First", "Second"]


async def test_changing_an_instance_offers_nothing(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    known(hass, secondary)
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    assert offered(form) == []


async def test_chosen_one_is_gone(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    mock_integration(hass, MockModule("qbittorrent"))
    core = known(hass, primary)
    form = await flow.begin(hass)
    await hass.config_entries.async_remove(core.entry_id)
    form = await flow.submit(hass, form, {"take_over": core.entry_id})
    assert form["errors"] == {"name": "name_missing", "url": "invalid_url"}
