"""What the integration's entities have in common."""

from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from .const import DOMAIN, TITLE
from .coordinator import InstanceCoordinator
from .reasons import async_selector_texts

INSTANCE_MODEL = "qBittorrent server"
"""In every language, as the fields for servers in services.yaml and triggers.yaml filter by it."""


class HubEntity[C: DataUpdateCoordinator[Any]](CoordinatorEntity[C]):
    """An entity of the hub, which stands for the queue and the VPN."""

    _attr_has_entity_name = True

    def __init__(self, entry: ConfigEntry, coordinator: C, description: EntityDescription) -> None:
        """Belong to the hub's device."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            entry_type=DeviceEntryType.SERVICE,
            name=TITLE,
            manufacturer=TITLE,
            model=async_selector_texts(coordinator.hass, "device_model").get("hub"),
        )

    @property
    @override
    def suggested_object_id(self) -> str | None:
        """Return the same id in every language: dashboards and the pages name the entities."""
        return self.entity_description.key


class InstanceEntity(CoordinatorEntity[InstanceCoordinator]):
    """An entity of one instance."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: InstanceCoordinator, description: EntityDescription) -> None:
        """Belong to the instance's device, which is connected via the hub's."""
        super().__init__(coordinator)
        settings, entry_id = coordinator.monitor.settings, coordinator.config_entry.entry_id
        self.entity_description = description
        self._attr_unique_id = f"{settings.key}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, settings.key)},
            entry_type=DeviceEntryType.SERVICE,
            name=settings.name,
            manufacturer="qBittorrent",
            model=INSTANCE_MODEL,
            sw_version=coordinator.monitor.client.version,
            configuration_url=settings.url,
            via_device_id=dr.async_get_device_id_by_identifier(
                coordinator.hass, (DOMAIN, entry_id), config_entry_id=entry_id
            ),
        )

    @property
    @override
    def suggested_object_id(self) -> str | None:
        """Return the same id in every language: dashboards and the pages name the entities."""
        return None if self.name is None else self.entity_description.key


@callback
def async_remove_entity(hass: HomeAssistant, owner: str, platform: str, key: str) -> None:
    """Remove what has nothing to show any more; `owner` is the id of an entry or instance."""
    registry = er.async_get(hass)
    unique_id = f"{owner}_{key}"
    if entity_id := registry.async_get_entity_id(platform, DOMAIN, unique_id):
        registry.async_remove(entity_id)
