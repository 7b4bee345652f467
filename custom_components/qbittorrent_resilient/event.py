"""What happens to magnets, as events to automate on."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import QueueCoordinator, ResilientConfigEntry
from .core.news import Happening, News
from .entity import HubEntity

PARALLEL_UPDATES = 0

MAGNETS = EventEntityDescription(
    key="magnets", translation_key="magnets", event_types=[one.value for one in Happening]
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
        """Listen for news as long as the entity is there."""
        await super().async_added_to_hass()
        courier = self.coordinator.config_entry.runtime_data.courier
        courier.listener = self._async_tell

        @callback
        def stop_listening() -> None:
            courier.listener = None

        self.async_on_remove(stop_listening)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: news come by themselves."""

    @callback
    def _async_tell(self, news: News) -> None:
        details = {"instance": news.instance, "reason": news.reason}
        self._trigger_event(
            news.happening.value,
            {"count": news.count, "names": list(news.names)}
            | {key: value for key, value in details.items() if value is not None},
        )
        self.async_write_ha_state()
