"""The pages name nothing that the code has not, and quote what is on the screen."""

from collections.abc import Iterator
import re
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.outbox.job import Reason
from tests.support.pages import ROOT, Page, rows
from tests.support.public_names import (
    CONDITIONS,
    ENTITIES,
    FOLDER,
    FOR_DEVELOPERS,
    FOR_USERS,
    KNOWN,
    RESPONSES,
    SERVICES,
    SETTINGS,
    TEXTS,
    TRIGGERS,
    walk,
)

# Names in the pages that are others': of what, and where one finds them.
FOREIGN = {
    # Home Assistant
    *("response_variable", "allowlist_external_dirs", "target", "for", "behavior", "type"),
    *("each", "first", "all", "any", "true", "false", "null", "transmission.add_torrent"),
    # Docker, gluetun's states, interfaces, a library
    *("network_mode", "running", "stopped", "stopping", "starting", "crashed"),
    *("tun0", "wg0", "icmplib"),
}

# What the pages quote that is no text of this integration.
OTHER_WORDS = {
    *("Integration", "qbittorrent", "qBittorrent Resilient", "Ok."),  # of the store, typed, said
    *("Add dashboard", "Timeout waiting for strategy element"),  # of Home Assistant
    *("add", "without", "The server's defaults"),  # of the page itself
}

BLUEPRINTS = "".join(one.read_text() for one in (ROOT / "blueprints").rglob("*.yaml"))
DOORS = "".join(one.read_text() for one in (FOLDER / "doors").glob("*.py"))


def problem(name: str) -> str | None:
    """Return what is wrong with a name in backticks; None if nothing is, or it is no name."""
    if match := re.fullmatch(r"([a-z_0-9]+): .+", name):  # a field with its value
        name = match[1]
    if match := re.fullmatch(rf"\w+\.{DOMAIN}_(\w+)", name):  # an entity
        return None if match[1] in ENTITIES else "no such entity"
    if match := re.fullmatch(rf"{DOMAIN}\.(\w+)", name):
        return None if match[1] in {*SERVICES, *TRIGGERS, *CONDITIONS} else "no such action"
    if match := re.fullmatch(r"trigger\.(\w+)", name):
        return None if f'"{match[1]}"' in DOORS or f"{match[1]}=" in DOORS else "not in a trigger"
    is_name = re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z_]+)?", name) and not name.endswith(".md")
    return "not in the code" if is_name and name not in KNOWN | FOREIGN else None


def quoted(page: Page) -> set[str]:
    """Return what stands in quotation marks: what a user sees on the screen."""
    prose = re.sub(r"<[^>]*>|`[^`]*`", "", page.prose)
    return {" ".join(text.split()) for text in re.findall(r"\"([^\"]+)\"", prose)}


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text of the user interface."""
    for one in value.values() if isinstance(value, dict) else [value]:
        yield from texts_of(one) if isinstance(one, dict) else [str(one)]


def is_shown(words: str) -> bool:
    """Tell whether a user may see these words; `…` stands for a name before them."""
    shown = set(texts_of(TEXTS))
    if words.startswith("… "):
        return any(text.endswith(words.removeprefix("…")) for text in shown)
    return words in shown or f'"{words}"' in BLUEPRINTS or f": {words}\n" in BLUEPRINTS


@pytest.mark.parametrize("page", FOR_USERS, ids=lambda page: page.name)
def test_what_is_quoted_is_on_the_screen(page: Page) -> None:
    assert {words for words in quoted(page) - OTHER_WORDS if not is_shown(words)} == set()


def test_words_that_nobody_sees_are_noticed() -> None:
    assert not is_shown("Require the tunnel")
    assert not is_shown("… may bypass the tunnel")


def test_errors_of_forms_are_told_as_they_are_shown() -> None:
    errors = TEXTS["config"]["error"].values()
    told = [row[0] for row in rows(SETTINGS.section("When a form refuses something"))]
    assert len(told) >= 8
    assert [one for one in told if not any(text.startswith(one) for text in errors)] == []


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
