"""The event entity, for automations: it shows what happens to magnets."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import EVENT_MAGNETS
from .coordinator import QueueCoordinator
from .core.dispatcher import Event
from .core.events import DeliveryEvent, EventType
from .entity import HubEntity
from .runtime import ResilientConfigEntry

PARALLEL_UPDATES = 0

MAGNETS = EventEntityDescription(
    key="magnets",
    translation_key="magnets",
    event_types=[event_type.value for event_type in EventType],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the hub's event entity."""
    async_add_entities([MagnetsEvent(entry, entry.runtime_data.queue, MAGNETS)])


class MagnetsEvent(HubEntity[QueueCoordinator], EventEntity):
    """What happened last to some magnets; the names of torrents are not kept in the history."""

    _unrecorded_attributes = frozenset({"names"})

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for events as long as the entity is there."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.dispatcher.subscribe(self._async_event_published))

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: the dispatcher publishes events."""

    @callback
    def _async_event_published(self, event: Event) -> None:
        if not isinstance(event, DeliveryEvent):
            return
        details = {"instance": event.instance, "reason": event.reason}
        self._trigger_event(
            event.event_type.value,
            {"count": event.count, "names": list(event.names)}
            | {name: value for name, value in details.items() if value is not None},
        )
        self.async_write_ha_state()
        self.hass.bus.async_fire(
            EVENT_MAGNETS,
            {
                "entity_id": self.entity_id,
                "type": event.event_type.value,
                "count": event.count,
                **details,
            },
            context=self._context,
        )
