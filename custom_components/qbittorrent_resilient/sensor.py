"""The status of each instance, and what the queue holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import QueueCoordinator, QueueReading, ResilientConfigEntry
from .core.models import InstanceStatus
from .entity import HubEntity, InstanceEntity

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class QueueSensorDescription(SensorEntityDescription):
    """A sensor of the hub, and what it shows of the queue."""

    value_fn: Callable[[QueueReading], int | str | None]


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


class StatusSensor(InstanceEntity, SensorEntity):
    """The instance's status in one word."""

    @property
    @override
    def native_value(self) -> str | None:
        """Return the word, None before the first verdict."""
        status = self.coordinator.data
        return None if status is None else status.value
