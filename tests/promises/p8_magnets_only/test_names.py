"""Names of magnets and servers are plain text wherever they are shown, and short."""

from collections.abc import Mapping
from html import unescape
from pathlib import Path
import re
from typing import Any
from urllib.parse import quote

from homeassistant.components.todo import DOMAIN as TODO_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.template import Template
from homeassistant.util import yaml as yaml_util
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core import names
from tests.support.actions import add
from tests.support.common import FakeVpn, Start, info_hash, instance, link, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.hostile import NAMES, hostile_links, servers
from tests.support.states import state_of

EVENT = "event.qbittorrent_resilient_magnets"
MARK = re.compile(r"[!-/:-@\[-`{-~]")
ROOT = Path(__file__).parents[3]

HOSTILE_LINKS = hostile_links()
# A link's name may come with entities, which are read as such.
SHOWN = [names.shown(unescape(name)) for name in NAMES]


def without_escapes(text: str) -> str:
    """Take away what Markdown takes for an escaped character; marks that stay are markup."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "", text)


def attributes_of(hass: HomeAssistant) -> Mapping[str, Any]:
    """Return the attributes of the event entity."""
    state = hass.states.get(EVENT)
    assert state
    return state.attributes


def test_the_hostile_ones_are_hostile() -> None:
    assert sum(bool(MARK.search(without_escapes(name))) for name in NAMES) > len(NAMES) / 2
    assert all(SHOWN)
    assert max(map(len, NAMES)) > 50_000


@pytest.mark.usefixtures("clock")
async def test_event(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start(instance("first", primary))
    for some in (slice(0, 10), slice(10, None)):
        await add(hass, *HOSTILE_LINKS[some])
        attributes = attributes_of(hass)
        assert attributes["names"] == SHOWN[some]
        assert len(str(attributes).encode()) < 10_000


async def test_answers_have_the_name_of_the_link(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """An action's response is for those who look it up, not for the eye."""
    await start(instance("first", primary))
    answer = await add(hass, link(1, name=quote(NAMES[0])), link(2, name="x" * 60_000))
    assert [one["name"] for one in answer["added"]] == [NAMES[0], "x" * 60_000]


async def test_to_do_list(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = await start(instance("first", primary))
    todo = entity_registry.async_get_entity_id(TODO_DOMAIN, DOMAIN, "hub_queue")
    assert todo is not None
    entity_registry.async_update_entity(todo, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    await primary.refuse()
    await add(hass, *HOSTILE_LINKS, link(99, name="%E2%80%8B"), max_retries=0)
    await poll(hass, 2)
    found: Any = await hass.services.async_call(
        TODO_DOMAIN, "get_items", {"entity_id": todo}, blocking=True, return_response=True
    )
    items = found[todo]["items"]
    assert [one["summary"] for one in items] == [*SHOWN, info_hash(99)]
    assert not any(
        MARK.search(one["description"].replace("-", "").replace(":", "")) for one in items
    )


@pytest.mark.usefixtures("clock")
async def test_servers(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    entry = await start(*servers(primary, *NAMES, "\u200b", "東" * 300))
    await settled(hass)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {one.name for one in devices} == {
        *map(names.shown, NAMES),
        "server16",
        "東" * 199 + "…",
        "qBittorrent Resilient",
    }
    await add(hass, link(1))
    assert attributes_of(hass)["instance"] == SHOWN[0]
    assert state_of(hass, "sensor.qbittorrent_resilient_active_instance") == SHOWN[0]


async def test_long_name_of_the_active_server(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(*servers(primary, NAMES[-1]))
    await settled(hass)
    state = state_of(hass, "sensor.qbittorrent_resilient_active_instance")
    assert state == SHOWN[-1]


def markdown_cards() -> list[str]:
    def walk(value: Any) -> list[Any]:
        inner = value.values() if isinstance(value, dict) else value
        if not isinstance(value, dict | list):
            return []
        return [value, *(found for one in inner for found in walk(one))]

    view = yaml_util.parse_yaml((ROOT / "dashboards" / "view.yaml").read_text())
    return [
        one["content"]
        for one in walk(view)
        if isinstance(one, dict) and one.get("type") == "markdown"
    ]


@pytest.mark.usefixtures("clock")
async def test_dashboard(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start(*servers(primary, *NAMES))
    await settled(hass)
    last, warning, table = markdown_cards()
    assert "{" not in warning
    shown = str(Template(table, hass).async_render(parse_result=False))
    rows = shown.splitlines()[2:]
    assert len(rows) == len(NAMES)
    for row in rows:
        assert re.sub(r"[^|]", "", without_escapes(row)) == "||||"
        assert not MARK.search(without_escapes(row).replace("|", ""))
    await add(hass, *HOSTILE_LINKS[:10])
    shown = str(Template(last, hass).async_render(parse_result=False))
    first, _, listed = shown.partition("\n\n")
    assert first.startswith(f"**Added:** 10, {names.markdown(SHOWN[0])}, ")
    assert listed == ", ".join(map(names.markdown, SHOWN[:10]))


async def test_flows(hass: HomeAssistant, primary: FakeQBittorrent, vpn: FakeVpn) -> None:
    """The list of what was set up so far is rendered as Markdown; the titles are kept clean."""
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {"vpn_targets": []})
    server = instance("first", primary)["data"]
    fields = {key: server[key] for key in ("url", "username", "password")}
    flow = await hass.config_entries.flow.async_configure(
        flow["flow_id"], fields | {"name": NAMES[0] + "\u202e", "requires_vpn": False}
    )
    assert flow["description_placeholders"] == {
        "instances": names.markdown(SHOWN[0]),
        "found": f"Connected: qBittorrent {primary.dialect.version.removeprefix('v')}.",
    }
    flow = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": "finish"}
    )
    await settled(hass)
    (subentry,) = flow["result"].subentries.values()
    assert subentry.title == SHOWN[0]
