"""The status of each instance, what the queue holds, and how the VPN answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import QueueCoordinator, QueueReading, ResilientConfigEntry, VpnCoordinator
from .core.models import InstanceStatus
from .core.vpn import VpnReading
from .entity import HubEntity, InstanceEntity, async_remove_entity

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class QueueSensorDescription(SensorEntityDescription):
    """A sensor of the hub, and what it shows of the queue."""

    value_fn: Callable[[QueueReading], int | str | None]


@dataclass(frozen=True, kw_only=True)
class VpnSensorDescription(SensorEntityDescription):
    """A sensor of the VPN, and what it shows of the last round."""

    value_fn: Callable[[VpnReading], float | None]


QUEUE_SENSORS = (
    QueueSensorDescription(
        key="queued_magnets",
        translation_key="queued_magnets",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda reading: reading.queued,
    ),
    QueueSensorDescription(
        key="failed_magnets",
        translation_key="failed_magnets",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda reading: reading.failed,
    ),
    QueueSensorDescription(
        key="active_instance",
        translation_key="active_instance",
        value_fn=lambda reading: reading.active_instance,
    ),
)
VPN_SENSORS = (
    VpnSensorDescription(
        key="vpn_latency",
        translation_key="vpn_latency",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda reading: reading.latency,
    ),
    VpnSensorDescription(
        key="vpn_packet_loss",
        translation_key="vpn_packet_loss",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda reading: reading.loss,
    ),
)
STATUS = SensorEntityDescription(
    key="status",
    translation_key="status",
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in InstanceStatus],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the hub's sensors and one status sensor for each instance."""
    runtime = entry.runtime_data
    async_add_entities(
        QueueSensor(entry, runtime.queue, description) for description in QUEUE_SENSORS
    )
    for description in VPN_SENSORS:
        if runtime.vpn is None:
            async_remove_entity(hass, entry, SENSOR_DOMAIN, description.key)
        else:
            async_add_entities([VpnSensor(entry, runtime.vpn, description)])
    for key, coordinator in runtime.instances.items():
        async_add_entities([StatusSensor(coordinator, STATUS)], config_subentry_id=key)


class QueueSensor(HubEntity[QueueCoordinator], SensorEntity):
    """A count of the queue, or where the next magnet would go."""

    entity_description: QueueSensorDescription

    @property
    @override
    def native_value(self) -> int | str | None:
        """Return what the description picks."""
        return self.entity_description.value_fn(self.coordinator.data)


class VpnSensor(HubEntity[VpnCoordinator], SensorEntity):
    """A figure of the last round of pings."""

    entity_description: VpnSensorDescription

    @property
    @override
    def native_value(self) -> float | None:
        """Return what the description picks; None where nothing answered."""
        return self.entity_description.value_fn(self.coordinator.data)


class StatusSensor(InstanceEntity, SensorEntity):
    """The instance's status in one word."""

    @property
    @override
    def native_value(self) -> str | None:
        """Return the word, None before the first verdict."""
        status = self.coordinator.data
        return None if status is None else status.value
