"""Whether the VPN is up, and whether each instance may be given magnets."""

from typing import override

from homeassistant.components.binary_sensor import (
    DOMAIN as BINARY_SENSOR_DOMAIN,
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import ResilientConfigEntry, VpnCoordinator
from .core.models import InstanceStatus, VpnState
from .entity import HubEntity, InstanceEntity

PARALLEL_UPDATES = 0

VPN = BinarySensorEntityDescription(
    key="vpn", translation_key="vpn", device_class=BinarySensorDeviceClass.CONNECTIVITY
)
INSTANCE = BinarySensorEntityDescription(
    key="instance",
    translation_key="instance",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the VPN's sensor where one is watched, and one for each instance."""
    runtime = entry.runtime_data
    if runtime.vpn is None:
        _async_remove_vpn(hass, entry)
    else:
        async_add_entities([VpnBinarySensor(entry, runtime.vpn, VPN)])
    for key, coordinator in runtime.instances.items():
        async_add_entities([InstanceBinarySensor(coordinator, INSTANCE)], config_subentry_id=key)


@callback
def _async_remove_vpn(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Remove the sensor of a VPN that is watched no longer."""
    registry = er.async_get(hass)
    if entity_id := registry.async_get_entity_id(
        BINARY_SENSOR_DOMAIN, DOMAIN, f"{entry.entry_id}_{VPN.key}"
    ):
        registry.async_remove(entity_id)


class VpnBinarySensor(HubEntity[VpnCoordinator], BinarySensorEntity):
    """On while the VPN is up."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the verdict, None without one."""
        state = self.coordinator.data.state
        return None if state is VpnState.UNKNOWN else state is VpnState.ON


class InstanceBinarySensor(InstanceEntity, BinarySensorEntity):
    """On while the instance is ok; the device's main entity."""

    _attr_name = None

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether its status is ok, None before the first verdict."""
        status = self.coordinator.data
        return None if status is None else status is InstanceStatus.OK
