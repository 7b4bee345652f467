"""The repairs as the user sees and confirms them."""

import json
from pathlib import Path
import re
from typing import Any

from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.qbittorrent_resilient.const import DOMAIN

FOLDER = Path(__file__).parents[2] / "custom_components" / DOMAIN
TEXTS: dict[str, Any] = json.loads((FOLDER / "translations" / "en.json").read_text())["issues"]


def told(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return what the user sees, of Home Assistant itself as well."""
    issues = ir.async_get(hass).issues.values()
    return [one for one in issues if one.active and one.translation_key != "failed_magnets"]


def only(hass: HomeAssistant) -> ir.IssueEntry:
    """Return the one issue that there is; its texts have what they need, and no magnet."""
    (issue,) = told(hass)
    assert issue.domain == DOMAIN
    assert issue.translation_key
    texts = TEXTS[issue.translation_key]
    steps = texts["fix_flow"]["step"] if issue.is_fixable else {}
    shown = steps.get("init") or steps.get("confirm") or texts
    filled = [
        text.format(**(issue.translation_placeholders or {}))
        for text in (texts["title"], shown["title"], shown["description"])
    ]
    assert not re.search(r"magnet:|Torrent|[0-9a-f]{40}", f"{filled} {issue.data}")
    return issue


async def confirm(hass: HomeAssistant, issue: ir.IssueEntry) -> None:
    """Read an issue and submit its form."""
    await async_setup_component(hass, "repairs", {})
    manager = repairs_flow_manager(hass)
    assert manager
    form = await manager.async_init(DOMAIN, context={"issue_id": issue.issue_id})
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"] == issue.translation_placeholders
    assert told(hass) == [issue]
    done = await manager.async_configure(form["flow_id"], {})
    assert done["type"] is FlowResultType.CREATE_ENTRY
