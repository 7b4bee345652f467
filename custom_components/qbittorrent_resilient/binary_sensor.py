"""Whether the VPN is up, and whether each instance may get magnets."""

from typing import Any, override

from homeassistant.components.binary_sensor import (
    DOMAIN as BINARY_SENSOR_DOMAIN,
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_VPN_TARGETS
from .core.health.status import InstanceStatus, VpnState
from .entity import HubEntity, InstanceEntity, async_remove_entity
from .runtime import ResilientConfigEntry
from .vpn_coordinator import VpnCoordinator

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
    """Add a sensor for the VPN, if that is watched, and a sensor for each instance."""
    runtime = entry.runtime_data
    if runtime.vpn is not None:
        async_add_entities([VpnBinarySensor(entry, runtime.vpn, VPN)])
    elif not entry.data.get(CONF_VPN_TARGETS):  # else there are some that cannot be read
        async_remove_entity(hass, entry.entry_id, BINARY_SENSOR_DOMAIN, VPN.key)
    for instance_key, coordinator in runtime.instances.items():
        async_add_entities(
            [InstanceBinarySensor(coordinator, INSTANCE)], config_subentry_id=instance_key
        )


class VpnBinarySensor(HubEntity[VpnCoordinator], BinarySensorEntity):
    """On while the VPN is up."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the verdict, or None while it is unknown."""
        state = self.coordinator.data.state
        return None if state is VpnState.UNKNOWN else state is VpnState.ON


class InstanceBinarySensor(InstanceEntity, BinarySensorEntity):
    """On while the instance is ok; the device's main entity."""

    _attr_name = None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return what of its settings says when it is used."""
        settings = self.coordinator.monitor.settings
        return {"priority": settings.priority, "requires_vpn": settings.requires_vpn}

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether its status is ok, or None before the first verdict."""
        status = self.coordinator.data
        return None if status is None else status is InstanceStatus.OK
