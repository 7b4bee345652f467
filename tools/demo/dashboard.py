"""Puts the dashboard of the README into a Home Assistant, as what is shown first."""

import re

from homeassistant.util.yaml import parse_yaml

from tests.support.harness.home_assistant import DOMAIN, ROOT
from tests.support.harness.home_assistant_api import Api

VIEW = ROOT / "dashboards" / "view.yaml"
PATH = "qbittorrent-resilient"
# What the view shows of each server is in comments, with the name of a sample in it.
SAMPLE = re.compile(r"(?m)^(?P<margin> +)# - .*\n(?:(?P=margin)#   .*\n)*")
# The view shows a day; what there is to see here happened within minutes.
HOURS = re.compile(r"(?m)^( +hours_to_show:) .*$")
FEW_HOURS = 0.1
SAMPLE_NAME, SAMPLE_ENTITY = "Seedbox", "sensor.seedbox_status"


async def show_dashboard(api: Api, hours: float = FEW_HOURS) -> str:
    """Make a dashboard of the README's view, and the one that is shown first; return its path."""
    view = parse_yaml(filled(VIEW.read_text(encoding="utf-8"), await statuses(api), hours))
    await api.command(
        "lovelace/dashboards/create",
        url_path=PATH,
        title="qBittorrent Resilient",
        icon="mdi:magnet",
        mode="storage",
        require_admin=False,
        show_in_sidebar=True,
    )
    await api.command("lovelace/config/save", url_path=PATH, config={"views": [view]})
    await api.command("frontend/set_system_data", key="core", value={"default_panel": PATH})
    return f"/{PATH}"


async def statuses(api: Api) -> dict[str, str]:
    """Return the status entity of each server by its name."""
    (entry,) = await api.entries(DOMAIN)
    known = await api.entity_ids(DOMAIN)
    subentries = await api.subentries(entry["entry_id"])
    return {name: known[f"{key}_status"] for name, key in subentries.items()}


def filled(text: str, servers: dict[str, str], hours: float) -> str:
    """Take the comment signs away where the sample stands, once for each server.

    A history shows so many hours.
    """

    def each(match: re.Match[str]) -> str:
        """Return one sample for all servers; other comments stay."""
        if SAMPLE_ENTITY not in match[0]:
            return match[0]
        item = re.sub(r"(?m)^( +)# ", r"\1", match[0])
        return "".join(
            item.replace(SAMPLE_ENTITY, entity).replace(SAMPLE_NAME, name)
            for name, entity in servers.items()
        )

    text = HOURS.sub(rf"\1 {hours}", text)
    return SAMPLE.sub(each, text.rstrip("\n") + "\n")
