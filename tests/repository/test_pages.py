"""The pages name what the code has, all of it, and nothing else."""

import ast
from collections.abc import Iterator
import json
import re
from typing import Any

import pytest
import yaml

from custom_components.qbittorrent_resilient.const import DEFAULT_OPTIONS, DOMAIN
from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.events import EventType
from custom_components.qbittorrent_resilient.core.health.route import RouteState
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus, VpnState
from custom_components.qbittorrent_resilient.core.outbox.job import Reason
from custom_components.qbittorrent_resilient.flows.forms import options_schema
from tests.support.pages import COMING_PAGES, ROOT, Page, codes, first_names, rows

# What the README tells of, and what comes with other changes: empty this then.
COMING_ENTITIES = {"delivered_magnets", "last_delivery", "failed"}

FOLDER = ROOT / "custom_components" / DOMAIN
TEXTS = json.loads((FOLDER / "translations" / "en.json").read_text())
ENTITIES = {key: text for kind in TEXTS["entity"].values() for key, text in kind.items()}

README, ACTIONS = Page("README.md"), Page("docs/actions.md")
AUTOMATIONS, SETTINGS, VPN = (Page(f"docs/{one}.md") for one in ("automations", "settings", "vpn"))
MORE = [Page(f"docs/{one}.md") for one in ("how-it-works", "benchmark", "dashboard")]
FOR_USERS = [
    page
    for page in (README, ACTIONS, AUTOMATIONS, SETTINGS, VPN, *MORE)
    if page.name not in COMING_PAGES
]
FOR_DEVELOPERS = [
    Page("CONTRIBUTING.md"),
    *(Page(f"docs/{one}.md") for one in ("architecture", "reliability", "qbittorrent")),
]

# Names in the pages that are others': of what, and where one finds them.
FOREIGN = {
    # Home Assistant
    *("response_variable", "allowlist_external_dirs", "target", "for", "behavior"),
    *("each", "first", "all", "any", "true", "false", "null", "transmission.add_torrent"),
    # Docker, gluetun's states, interfaces, a library
    *("network_mode", "running", "stopped", "stopping", "starting", "crashed"),
    *("tun0", "wg0", "icmplib"),
}


def fields_of(described: dict[str, Any] | None) -> Iterator[str]:
    """Yield the fields of an action, a trigger or a condition; a section is none itself."""
    for name, field in ((described or {}).get("fields") or {}).items():
        if "fields" in (field or {}):
            yield from fields_of(field)
        else:
            yield name


def described(kind: str) -> dict[str, list[str]]:
    """Return the names in a YAML file of the integration, each with its fields."""
    content = yaml.safe_load((FOLDER / f"{kind}.yaml").read_text())
    return {name: list(fields_of(one)) for name, one in content.items() if not name.startswith(".")}


SERVICES, TRIGGERS, CONDITIONS = (described(one) for one in ("services", "triggers", "conditions"))
INSTANCE_STEP = TEXTS["config"]["step"]["instance"]
SERVER_FIELDS: dict[str, str] = INSTANCE_STEP["data"] | {
    key: label for one in INSTANCE_STEP["sections"].values() for key, label in one["data"].items()
}
VPN_FIELDS: dict[str, str] = TEXTS["config"]["step"]["user"]["data"]
OPTIONS: dict[str, str] = TEXTS["options"]["step"]["init"]["data"]


def response_keys() -> set[str]:
    """Return every key that the response of an action may have."""
    found = set()
    for name in ("responses", "link_responses"):
        for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text())):
            keys = node.keys if isinstance(node, ast.Dict) else []
            found |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return found


RESPONSES = response_keys()
KNOWN: set[str] = {
    *(*SERVICES, *TRIGGERS, *CONDITIONS, *ENTITIES, *COMING_ENTITIES, *RESPONSES),
    *(field for kind in (SERVICES, TRIGGERS, CONDITIONS) for one in kind.values() for field in one),
    *(*SERVER_FIELDS, *INSTANCE_STEP["sections"], *VPN_FIELDS, *OPTIONS),
    *(*InstanceStatus, *RouteState, *VpnState, *Reason, *EventType, *Fate),
    *TEXTS["entity"]["event"]["magnets"]["state_attributes"],
    *(word for one in ("list", "stopped") for word in TEXTS["selector"][one]["options"]),
}


def problem(name: str) -> str | None:
    """Return what is wrong with a name in backticks; None if nothing is, or it is no name."""
    if match := re.fullmatch(r"([a-z_0-9]+): .+", name):  # a field with its value
        name = match[1]
    if match := re.fullmatch(rf"\w+\.{DOMAIN}_(\w+)", name):  # an entity
        return None if match[1] in {*ENTITIES, *COMING_ENTITIES} else "no such entity"
    if match := re.fullmatch(rf"{DOMAIN}\.(\w+)", name):
        return None if match[1] in {*SERVICES, *TRIGGERS, *CONDITIONS} else "no such action"
    if match := re.fullmatch(r"trigger\.(\w+)", name):
        return None if f'"{match[1]}"' in DOORS or f"{match[1]}=" in DOORS else "not in a trigger"
    is_name = re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z_]+)?", name) and not name.endswith(".md")
    return "not in the code" if is_name and name not in KNOWN | FOREIGN else None


DOORS = "".join(one.read_text() for one in (FOLDER / "doors").glob("*.py"))


@pytest.mark.parametrize("page", FOR_USERS, ids=lambda page: page.name)
def test_every_name_is_in_the_code(page: Page) -> None:
    wrong = {name: what for name in page.names if (what := problem(name)) is not None}
    assert not wrong


@pytest.mark.parametrize(
    "name",
    [
        "add_magnet",
        "quick_check",
        "wait_for: 3",
        "sensor.qbittorrent_resilient_speed",
        "qbittorrent_resilient.add_magnet",
        "trigger.torrents",
    ],
)
def test_a_name_that_is_not_in_the_code_is_noticed(name: str) -> None:
    assert problem(name)


def test_nothing_is_said_to_come_that_is_here() -> None:
    for platform, key in (
        ("sensor", "delivered_magnets"),
        ("sensor", "last_delivery"),
        ("todo", "failed"),
    ):
        assert not (key in TEXTS["entity"][platform] and key in COMING_ENTITIES), key
    assert not [name for name in COMING_PAGES if (ROOT / name).exists()]


@pytest.mark.parametrize("page", FOR_DEVELOPERS, ids=lambda page: page.name)
def test_names_for_developers_are_somewhere(page: Page) -> None:
    sources = [
        one.read_text()
        for folder in ("custom_components", "tests", "tools", "script", ".ci")
        for one in (ROOT / folder).rglob("*")
        if one.is_file() and one.suffix in (".py", ".json", ".yaml", ".toml", "")
    ]
    words = set(re.findall(r"\w+", "\n".join(sources)))
    names = {name for name in page.names if re.fullmatch(r"[a-z]\w*_\w+", name)}
    assert names <= words, names - words


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a block of YAML."""
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from walk(one)
    if isinstance(value, dict):
        yield value


@pytest.mark.parametrize("page", FOR_USERS, ids=lambda page: page.name)
def test_examples_are_right(page: Page) -> None:
    for block in page.yaml_blocks():
        for one in walk(block):
            for word, kind, where in (
                ("action", SERVICES, "data"),
                ("trigger", TRIGGERS, "options"),
                ("condition", CONDITIONS, "options"),
            ):
                name = str(one.get(word, ""))
                if name.startswith(f"{DOMAIN}."):
                    name = name.removeprefix(f"{DOMAIN}.")
                    assert name in kind
                    assert set(one.get(where) or {}) <= set(kind[name])
            if "info_hash" in one:
                assert set(one) <= RESPONSES
                assert one.get("status", Fate.ADDED) in Fate
                assert one.get("reason", "ok") in {*Reason, *InstanceStatus}


def test_every_action_and_its_fields_are_told() -> None:
    assert first_names(ACTIONS.text.partition("## Add magnets")[0]) == sorted(
        SERVICES, key=list(SERVICES).index
    )
    assert set(_field_names(ACTIONS.section("Add magnets").partition("### ")[0])) == set(
        SERVICES["add_magnets"]
    )
    told = {
        codes(row[0])[0]: {name.partition(":")[0] for name in codes(row[1])}
        for row in rows(ACTIONS.section("Work with the queue"))
    }
    assert told.keys() == SERVICES.keys() - {"add_magnets", "check_health"}
    for action, names in told.items():
        assert names - {"queued", "failed"} == set(SERVICES[action]), action


def _field_names(text: str) -> list[str]:
    return [name for name in first_names(text) if re.fullmatch(r"\w+", name)]


def test_every_key_of_a_response_is_told() -> None:
    told = {key for block in ACTIONS.yaml_blocks() for one in walk(block) for key in one}
    assert told | {*ACTIONS.names} >= RESPONSES


def test_every_status_is_told() -> None:
    assert first_names(README.section("Troubleshooting")) == list(InstanceStatus)


def test_every_reason_is_told() -> None:
    told = first_names(ACTIONS.section("Reasons"))
    assert set(told) == {*Reason, "vpn_down", "ok"}


def test_every_outcome_of_an_add_is_told() -> None:
    assert {*Fate} <= set(ACTIONS.names)


def test_every_trigger_and_condition_is_told() -> None:
    for heading, kind in (("Triggers", TRIGGERS), ("Conditions", CONDITIONS)):
        told = {codes(row[0])[0]: row[2] for row in rows(AUTOMATIONS.section(heading))}
        assert told.keys() == kind.keys()
        for name, options in told.items():
            assert set(codes(re.sub(r"\([^)]*\)", "", options))) == set(kind[name]), name


def test_every_event_is_told() -> None:
    section = AUTOMATIONS.section("Events")
    assert set(first_names(section)) == {*EventType}
    attributes = TEXTS["entity"]["event"]["magnets"]["state_attributes"].keys() - {"event_type"}
    assert attributes <= set(codes(section))


def test_every_route_is_told() -> None:
    assert first_names(VPN.section("What the route sensor says")) == list(RouteState)


def test_every_entity_is_told_by_its_name() -> None:
    told: dict[str, str] = {}
    for name, keys, *_ in rows(README.section("Dashboard and entities")):
        told |= dict.fromkeys(codes(keys), name.lower())
    assert told.keys() == ENTITIES.keys() | COMING_ENTITIES
    for key, name in told.items():
        if key in ENTITIES:
            assert ENTITIES[key]["name"].lower() in name, key


@pytest.mark.parametrize(
    ("heading", "fields"),
    [("VPN", VPN_FIELDS), ("A server", SERVER_FIELDS), ("Options", OPTIONS)],
)
def test_every_setting_is_told_by_its_label(heading: str, fields: dict[str, str]) -> None:
    told: dict[str, str] = {}
    for row in rows(SETTINGS.section(heading)):
        for cell in row[:2]:
            if match := re.fullmatch(r"([^`]+) \((`[^)]+)\)", cell):
                keys = codes(match[2])
                labels = match[1].split(", ") if len(keys) > 1 else [match[1]]
                told |= {key: label.lower() for key, label in zip(keys, labels, strict=True)}
    sections = INSTANCE_STEP["sections"] if heading == "A server" else {}
    wanted = fields | {key: one["name"].partition(" ")[0] for key, one in sections.items()}
    assert told == {key: label.lower() for key, label in wanted.items()}


def test_defaults_and_ranges_of_options_are_right() -> None:
    ranges = {
        str(marker): validator.validators[0].config
        for marker, validator in options_schema({}).schema.items()
        if hasattr(validator, "validators")
    }
    told = {codes(row[0])[0]: row for row in rows(SETTINGS.section("Options"))}
    for name, config in ranges.items():
        default, range_ = told[name][1], told[name][2]
        assert default.split()[0] == str(DEFAULT_OPTIONS[name]), name
        low, high = int(config["min"]), int(config["max"])
        assert range_.split()[0] == f"{low}–{high}", name
    for name in OPTIONS.keys() - ranges.keys():
        assert told[name][1] == ("off" if DEFAULT_OPTIONS[name] is False else "empty"), name


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 12 * 1024
