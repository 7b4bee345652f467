"""The dashboard that the integration brings: the module, and the view that it is told."""

from collections.abc import Iterator
import json
import re
from typing import Any

from homeassistant.components import frontend
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.dashboard.frontend_module import MODULE, URL
from tests.support.common import TARGET, FakeVpn, Start, instance, settled
from tests.support.fake.server import FakeQBittorrent

JAVASCRIPT = MODULE.read_text(encoding="utf-8")
FOLDER = MODULE.parents[1]
TEXTS = json.loads((FOLDER / "translations" / "en.json").read_text(encoding="utf-8"))
SECRET = "p4ssw0rd"


@pytest.fixture
async def two(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent, secondary: Any
) -> Any:
    """Set two servers up; the second in the list is the first in line."""
    hass.config.components |= {"history", "recorder", "logbook"}
    entry = await start(
        instance("attic", secondary, priority=2),
        instance("seedbox", primary, priority=1, requires_vpn=True),
        targets=(TARGET,),
    )
    await settled(hass)
    return entry


async def told(
    hass: HomeAssistant, clients: WebSocketGenerator, token: str | None = None, **fields: str
) -> Any:
    """Return the view that a page is told."""
    assert await async_setup_component(hass, "websocket_api", {})
    client = await (clients(hass, token) if token else clients(hass))
    await client.send_json_auto_id({"type": f"{DOMAIN}/dashboard", **fields})
    answer = await client.receive_json()
    assert answer["success"], answer
    return answer["result"]["view"]


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from walk(one)


def shown(view: Any, kind: str = "tile") -> list[str]:
    """Return the entities of the cards of a kind, each once, in their order."""
    found = [one for one in walk(view) if one.get("type") == kind and "tap_action" not in one]
    return list(dict.fromkeys(one["entity"] for one in found))


def names_of_tiles(view: Any) -> dict[str, Any]:
    tiles = [one for one in walk(view) if one.get("type") == "tile" and "tap_action" not in one]
    return {one["entity"]: one["name"] for one in tiles}


def headings(view: Any) -> list[str]:
    return [one["heading"] for one in walk(view) if "heading" in one]


@pytest.mark.usefixtures("two")
async def test_it_shows_what_there_is_first_in_line_first(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    view = await told(hass, hass_ws_client)
    assert headings(view) == ["Magnets", "Servers", "History"]
    assert shown(view) == [
        f"sensor.{DOMAIN}_queued_magnets",
        f"sensor.{DOMAIN}_failed_magnets",
        f"binary_sensor.{DOMAIN}_vpn",
        f"sensor.{DOMAIN}_active_instance",
        "sensor.seedbox_status",
        "sensor.seedbox_route",
        "sensor.attic_status",
    ]
    (health, counts) = (one for one in walk(view) if one.get("type") == "history-graph")
    assert [one["entity"] for one in health["entities"]] == [
        f"binary_sensor.{DOMAIN}_vpn",
        f"sensor.{DOMAIN}_active_instance",
        "sensor.seedbox_status",
        "sensor.attic_status",
    ]
    assert [one["entity"] for one in counts["entities"]] == shown(view)[:2]
    assert all(hass.states.get(one) for one in shown(view))


@pytest.mark.usefixtures("two")
async def test_one_tile_of_each_entity_is_visible_in_each_state(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    view = await told(hass, hass_ws_client)
    tiles = [one for one in walk(view) if one.get("entity") == "sensor.seedbox_status"]
    tiles = [one for one in tiles if one.get("type") == "tile"]
    colours = {}
    for state in TEXTS["entity"]["sensor"]["status"]["state"]:
        visible = [one for one in tiles if is_visible(one, state)]
        assert len(visible) == 1, state
        colours[state] = visible[0]["color"]
    assert (colours["ok"], colours["vpn_down"], colours["leaking"]) == ("green", "orange", "red")
    assert set(colours.values()) == {"green", "orange", "red"}


def is_visible(card: dict[str, Any], state: str) -> bool:
    (condition,) = card["visibility"]
    if "state" in condition:
        return state in condition["state"]
    return state not in condition["state_not"]


@pytest.mark.usefixtures("two")
async def test_it_follows_renamed_entities(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_update_entity(
        "sensor.seedbox_status", new_entity_id="sensor.where_films_come_from"
    )
    entity_registry.async_update_entity(f"sensor.{DOMAIN}_queued_magnets", name="Waiting room")
    view = await told(hass, hass_ws_client)
    assert "sensor.where_films_come_from" in shown(view)
    assert "sensor.seedbox_status" not in json.dumps(view)
    names = names_of_tiles(view)
    # What the user called it is looked up by the frontend; other names are in the page's language.
    assert names[f"sensor.{DOMAIN}_queued_magnets"] == {"type": "entity"}
    assert names[f"sensor.{DOMAIN}_failed_magnets"] == "Failed magnets"
    assert names["sensor.where_films_come_from"] == {"type": "device"}


async def test_lists_come_when_they_are_enabled_and_what_is_disabled_or_hidden_goes(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entity_registry: er.EntityRegistry,
    two: Any,
) -> None:
    assert shown(await told(hass, hass_ws_client), "todo-list") == []
    todo = entity_registry.async_get_entity_id("todo", DOMAIN, "hub_queue")
    assert todo is not None
    entity_registry.async_update_entity(todo, disabled_by=None)
    entity_registry.async_update_entity(
        "sensor.attic_status", disabled_by=er.RegistryEntryDisabler.USER
    )
    entity_registry.async_update_entity(
        "sensor.seedbox_route", hidden_by=er.RegistryEntryHider.USER
    )
    view = await told(hass, hass_ws_client)
    assert shown(view, "todo-list") == [todo]
    assert not {"sensor.attic_status", "sensor.seedbox_route"} & set(shown(view))


async def test_it_follows_priority_and_new_servers(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, two: Any
) -> None:
    attic = next(one for one in two.subentries.values() if one.title == "Attic")
    hass.config_entries.async_update_subentry(two, attic, data={**attic.data, "priority": 1})
    seedbox = next(one for one in two.subentries.values() if one.title == "Seedbox")
    hass.config_entries.async_update_subentry(two, seedbox, data={**seedbox.data, "priority": 7})
    await settled(hass)
    found = shown(await told(hass, hass_ws_client))
    assert found.index("sensor.attic_status") < found.index("sensor.seedbox_status")
    hass.config_entries.async_remove_subentry(two, seedbox.subentry_id)
    await settled(hass)
    found = shown(await told(hass, hass_ws_client))
    assert "sensor.seedbox_status" not in found
    assert "sensor.attic_status" in found


@pytest.mark.usefixtures("two")
async def test_buttons_are_there_only_while_there_is_something_to_press(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    view = await told(hass, hass_ws_client)
    (magnets, *_) = view["sections"]
    buttons = [one for one in magnets["cards"] if "tap_action" in one]
    assert {one["name"]: one["visibility"][0]["entity"] for one in buttons} == {
        "Retry queue": f"sensor.{DOMAIN}_queued_magnets",
        "Retry failed magnets": f"sensor.{DOMAIN}_failed_magnets",
        "Discard failed magnets": f"sensor.{DOMAIN}_failed_magnets",
    }
    actions = {one["perform_action"] for one in walk(view) if "perform_action" in one}
    assert actions == {
        "button.press",
        f"{DOMAIN}.retry_failed",
        f"{DOMAIN}.remove_magnets",
    }
    assert all(hass.services.has_service(*one.split(".")) for one in actions)


@pytest.mark.usefixtures("two")
async def test_it_tells_nothing_private_and_everybody_may_ask(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    primary: FakeQBittorrent,
) -> None:
    view = await told(hass, hass_ws_client, hass_read_only_access_token)
    text = json.dumps(view)
    for private in (primary.url, "127.0.0.1", TARGET, primary.settings.password, "Seedbox"):
        assert private not in text


@pytest.mark.usefixtures("two")
async def test_it_speaks_the_language_of_the_page(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    german = json.loads((FOLDER / "translations" / "de.json").read_text(encoding="utf-8"))
    view = await told(hass, hass_ws_client, language="de")
    assert headings(view)[0] == german["entity"]["event"]["magnets"]["name"]
    names = names_of_tiles(view)
    wanted = german["entity"]["sensor"]["failed_magnets"]["name"]
    assert names[f"sensor.{DOMAIN}_failed_magnets"] == wanted != "Failed magnets"
    # A language that nobody has translated yet.
    assert headings(await told(hass, hass_ws_client, language="fi"))[0] == "Magnets"


async def test_graphs_are_left_out_where_nothing_records(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, two: Any
) -> None:
    hass.config.components -= {"history", "recorder", "logbook"}
    assert headings(await told(hass, hass_ws_client)) == ["Magnets", "Servers"]


async def test_nothing_is_shown_before_it_is_set_up(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert await told(hass, hass_ws_client) is None


async def test_the_module_is_served_and_each_page_loads_it(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "http", {})
    urls = frontend.UrlManager(lambda change, url: None, [])
    hass.data[frontend.DATA_EXTRA_MODULE_URL] = urls
    hass.config.components.add("frontend")
    assert await async_setup_component(hass, DOMAIN, {})
    version = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["version"]
    assert urls.urls == {f"{URL}?v={version}"}
    client = await hass_client_no_auth()
    (url,) = urls.urls
    answer = await client.get(url)
    assert answer.status == 200
    assert "javascript" in answer.headers["Content-Type"]
    assert await answer.text() == JAVASCRIPT


async def test_it_is_set_up_without_a_frontend(hass: HomeAssistant) -> None:
    assert "frontend" not in hass.config.components
    assert await async_setup_component(hass, DOMAIN, {})
    assert frontend.DATA_EXTRA_MODULE_URL not in hass.data


def test_the_module_makes_no_markup_and_loads_nothing_from_elsewhere() -> None:
    for wrong in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "fetch(", "import"):
        assert wrong not in JAVASCRIPT, wrong
    found = re.findall(r"https?://[^\"\s]+", JAVASCRIPT)
    assert len(found) == 1  # a link to the documentation, which a click follows
    assert found[0].endswith("/docs/dashboard.md")


def test_every_word_that_the_module_says_is_there() -> None:
    """Those of the card, the dashboard's; the reasons have been there before."""
    said = set(re.findall(r"#text\(\"(\w+)\"", JAVASCRIPT)) | {"adding", "add"}
    said |= set(re.findall(r"count\(\"(\w+)\"", JAVASCRIPT))
    said |= {"added", "already_present", "already_delivered", "queued", "queued_next"}
    said |= set(re.findall(r"add_card\.(\w+)", JAVASCRIPT))
    assert said == set(TEXTS["config_panel"]["add_card"])
    view = "".join(one.read_text() for one in (FOLDER / "dashboard").glob("*.py"))
    said = set(re.findall(r"own\(\"(\w+)\"\)", view))
    said |= set(re.findall(r"\"dashboard\.(\w+)\"", JAVASCRIPT))
    assert said == set(TEXTS["config_panel"]["dashboard"])
