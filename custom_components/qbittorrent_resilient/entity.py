"""What the integration's entities have in common."""

from typing import Any

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from .const import DOMAIN, TITLE
from .coordinator import InstanceCoordinator, ResilientConfigEntry


class HubEntity[C: DataUpdateCoordinator[Any]](CoordinatorEntity[C]):
    """An entity of the whole group."""

    _attr_has_entity_name = True

    def __init__(
        self, entry: ResilientConfigEntry, coordinator: C, description: EntityDescription
    ) -> None:
        """Belong to the hub's device."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            entry_type=DeviceEntryType.SERVICE,
            name=TITLE,
        )


class InstanceEntity(CoordinatorEntity[InstanceCoordinator]):
    """An entity of one instance."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: InstanceCoordinator, description: EntityDescription) -> None:
        """Belong to the instance's device."""
        super().__init__(coordinator)
        settings = coordinator.monitor.settings
        self.entity_description = description
        self._attr_unique_id = f"{settings.key}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, settings.key)},
            entry_type=DeviceEntryType.SERVICE,
            name=settings.name,
            manufacturer="qBittorrent",
            configuration_url=settings.url,
        )
