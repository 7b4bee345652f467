"""The texts: what is used is there, and what is there is used."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import SelectOptionDict
import pytest
import yaml

from custom_components.qbittorrent_resilient import (
    binary_sensor,
    button,
    event,
    issues,
    sensor,
    todo,
    troubles,
)
from custom_components.qbittorrent_resilient.connect import FORM_ERRORS
from custom_components.qbittorrent_resilient.core import entry as books
from custom_components.qbittorrent_resilient.core.intake import MOST_TEXTS
from custom_components.qbittorrent_resilient.core.models import InstanceStatus
from custom_components.qbittorrent_resilient.forms import (
    TARGETS_SCHEMA,
    credentials_schema,
    instance_schema,
    options_schema,
)
from custom_components.qbittorrent_resilient.services import _SCHEMAS

FOLDER = Path(__file__).parents[1] / "custom_components" / "qbittorrent_resilient"
TEXTS: dict[str, Any] = json.loads((FOLDER / "translations" / "en.json").read_text())
ACTIONS: dict[str, Any] = yaml.safe_load((FOLDER / "services.yaml").read_text())
INSTANCE = instance_schema(vpn_watched=True, next_priority=1)
NEW_INSTANCE = instance_schema(
    vpn_watched=True,
    next_priority=1,
    known_servers=[SelectOptionDict(value="entry", label="Seedbox")],
)
CREDENTIALS = credentials_schema(by_key=True).extend(credentials_schema(by_key=False).schema)
FORMS = {
    ("config", "user"): TARGETS_SCHEMA,
    ("config", "reconfigure"): TARGETS_SCHEMA,
    ("config", "instance"): NEW_INSTANCE,
    ("config", "reauth_confirm"): CREDENTIALS,
    ("config_subentries", "user"): NEW_INSTANCE,
    ("config_subentries", "reconfigure"): INSTANCE,
    ("options", "init"): options_schema({}),
}


def trees(*names: str) -> Iterator[ast.AST]:
    """Yield every node of some modules, or of all."""
    for path in sorted(FOLDER.rglob("*.py")):
        if not names or path.name in names:
            yield from ast.walk(ast.parse(path.read_text()))


def keywords(name: str, *modules: str) -> set[str]:
    """Return the texts that are passed under a keyword."""
    return {
        node.value.value
        for node in trees(*modules)
        if isinstance(node, ast.keyword)
        and node.arg == name
        and isinstance(node.value, ast.Constant)
    }


def flow_texts(flow: str) -> dict[str, Any]:
    texts: dict[str, Any] = TEXTS[flow]
    return texts["instance"] if flow == "config_subentries" else texts


@pytest.mark.parametrize(("flow", "step"), FORMS)
def test_forms(flow: str, step: str) -> None:
    check_form(FORMS[flow, step].schema, flow_texts(flow)["step"][step])


def check_form(schema: dict[Any, Any], texts: dict[str, Any]) -> None:
    plain = {str(key) for key, kind in schema.items() if not isinstance(kind, section)}
    assert texts["data"].keys() == plain
    assert texts["data_description"].keys() == plain
    sections = {str(key): kind for key, kind in schema.items() if isinstance(kind, section)}
    assert texts.get("sections", {}).keys() == sections.keys()
    for name, kind in sections.items():
        assert texts["sections"][name]["name"]
        check_form(kind.schema.schema, texts["sections"][name])


def test_steps() -> None:
    shown = {
        "config": keywords("step_id", "config_flow.py") - {"init"},
        "options": {"init"},
    }
    for flow, steps in shown.items():
        assert TEXTS[flow]["step"].keys() == steps
    asked = {
        node.args[0].value
        for node in trees("instance_flow.py")
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_show"
        and isinstance(node.args[0], ast.Constant)
    }
    texts = flow_texts("config_subentries")
    assert texts["step"].keys() == asked == texts["initiate_flow"].keys()
    assert texts["entry_type"]
    menu = TEXTS["config"]["step"]["more"]
    options = {
        one.value
        for node in trees("config_flow.py")
        if isinstance(node, ast.keyword)
        and node.arg == "menu_options"
        and isinstance(node.value, ast.List)
        for one in node.value.elts
        if isinstance(one, ast.Constant)
    }
    assert menu["menu_options"].keys() == options


def raised_errors() -> set[str]:
    """Return every error word that the forms can show."""
    words = set(FORM_ERRORS.values())
    for node in trees("forms.py"):
        # errors[FIELD] = "word", also with a condition, and {FIELD: "word"}
        values: list[ast.expr] = []
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            values = [node.value]
        elif isinstance(node, ast.Dict):
            values = node.values
        for value in values:
            options = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            words |= {
                one.value
                for one in options
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    for node in trees("connect.py"):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
            words |= {str(node.value.value)} - {"None"}
    return words


def test_errors() -> None:
    raised = raised_errors()
    # Those that the README names are all there.
    assert raised >= {
        "cannot_connect",
        "timeout",
        "ssl_error",
        "invalid_url",
        "invalid_auth",
        "banned",
        "host_rejected",
        "not_qbittorrent",
        "already_configured",
        "icmp_not_permitted",
        "invalid_target",
        "vpn_required",
        "unknown",
    }
    assert TEXTS["config"]["error"].keys() == raised
    only_targets = {"icmp_not_permitted", "invalid_target"}
    assert flow_texts("config_subentries")["error"].keys() == raised - only_targets
    both = flow_texts("config_subentries")["error"].keys() & TEXTS["config"]["error"].keys()
    for word in both:
        assert TEXTS["config"]["error"][word] == flow_texts("config_subentries")["error"][word]


def test_aborts() -> None:
    assert TEXTS["config"]["abort"].keys() == {
        "already_in_progress",
        "reconfigure_successful",
        "single_instance_allowed",
    } | keywords("reason", "config_flow.py")
    assert "reconfigure_successful" in flow_texts("config_subentries")["abort"]


def test_entities() -> None:
    described = {
        "binary_sensor": [binary_sensor.VPN, binary_sensor.INSTANCE],
        "button": list(button.BUTTONS),
        "event": [event.MAGNETS],
        "sensor": [*sensor.QUEUE_SENSORS, *sensor.VPN_SENSORS, sensor.STATUS],
        "todo": [todo.QUEUE],
    }
    icons = json.loads((FOLDER / "icons.json").read_text())["entity"]
    platforms = {path.stem for path in FOLDER.glob("*.py")} & {
        "binary_sensor",
        "button",
        "event",
        "sensor",
        "todo",
    }
    assert TEXTS["entity"].keys() == icons.keys() == platforms
    for platform, descriptions in described.items():
        keys = {one.key for one in descriptions}
        assert keys == {one.translation_key for one in descriptions}
        assert keys == keywords("key", f"{platform}.py")
        assert TEXTS["entity"][platform].keys() == icons[platform].keys() == keys
        assert all(text["name"] for text in TEXTS["entity"][platform].values())
    states = TEXTS["entity"]["sensor"]["status"]["state"]
    assert list(states) == list(icons["sensor"]["status"]["state"]) == list(InstanceStatus)
    told = TEXTS["entity"]["event"]["magnets"]["state_attributes"]
    assert set(told["event_type"]["state"]) == set(event.MAGNETS.event_types or ())
    # Those of `ok` servers have none; the others wait for what the status says.
    reasons = {books.UNCERTAIN, books.NO_INSTANCE, books.REJECTED, books.EXPIRED}
    reasons |= {books.REMOVED, books.INVALID_MAGNET, *InstanceStatus} - {InstanceStatus.OK}
    assert told["reason"]["state"].keys() == reasons
    for status, text in states.items():
        assert told["reason"]["state"].get(status) == (None if status == "ok" else text)


def test_exceptions() -> None:
    entities = {key for texts in TEXTS["entity"].values() for key in texts}
    assert TEXTS["exceptions"].keys() == keywords("translation_key") - entities


def test_placeholders_of_exceptions() -> None:
    calls = {}
    for node in trees():
        if isinstance(node, ast.Call):
            given = {one.arg: one.value for one in node.keywords}
            key, values = given.get("translation_key"), given.get("translation_placeholders")
            if isinstance(key, ast.Constant) and "translation_domain" in given:
                names = values.keys if isinstance(values, ast.Dict) else []
                calls[key.value] = {one.value for one in names if isinstance(one, ast.Constant)}
    assert calls.keys() == TEXTS["exceptions"].keys()
    for key, names in calls.items():
        assert set(re.findall(r"{(\w+)}", TEXTS["exceptions"][key]["message"])) == names


def test_issues() -> None:
    """Each has a title, and either a description or what a fix asks for."""
    names = {
        value
        for module in (issues, troubles)
        for key, value in vars(module).items()
        if key.isupper() and isinstance(value, str) and value in TEXTS["issues"]
    }
    assert TEXTS["issues"].keys() == names
    for texts in TEXTS["issues"].values():
        assert texts["title"]
        assert ("description" in texts) is not ("fix_flow" in texts)


def action_fields(fields: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return an action's fields, out of their sections, and the names of the sections."""
    plain, sections = {}, set()
    for name, field in fields.items():
        if "fields" in field:
            sections.add(name)
            plain |= field["fields"]
        else:
            plain[name] = field
    return plain, sections


def test_actions() -> None:
    assert TEXTS["services"].keys() == ACTIONS.keys()
    selectors = set()
    for name, action in ACTIONS.items():
        texts = TEXTS["services"][name]
        assert texts["name"]
        assert texts["description"]
        fields, sections = action_fields((action or {}).get("fields", {}))
        assert texts.get("fields", {}).keys() == fields.keys()
        assert texts.get("sections", {}).keys() == sections
        for field in texts.get("fields", {}).values():
            assert field["name"]
            assert field["description"]
        for field in fields.values():
            assert field["selector"]
            for kind in field["selector"].values():
                if kind and "translation_key" in kind:
                    selectors.add(kind["translation_key"])
                    options = TEXTS["selector"][kind["translation_key"]]["options"]
                    assert list(options) == kind["options"]
    assert TEXTS.get("selector", {}).keys() == selectors


def test_actions_take_the_fields_that_are_described() -> None:
    for name, schema in _SCHEMAS.items():
        fields, _ = action_fields((ACTIONS[name] or {}).get("fields", {}))
        assert {str(key) for key in schema.schema} == fields.keys()
        for key in schema.schema:
            if type(key).__name__ == "Required":
                assert fields[str(key)]["required"] is True
            elif callable(getattr(key, "default", None)) and "default" in fields[str(key)]:
                assert key.default() == fields[str(key)]["default"]


def test_selectors_take_what_their_texts_say() -> None:
    """Several links pasted into a field of one line would be glued together."""
    fields, _ = action_fields(ACTIONS["add_magnets"]["fields"])
    assert fields["magnets"]["selector"] == {"text": {"multiline": True}}
    number = fields["max_downloads"]["selector"]["number"]
    assert (number["min"], number["max"]) == (1, MOST_TEXTS)


def test_texts_are_plain() -> None:
    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for one in value.values():
                yield from walk(one)
        else:
            yield value

    known = {"config", "config_subentries", "options", "entity", "exceptions", "selector"}
    assert TEXTS.keys() == known | {
        "conditions",
        "issues",
        "services",
        "system_health",
        "triggers",
    }
    for text in walk(TEXTS):
        assert isinstance(text, str)
        assert text == text.strip() != ""
        assert "[%" not in text
        assert "<" not in text  # hassfest refuses HTML
        assert not re.search(r"'\{\w+\}'", text)  # and quotes around placeholders
    used = flow_texts("config")["step"]["more"]["description"]
    assert re.findall(r"{(\w+)}", used) == ["instances"]
