"""The icons: a name that the frontend does not know is shown as nothing at all."""

import json
import re

from tests.support.harness.home_assistant import DOMAIN, ROOT

FILES = [
    ROOT / "custom_components" / DOMAIN / "icons.json",
    *sorted((ROOT / "dashboards").glob("*.yaml")),
    *sorted((ROOT / "blueprints").rglob("*.yaml")),
]


def known() -> set[str]:
    """Return the names of the icons that the frontend of the newest Home Assistant has."""
    site = next(ROOT.glob(".venv-latest/lib/python*/site-packages"))
    file = site / "hass_frontend" / "static" / "mdi" / "iconList.json"
    return {icon["name"] for icon in json.loads(file.read_text(encoding="utf-8"))}


def used() -> set[str]:
    """Return the names that the project uses."""
    return {
        name
        for file in FILES
        for name in re.findall(r"mdi:([a-z0-9-]+)", file.read_text(encoding="utf-8"))
    }


async def test_the_frontend_has_each_icon() -> None:
    assert len(used()) > 5
    assert used() - known() == set()
