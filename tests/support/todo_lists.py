"""What the tests of the to-do lists share: Home Assistant's own actions for them."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.common import pass_time, settled

QUEUE = "todo.qbittorrent_resilient_queue"
FAILED = "todo.qbittorrent_resilient_failed"


def enable_lists(hass: HomeAssistant) -> None:
    """Have both lists enabled once the entry is set up."""
    for entity_id in (QUEUE, FAILED):
        key = entity_id.rpartition("_")[2]
        er.async_get(hass).async_get_or_create(
            "todo", DOMAIN, f"hub_{key}", suggested_object_id=entity_id.removeprefix("todo.")
        )


async def items(hass: HomeAssistant, entity_id: str = QUEUE) -> list[dict[str, Any]]:
    """Return what a list shows."""
    response: dict[str, Any] = await hass.services.async_call(  # type: ignore[assignment]
        "todo", "get_items", {"entity_id": entity_id}, blocking=True, return_response=True
    )
    found: list[dict[str, Any]] = response[entity_id]["items"]
    return found


async def waiting(hass: HomeAssistant, entity_id: str = QUEUE) -> list[str]:
    """Return the uids of what waits, or has failed."""
    return [one["uid"] for one in await items(hass, entity_id) if one["status"] == "needs_action"]


async def completed(hass: HomeAssistant) -> list[str]:
    """Return the uids of what is shown as completed."""
    return [one["uid"] for one in await items(hass) if one["status"] == "completed"]


async def change(
    hass: HomeAssistant,
    action: str,
    item: str | list[str] | None = None,
    *,
    entity_id: str = QUEUE,
    **more: str | None,
) -> None:
    """Add an item, change one, or remove some."""
    data: dict[str, Any] = {"entity_id": entity_id} | more
    if item is not None:
        data["item"] = item
    await hass.services.async_call("todo", action, data, blocking=True)


async def shown_now(hass: HomeAssistant) -> None:
    """Wait for the moment in which changes are collected."""
    pass_time(hass, 1)
    await settled(hass)
