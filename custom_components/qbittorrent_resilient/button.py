"""The buttons of the hub, for users at a dashboard."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import QueueCoordinator
from .entity import HubEntity
from .runtime import ResilientConfigEntry, Runtime

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class HubButtonDescription(ButtonEntityDescription):
    """A button of the hub, and what it does."""

    press_fn: Callable[[Runtime], Awaitable[object]]


BUTTONS = (
    HubButtonDescription(
        key="check_health",
        translation_key="check_health",
        press_fn=lambda runtime: runtime.async_check(),
    ),
    HubButtonDescription(
        key="retry_queue",
        translation_key="retry_queue",
        press_fn=lambda runtime: runtime.dispatcher.retry(),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the hub's buttons."""
    runtime = entry.runtime_data
    async_add_entities(HubButton(entry, runtime.queue, description) for description in BUTTONS)


class HubButton(HubEntity[QueueCoordinator], ButtonEntity):
    """A button that does the same as the action of its name."""

    entity_description: HubButtonDescription

    @override
    async def async_press(self) -> None:
        """Do what the button is for, and wait until that is done."""
        await self.entity_description.press_fn(self.coordinator.config_entry.runtime_data)
