"""All that users meet is told in the pages: each name once in its table, as the code has it."""

import re

import pytest

from custom_components.qbittorrent_resilient.const import DEFAULT_OPTIONS
from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.events import EventType
from custom_components.qbittorrent_resilient.core.health.route import RouteState
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.outbox.job import Reason
from custom_components.qbittorrent_resilient.flows.forms import options_schema
from tests.support.pages import ROOT, codes, first_names, rows
from tests.support.public_names import (
    ACTIONS,
    AUTOMATIONS,
    CONDITIONS,
    ENTITIES,
    INSTANCE_STEP,
    OPTIONS,
    README,
    RESPONSES,
    SERVER_FIELDS,
    SERVICES,
    SETTINGS,
    TEXTS,
    TRIGGERS,
    VPN,
    VPN_FIELDS,
    walk,
)


def test_every_action_and_its_fields_are_told() -> None:
    assert first_names(ACTIONS.text.partition("## Add magnets")[0]) == list(SERVICES)
    assert set(_field_names(ACTIONS.section("Add magnets").partition("### ")[0])) == set(
        SERVICES["add_magnets"]
    )
    told = {
        codes(row[0])[0]: {name.partition(":")[0] for name in codes(row[1])}
        for row in rows(ACTIONS.section("Work with the queue").partition("### ")[0])
    }
    assert told.keys() == SERVICES.keys() - {"add_magnets", "check_health"}
    for action, names in told.items():
        assert names - {"queued", "failed"} == set(SERVICES[action]), action


def _field_names(text: str) -> list[str]:
    return [name for name in first_names(text) if re.fullmatch(r"\w+", name)]


def test_every_key_of_a_response_is_told() -> None:
    told = {key for block in ACTIONS.yaml_blocks() for one in walk(block) for key in one}
    assert told | {*ACTIONS.names} >= RESPONSES


def test_every_status_is_told_as_it_is_shown() -> None:
    labels = TEXTS["entity"]["sensor"]["status"]["state"]
    told = [row[0] for row in rows(README.section("Troubleshooting"))]
    assert told == [f"{labels[status]} (`{status}`)" for status in InstanceStatus]


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
            names = set(codes(re.sub(r"\([^)]*\)", "", options)))
            assert names == set(kind[name]), name


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
    assert told.keys() == ENTITIES.keys()
    for key, name in told.items():
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
