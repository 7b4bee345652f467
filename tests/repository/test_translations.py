"""The texts: what is used is there, and what is there is used."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import NumberSelector, NumberSelectorConfig, SelectOptionDict
import pytest
import yaml

from custom_components.qbittorrent_resilient import binary_sensor, button, event, sensor, todo
from custom_components.qbittorrent_resilient.const import POSTED_FILES
from custom_components.qbittorrent_resilient.core.events import EventType
from custom_components.qbittorrent_resilient.core.health.route import RouteState
from custom_components.qbittorrent_resilient.core.health.route_record import Source
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus, VpnState
from custom_components.qbittorrent_resilient.core.intake import MOST_TEXTS
from custom_components.qbittorrent_resilient.core.outbox.job import Reason
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import UrlFault
from custom_components.qbittorrent_resilient.flows import connection_test, gluetun_form
from custom_components.qbittorrent_resilient.flows.credentials_form import credentials_schema
from custom_components.qbittorrent_resilient.flows.forms import instance_schema, options_schema
from custom_components.qbittorrent_resilient.flows.instance_finding import (
    Finding as InstanceFinding,
)
from custom_components.qbittorrent_resilient.flows.target_form import TARGETS_SCHEMA
from custom_components.qbittorrent_resilient.flows.target_trial import Finding
from custom_components.qbittorrent_resilient.issues import IssueKind
from custom_components.qbittorrent_resilient.services import _SCHEMAS
from custom_components.qbittorrent_resilient.settings import STOPPED

FOLDER = Path(__file__).parents[2] / "custom_components" / "qbittorrent_resilient"
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

FINDINGS: dict[str, dict[str, set[str]]] = {
    "vpn_target": {finding.value: {"target"} for finding in Finding if finding is not Finding.OWN},
    "instance_finding": {
        finding.value: {"name", "interface"} if finding in ("bound", "missing") else {"name"}
        for finding in InstanceFinding
    },
    "connection_trial": {
        "known": {"servers"},
        "connected": {"version"},
        "redirect": {"place"},
        "certificate": set(),
        "speaks_http": set(),
        "speaks_https": set(),
    },
    "activity": {"leak": {"instance"}}
    | {
        f"{kind}_{number}": {"count", "reason" if kind in ("queued", "failed") else "instance"}
        for kind in EventType
        if kind is not EventType.LEAK
        for number in ("one", "other")
    },
    "device_model": {"hub": set()},
    "system_health": {"instances_ok": {"usable", "all"}, "vpn_not_watched": set()}
    | {f"vpn_{state}": set() for state in VpnState},
    "url_hint": {fault.value: set() for fault in UrlFault},
    "home_address": {"known": {"addresses"}, "unknown": set()},
}
"""The tables of what the flows found out, with the gaps in their texts."""
CHOICES = {"stopped": STOPPED}
"""What can be chosen in the forms."""


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
    asked = first_arguments("_async_ask_for_targets", "config_flow.py")
    shown = {
        "config": keywords("step_id", "config_flow.py") - {"init"} | asked,
        "options": {"init"},
    }
    for flow, steps in shown.items():
        assert TEXTS[flow]["step"].keys() == steps
    texts = flow_texts("config_subentries")
    asked = first_arguments("_show", "instance_flow.py")
    assert texts["step"].keys() == asked == texts["initiate_flow"].keys()
    assert texts["entry_type"]


def first_arguments(method: str, module: str) -> set[str]:
    """Return the texts that a module passes to a method as its first argument."""
    return {
        node.args[0].value
        for node in trees(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        and isinstance(node.args[0], ast.Constant)
    }


def test_menus() -> None:
    options = {
        str(step.value): {
            one.value
            for part in ast.walk(given["menu_options"])
            if isinstance(part, ast.List)
            for entry in part.elts
            for one in ([entry.body, entry.orelse] if isinstance(entry, ast.IfExp) else [entry])
            if isinstance(one, ast.Constant)
        }
        for node in trees("config_flow.py")
        if isinstance(node, ast.Call)
        and (given := {one.arg: one.value for one in node.keywords})
        and "menu_options" in given
        and isinstance(step := given["step_id"], ast.Constant)
    }
    assert options.keys() == {"more", "targets"}
    for step, names in options.items():
        assert TEXTS["config"]["step"][step]["menu_options"].keys() == names


def raised_errors() -> set[str]:
    """Return every error word that the forms can show."""
    words = {*connection_test.FORM_ERRORS.values(), *gluetun_form.FORM_ERRORS.values()}
    for node in trees(
        "forms.py", "instance_check.py", "credentials_form.py", "proxy_form.py", "target_form.py"
    ):
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
    words.add(connection_test.PROXY_AUTH_FAILED)
    for node in trees("connection_test.py"):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Trial":
            words |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
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
        "target_is_local",
        "vpn_required",
        "proxy_auth_failed",
        "gluetun_cannot_connect",
        "gluetun_auth",
        "unknown",
    }
    only_options = {"invalid_fetch_proxy"}
    assert TEXTS["options"]["error"].keys() == only_options
    raised -= only_options
    assert TEXTS["config"]["error"].keys() == raised
    only_targets = {"icmp_not_permitted", "invalid_target", "target_is_local"}
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
        "sensor": [
            *(*sensor.QUEUE_SENSORS, *sensor.VPN_SENSORS, *sensor.ROUTE_SENSORS, sensor.STATUS)
        ],
        "todo": [todo.QUEUE, todo.FAILED],
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
    routes = TEXTS["entity"]["sensor"]["route"]
    assert list(routes["state"]) == list(icons["sensor"]["route"]["state"]) == list(RouteState)
    kinds = {f"{source}_ipv{version}" for source in Source for version in (4, 6)}
    assert routes["state_attributes"]["evidence"]["state"].keys() == kinds | {"port_mapping"}
    told = TEXTS["entity"]["event"]["magnets"]["state_attributes"]
    assert set(told["event_type"]["state"]) == set(event.MAGNETS.event_types or ())
    # Those of `ok` servers have none; the others wait for what the status says.
    reasons = {*Reason, *InstanceStatus} - {InstanceStatus.OK}
    assert told["reason"]["state"].keys() == reasons
    for status, text in states.items():
        assert told["reason"]["state"].get(status) == (None if status == "ok" else text)


def test_exceptions() -> None:
    entities = {key for texts in TEXTS["entity"].values() for key in texts}
    assert TEXTS["exceptions"].keys() == keywords("translation_key") - entities - CHOICES.keys()


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
    assert TEXTS["issues"].keys() == set(IssueKind)
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
    assert TEXTS["selector"].keys() - FINDINGS.keys() - CHOICES.keys() == selectors


@pytest.mark.parametrize("table", CHOICES)
def test_choices(table: str) -> None:
    assert list(TEXTS["selector"][table]["options"]) == list(CHOICES[table])


@pytest.mark.parametrize("table", FINDINGS)
def test_findings(table: str) -> None:
    """Each has a text, with these gaps."""
    texts = TEXTS["selector"][table]["options"]
    gaps = {key: set(re.findall(r"{(\w+)}", text)) for key, text in texts.items()}
    assert gaps == FINDINGS[table]


def test_actions_take_the_fields_that_are_described() -> None:
    for name, schema in _SCHEMAS.items():
        fields, _ = action_fields((ACTIONS[name] or {}).get("fields", {}))
        described = [key for key in schema.schema if key != POSTED_FILES]
        assert {str(key) for key in described} == fields.keys()
        for key in described:
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


def numbers(schema: dict[Any, Any]) -> Iterator[tuple[str, NumberSelectorConfig]]:
    """Yield the fields of a form that take a number, and what they take."""
    for key, kind in schema.items():
        for validator in getattr(kind, "validators", [kind]):
            if isinstance(validator, NumberSelector):
                yield str(key), validator.config


@pytest.mark.parametrize(("flow", "step"), FORMS)
def test_ranges_stand_in_the_descriptions(flow: str, step: str) -> None:
    """The frontend shows no range beside a field, and refuses what is outside without a word."""
    texts = flow_texts(flow)["step"][step]["data_description"]
    for name, config in numbers(FORMS[flow, step].schema):
        said = re.findall(r"\d+", texts[name])
        assert {f"{config[end]:.0f}" for end in ("min", "max") if end in config} <= {*said}, name


def test_forms_take_numbers() -> None:
    """Else the test above would look at nothing."""
    found = {name for form in FORMS.values() for name, _ in numbers(form.schema)}
    assert found >= {"priority", "scan_interval", "queue_expiry"}


_IN_FLOWS = (
    r"(config|config_subentries\.\w+|options)\.(error\..*|step\.\w+"
    r"(\.(title|data\..*|menu_options\..*)|\.sections\.\w+\.(name|description|data\..*)))"
)
PLAIN = re.compile(
    rf"{_IN_FLOWS}|(config_panel|exceptions|services|entity|triggers|conditions)\..*|.*\.title"
    r"|selector\.(connection_trial|url_hint|list)\..*"
)
"""Where the frontend renders no Markdown; what descriptions of steps, fields and repairs hold, it
renders. The texts of a selector stand in errors, if no description has a gap for them."""


def test_no_markdown_where_none_is_rendered() -> None:
    def walk(value: Any, *path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for key, one in value.items():
                yield from walk(one, *path, key)
        else:
            yield ".".join(path), value

    plain = {path: text for path, text in walk(TEXTS) if PLAIN.fullmatch(path)}
    assert len(plain) > 200
    assert "config.error.invalid_url" in plain
    assert not {path for path, text in plain.items() if re.search(r"[`*]|\]\(", text)}


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
        "config_panel",
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
    assert re.findall(r"{(\w+)}", used) == ["instances", "found"]


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "translations").glob("*.json")), ids=lambda path: path.stem
)
def test_no_name_stands_where_markdown_is_rendered(path: Path) -> None:
    """The frontend renders descriptions as Markdown; titles, which have the names, are text."""
    texts = json.loads(path.read_text())
    steps = [
        step
        for flow in (texts["config"], *texts["config_subentries"].values())
        for step in flow["step"].values()
    ]
    fixes = [
        step
        for issue in texts["issues"].values()
        for step in issue.get("fix_flow", {}).get("step", {}).values()
    ]
    said = [one.get("description", "") for one in (*steps, *fixes, *texts["issues"].values())]
    assert sum(map(bool, said)) > 10
    assert not [one for one in said if "{name}" in one]
