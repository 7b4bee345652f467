"""What tests with real automations share: one to set up, and what it called."""

from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.trigger import TRIGGERS

type Calls = list[ServiceCall]

ALL_THAT_IS_KNOWN = {
    "action": "test.fired",
    "data": {
        "entity": "{{ trigger.entity_id | default }}",
        "to": "{{ trigger.to_state.state if trigger.to_state is defined }}",
    },
}


async def automate(hass: HomeAssistant, **config: Any) -> Calls:
    """Set an automation up that calls `test.fired`; return the calls."""
    calls: Calls = async_mock_service(hass, "test", "fired")
    config = {"alias": "Under test", "actions": ALL_THAT_IS_KNOWN} | config
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()
    states = hass.states.async_all("automation")
    assert [one.state for one in states] == ["on"]
    return calls


async def on(hass: HomeAssistant, name: str, **config: Any) -> Calls:
    """Set an automation up with one of our triggers."""
    return await automate(hass, triggers=[{"trigger": f"{DOMAIN}.{name}"} | config])


async def everything(hass: HomeAssistant) -> Calls:
    """Set an automation up with every trigger there is."""
    needed = {"magnets_posted": {"options": {"webhook_id": "not-to-be-guessed"}}}
    return await automate(
        hass,
        triggers=[{"trigger": f"{DOMAIN}.{name}"} | needed.get(name, {}) for name in TRIGGERS],
    )


def reasons(calls: Calls) -> list[tuple[str, Any]]:
    """Return which entities fired, and their states."""
    return [(one.data["entity"], one.data["to"]) for one in calls]
