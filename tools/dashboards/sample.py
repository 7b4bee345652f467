"""The dashboards of a sample home, for those who write YAML: entities with their first names."""

import json
from pathlib import Path
from typing import Any

from homeassistant.helpers.entity import EntityDescription

from custom_components.qbittorrent_resilient import binary_sensor, button, event, sensor, todo
from custom_components.qbittorrent_resilient.const import DOMAIN, TITLE
from custom_components.qbittorrent_resilient.dashboard import cards
from custom_components.qbittorrent_resilient.dashboard.cards import Card
from custom_components.qbittorrent_resilient.dashboard.overview import Overview, Shown
from custom_components.qbittorrent_resilient.dashboard.texts import CATEGORIES, Texts
from custom_components.qbittorrent_resilient.dashboard.view import PLAIN, view
from tests.support.harness.home_assistant import ROOT

from .markdown import LAST_EVENT, SERVERS
from .yaml_text import yaml_text

FOLDER = ROOT / "dashboards"
SERVER = "seedbox"
OPTIONAL = (f"sensor.{SERVER}_", f"todo.{DOMAIN}_")
"""What is in comments: a server that everybody has under a name of their own, and the lists."""
COMPONENTS = {"history", "logbook", "recorder"}

ABOUT_VIEW = f"""\
# A view for your dashboard: edit the dashboard, add a view, choose "Edit in YAML", and paste this.
# Without YAML: "Add dashboard" offers "{TITLE}", which finds your servers by itself.
#
# The table "Servers" finds your servers by itself. Cards with a history want to be told: take the
# comment signs away where "{SERVER}" stands, and put the names of your servers there. Enable the
# to-do list before you take away those of its card.
# Without a VPN target there is no `binary_sensor.{DOMAIN}_vpn`. Its tile stays away
# by itself; delete its lines in the history and the logbook.
#
# This file is made by `python -m tools.dashboards`.
"""
ABOUT_CARD = f"""\
# One card for a phone: edit a dashboard, Add card → Manual, and paste this. It uses cards that come
# with Home Assistant only.
#
# Without a VPN target there is no `binary_sensor.{DOMAIN}_vpn`: delete its lines.
#
# This file is made by `python -m tools.dashboards`.
"""


def files() -> dict[Path, str]:
    """Return the files and what is in them."""
    overview, texts = _overview(), _english()
    return {
        FOLDER / "phone-card.yaml": ABOUT_CARD + yaml_text(_phone_card(overview), OPTIONAL),
        FOLDER / "view.yaml": ABOUT_VIEW + yaml_text(_view(overview, texts), OPTIONAL),
    }


def _overview() -> Overview:
    """Return the entities of a new installation in its own words."""
    described: dict[str, list[EntityDescription]] = {
        "binary_sensor": [binary_sensor.VPN],
        "button": list(button.BUTTONS),
        "event": [event.MAGNETS],
        "sensor": list(sensor.QUEUE_SENSORS),
        "todo": [one for one in vars(todo).values() if isinstance(one, type(todo.QUEUE))],
    }
    hub = {
        one.key: Shown(f"{platform}.{DOMAIN}_{one.key}")
        for platform, descriptions in described.items()
        for one in descriptions
    }
    server = {key: Shown(f"sensor.{SERVER}_{key}") for key in ("status", "route")}
    return Overview(hub, (server,))


def _english() -> Texts:
    path = ROOT / "custom_components" / DOMAIN / "translations" / "en.json"
    every: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, str] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, str):
            found[path] = value
            return
        for key, one in value.items():
            walk(one, f"{path}.{key}")

    for category in CATEGORIES:
        walk(every[category], category)
    return Texts(found)


def _view(overview: Overview, texts: Texts) -> Card:
    """Return the integration's view, and two tables that only a template can make."""
    made = view(overview, texts, COMPONENTS, PLAIN)
    magnets, servers, _ = made["sections"]
    magnets["cards"].append({"type": "markdown", "content": LAST_EVENT})
    servers["cards"].append({"type": "markdown", "content": SERVERS})
    return {"title": TITLE, "path": DOMAIN.replace("_", "-"), "icon": "mdi:magnet"} | made


def _phone_card(overview: Overview) -> Card:
    """Return a card of few words, and a button while there is something to retry."""
    hub = overview.hub
    names = {"vpn": "VPN", "active_instance": "Next"}
    names |= {"queued_magnets": "Queued", "failed_magnets": "Failed"}
    entities = [{"entity": hub[key].entity_id, "name": name} for key, name in names.items()]
    entities.append({"entity": f"sensor.{SERVER}_status", "name": SERVER.capitalize()})
    press = {"action": "perform-action"} | cards.press(hub["retry_queue"])
    retry = {
        "type": "tile",
        "entity": hub["retry_queue"].entity_id,
        "name": "Retry now",
        "hide_state": True,
        "icon_tap_action": press,
        "tap_action": press,
    }
    something = cards.is_above_zero(hub["queued_magnets"])
    glance = {"type": "glance", "show_name": True, "columns": 2, "entities": entities}
    conditional = {"type": "conditional", "conditions": [something], "card": retry}
    return {"type": "vertical-stack", "cards": [glance, conditional]}
