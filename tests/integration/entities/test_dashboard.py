"""The dashboard: cards that come with Home Assistant, entities that exist, templates that work."""

from collections.abc import Iterator
import importlib.util
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.template import Template
from homeassistant.util import yaml as yaml_util
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.actions import add
from tests.support.common import TARGET, FakeVpn, Start, instance, link, settled
from tests.support.fake.server import FakeQBittorrent
from tools.dashboards.sample import files
from tools.demo.dashboard import SAMPLE

FOLDER = Path(__file__).parents[3] / "dashboards"
CARDS = {
    "button",
    "conditional",
    "custom:qbittorrent-resilient-add",
    "glance",
    "grid",
    "heading",
    "history-graph",
    "logbook",
    "markdown",
    "sections",
    "statistics-graph",
    "tile",
    "todo-list",
    "vertical-stack",
}
"""Of those in the frontend's create-card-element.ts and, for the view, create-view-element.ts."""


def read(name: str) -> str:
    return (FOLDER / name).read_text()


def with_comments_taken_away(name: str) -> str:
    """Return a file as it is when the user has followed its hints."""
    return SAMPLE.sub(lambda found: re.sub(r"(?m)^( +)# ", r"\1", found[0]), read(name))


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a dashboard."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from walk(one)


def entities(text: str) -> set[str]:
    """Return what the file names, comments aside."""
    data = repr(yaml_util.parse_yaml(text))
    return set(re.findall(r"\b(?:binary_sensor|button|event|sensor|todo)\.\w+\b", data)) - {
        "button.press"
    }


@pytest.fixture
async def ready(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    entity_registry: er.EntityRegistry,
) -> None:
    """Set two servers up, and enable the to-do lists."""
    entry = await start(
        instance("seedbox", primary, requires_vpn=True),
        instance("attic", secondary, priority=2),
        targets=(TARGET,),
    )
    await settled(hass)
    for key in ("queue", "failed"):
        todo = entity_registry.async_get_entity_id("todo", DOMAIN, f"hub_{key}")
        assert todo is not None
        entity_registry.async_update_entity(todo, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)


NAMES = sorted(one.name for one in FOLDER.iterdir())


def test_both_are_there() -> None:
    assert NAMES == ["phone-card.yaml", "view.yaml"]


def test_they_are_what_the_integration_makes() -> None:
    """If not: python -m tools.dashboards."""
    assert {path.name: text for path, text in files().items()} == {
        name: read(name) for name in NAMES
    }


@pytest.fixture(params=["en", "de", "fr", "es", "nl", "pl", "pt-BR", "zh-Hans"])
def language(hass: HomeAssistant, request: pytest.FixtureRequest) -> str:
    """Let Home Assistant speak each language; of some it would make entity ids from its words."""
    hass.config.language = request.param
    return hass.config.language


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("load", [read, with_comments_taken_away])
@pytest.mark.usefixtures("language", "ready")
async def test_every_entity_exists(hass: HomeAssistant, name: str, load: Any) -> None:
    text = load(name)
    found = entities(text)
    assert ("sensor.seedbox_status" in found) == (load is with_comments_taken_away)
    assert len(found) > 4
    assert not {one for one in found if hass.states.get(one) is None}


@pytest.mark.parametrize("name", NAMES)
def test_every_card_is_built_in_or_ours(name: str) -> None:
    data: Any = yaml_util.parse_yaml(with_comments_taken_away(name))
    # A mapping of nothing but a type is a name that the frontend looks up.
    types = {one["type"] for one in walk(data) if "type" in one and len(one) > 1}
    assert types <= CARDS
    assert {"tile"} <= types


def test_cards_are_known_to_the_frontend() -> None:
    """The list above is true for the frontend that is installed, if one is."""
    spec = importlib.util.find_spec("hass_frontend")
    if spec is None or spec.origin is None:
        pytest.skip("no frontend is installed")
    scripts = Path(spec.origin).parent / "frontend_latest"
    texts = (one.read_text() for one in scripts.glob("*.js"))
    lazy = next(text for text in texts if '"discovered-devices":()=>' in text)
    known = set(re.findall(r'"?([a-z]+(?:-[a-z]+)*)"?:\(\)=>', lazy))
    for names in re.findall(r'new Set\(\[("[a-z-]+"(?:,"[a-z-]+")*)\]\)', lazy):
        known |= set(re.findall(r'"([a-z-]+)"', names))
    # Views are made elsewhere.
    assert known >= {one for one in CARDS if not one.startswith("custom:")} - {"sections"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("ready")
async def test_every_action_exists(hass: HomeAssistant, name: str) -> None:
    data: Any = yaml_util.parse_yaml(read(name))
    actions = {one["perform_action"] for one in walk(data) if "perform_action" in one}
    assert actions
    assert all(hass.services.has_service(*one.split(".")) for one in actions)
    assert {one["action"] for one in walk(data) if "action" in one} == {"perform-action"}


def markdown() -> list[str]:
    data: Any = yaml_util.parse_yaml(read("view.yaml"))
    return [one["content"] for one in walk(data) if one.get("type") == "markdown"]


@pytest.mark.usefixtures("ready")
async def test_servers_are_found(hass: HomeAssistant, secondary: FakeQBittorrent) -> None:
    await secondary.refuse()
    await hass.services.async_call(DOMAIN, "check_health", {}, blocking=True, return_response=True)
    await settled(hass)
    _, _, table = markdown()
    lines = Template(table, hass).async_render(parse_result=False).splitlines()
    assert lines[:2] == ["| Server | Status | For |", "|:--|:--|:--|"]
    assert sorted(line.rpartition("| ")[0].strip() for line in lines[2:]) == [
        "| Attic | ⚠️ Unreachable",
        "| Seedbox | ✅ OK",
    ]
    assert all(re.search(r"\| \d+ seconds? \|$", line) for line in lines[2:])


async def test_server_that_requires_the_vpn_has_one_row(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    """Its route is an enum as well, and no status."""
    await start(instance("seedbox", primary, requires_vpn=True), targets=(TARGET,))
    await settled(hass)
    _, _, table = markdown()
    lines = Template(table, hass).async_render(parse_result=False).splitlines()
    assert [line.rpartition("| ")[0].strip() for line in lines[2:]] == ["| Seedbox | ✅ OK"]


@pytest.mark.usefixtures("ready")
async def test_last_event(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    last, _, _ = markdown()

    def shown() -> str:
        return str(Template(last, hass).async_render(parse_result=False))

    assert shown() == "Nothing has happened since the start."
    await add(hass, link(1), link(2))
    await settled(hass)
    assert re.fullmatch(
        r"\*\*Added:\*\* 2, Seedbox, \d+ seconds? ago\n\nTorrent 1, Torrent 2", shown()
    )
    await add(hass, "magnet:?bogus", link(1))
    await settled(hass)
    assert re.fullmatch(
        r"\*\*Failed:\*\* 1 \(Not a valid magnet link\), \d+ seconds? ago", shown().strip()
    )
