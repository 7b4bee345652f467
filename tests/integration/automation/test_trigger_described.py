"""What Home Assistant and its users are told of the triggers."""

import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.trigger import TRIGGERS
from tests.support.automations import everything

FOLDER = Path(__file__).parents[3] / "custom_components" / DOMAIN


@pytest.mark.parametrize(
    "options", [{"for": "soon"}, {"behavior": "sometimes"}, {"color": "green"}]
)
async def test_malformed_options(hass: HomeAssistant, options: dict[str, Any]) -> None:
    trigger = {"trigger": f"{DOMAIN}.vpn_went_down", "options": options}
    config = {"triggers": [trigger], "actions": {"delay": 1}}
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    assert [one.state for one in hass.states.async_all("automation")] == ["unavailable"]


async def test_described(hass: HomeAssistant) -> None:
    """Home Assistant reads the description of every trigger; each field has its texts."""
    assert await async_setup_component(hass, DOMAIN, {})
    await everything(hass)
    found = await async_get_all_descriptions(hass)
    ours = {name.partition(".")[2]: one for name, one in found.items() if name.startswith(DOMAIN)}
    texts = json.loads((FOLDER / "translations" / "en.json").read_text())["triggers"]
    icons = json.loads((FOLDER / "icons.json").read_text())["triggers"]
    assert ours.keys() == TRIGGERS.keys() == texts.keys() == icons.keys()
    for name, described in ours.items():
        assert described
        assert texts[name].get("fields", {}).keys() == described["fields"].keys()
        assert "target" not in described  # without one, the editor would show an error
        assert ("devices" in described["fields"]) is name.startswith("instance")


@pytest.mark.parametrize("kind", ["triggers", "conditions"])
def test_found_by_typing_qbittorrent(kind: str) -> None:
    """The editor's search looks at name and description only."""
    texts = json.loads((FOLDER / "translations" / "en.json").read_text())[kind]
    assert texts
    for one in texts.values():
        assert "qBittorrent" in one["name"] + one["description"]
        assert one["name"][0].isupper()  # or the editor would make it "QBittorrent"
