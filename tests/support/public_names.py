"""The names that users meet, as the code has them, and the pages that tell of these."""

import ast
from collections.abc import Iterator
import json
from typing import Any

import yaml

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.events import EventType
from custom_components.qbittorrent_resilient.core.health.route import RouteState
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus, VpnState
from custom_components.qbittorrent_resilient.core.outbox.job import Reason

from .pages import ROOT, Page

FOLDER = ROOT / "custom_components" / DOMAIN
TEXTS = json.loads((FOLDER / "translations" / "en.json").read_text())
ENTITIES = {key: text for kind in TEXTS["entity"].values() for key, text in kind.items()}

README, ACTIONS = Page("README.md"), Page("docs/actions.md")
AUTOMATIONS, SETTINGS, VPN = (Page(f"docs/{one}.md") for one in ("automations", "settings", "vpn"))
MORE = [Page(f"docs/{one}.md") for one in ("how-it-works", "benchmark", "dashboard")]
FOR_USERS = [README, ACTIONS, AUTOMATIONS, SETTINGS, VPN, *MORE]
FOR_DEVELOPERS = [
    Page("CONTRIBUTING.md"),
    *(Page(f"docs/{one}.md") for one in ("architecture", "reliability", "qbittorrent")),
]


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
    *(*SERVICES, *TRIGGERS, *CONDITIONS, *ENTITIES),
    *RESPONSES,
    *(field for kind in (SERVICES, TRIGGERS, CONDITIONS) for one in kind.values() for field in one),
    *(*SERVER_FIELDS, *INSTANCE_STEP["sections"], *VPN_FIELDS, *OPTIONS),
    *(*InstanceStatus, *RouteState, *VpnState, *Reason, *EventType, *Fate),
    *TEXTS["entity"]["event"]["magnets"]["state_attributes"],
    *(word for one in ("list", "stopped") for word in TEXTS["selector"][one]["options"]),
}


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a block of YAML."""
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from walk(one)
    if isinstance(value, dict):
        yield value
