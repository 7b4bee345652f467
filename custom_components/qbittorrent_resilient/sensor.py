"""The status of each instance, what the queue holds, and how the VPN answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
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
from homeassistant.util import dt as dt_util

from .const import CONF_VPN_TARGETS
from .coordinator import InstanceCoordinator, QueueCoordinator
from .core.events import QueueSnapshot
from .core.health.route import RouteMonitor, RouteState
from .core.health.route_record import evidence_of
from .core.health.status import InstanceStatus
from .core.health.vpn import VpnReading
from .entity import HubEntity, InstanceEntity, async_remove_entity
from .runtime import ResilientConfigEntry
from .vpn_coordinator import VpnCoordinator

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class QueueSensorDescription(SensorEntityDescription):
    """A sensor of the hub, and what it shows of the queue."""

    value_fn: Callable[[QueueSnapshot], int | str | datetime | None]


@dataclass(frozen=True, kw_only=True)
class VpnSensorDescription(SensorEntityDescription):
    """A sensor of the VPN, and what it shows of the last round."""

    value_fn: Callable[[VpnReading], float | None]


@dataclass(frozen=True, kw_only=True)
class RouteSensorDescription(SensorEntityDescription):
    """A sensor of an instance that requires the VPN, and what it shows of its route."""

    value_fn: Callable[[RouteMonitor], str | None]


def _time_of(seconds: float | None) -> datetime | None:
    return None if seconds is None else dt_util.utc_from_timestamp(seconds)


QUEUE_SENSORS = (
    QueueSensorDescription(
        key="queued_magnets",
        translation_key="queued_magnets",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda snapshot: snapshot.queued,
    ),
    QueueSensorDescription(
        key="failed_magnets",
        translation_key="failed_magnets",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda snapshot: snapshot.failed,
    ),
    QueueSensorDescription(
        key="delivered_magnets",
        translation_key="delivered_magnets",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda snapshot: snapshot.delivered,
    ),
    QueueSensorDescription(
        key="last_delivery",
        translation_key="last_delivery",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda snapshot: _time_of(snapshot.last_delivery),
    ),
    QueueSensorDescription(
        key="active_instance",
        translation_key="active_instance",
        value_fn=lambda snapshot: snapshot.active_instance,
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

ROUTE_SENSORS = (
    RouteSensorDescription(
        key="route",
        translation_key="route",
        device_class=SensorDeviceClass.ENUM,
        options=[state.value for state in RouteState],
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda route: route.state.value,
    ),
    RouteSensorDescription(
        key="external_address",
        translation_key="external_address",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda route: route.external_address,
    ),
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
        if runtime.vpn is not None:
            async_add_entities([VpnSensor(entry, runtime.vpn, description)])
        elif not entry.data.get(CONF_VPN_TARGETS):  # else there are some that cannot be read
            async_remove_entity(hass, entry.entry_id, SENSOR_DOMAIN, description.key)
    for instance_key, coordinator in runtime.instances.items():
        sensors: list[SensorEntity] = [StatusSensor(coordinator, STATUS)]
        for described in ROUTE_SENSORS:
            if coordinator.monitor.route is None:
                async_remove_entity(hass, instance_key, SENSOR_DOMAIN, described.key)
            else:
                sensors.append(RouteSensor(coordinator, described, coordinator.monitor.route))
        async_add_entities(sensors, config_subentry_id=instance_key)


class QueueSensor(HubEntity[QueueCoordinator], SensorEntity):
    """A count of the queue, when a magnet was last delivered, or where the next magnet would go."""

    entity_description: QueueSensorDescription

    @property
    @override
    def native_value(self) -> int | str | datetime | None:
        """Return a count, a time or the instance's name; None if there is none."""
        return self.entity_description.value_fn(self.coordinator.data)


class VpnSensor(HubEntity[VpnCoordinator], SensorEntity):
    """A figure of the last round of pings."""

    entity_description: VpnSensorDescription

    @property
    @override
    def native_value(self) -> float | None:
        """Return the figure, or None if no target answered."""
        return self.entity_description.value_fn(self.coordinator.data)


class StatusSensor(InstanceEntity, SensorEntity):
    """The status of an instance."""

    @property
    @override
    def native_value(self) -> str | None:
        """Return the status, or None before the first verdict."""
        status = self.coordinator.data
        return None if status is None else status.value


class RouteSensor(InstanceEntity, SensorEntity):
    """Whether an instance's torrents take the VPN, or the address they are seen with."""

    entity_description: RouteSensorDescription

    def __init__(
        self,
        coordinator: InstanceCoordinator,
        description: RouteSensorDescription,
        route: RouteMonitor,
    ) -> None:
        """Show something of `route`."""
        super().__init__(coordinator, description)
        self._route = route

    @property
    @override
    def native_value(self) -> str | None:
        """Return what is shown."""
        return self.entity_description.value_fn(self._route)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str] | None:
        """Return, while the instance leaks, which kind of evidence there is."""
        if self.entity_description.key != "route" or (latch := self._route.latch) is None:
            return None
        return {"evidence": evidence_of(latch)}
