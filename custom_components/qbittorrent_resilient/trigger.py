"""Triggers: the VPN and the instances going down and coming back, the queue, what failed, doors.

A state that is unknown or unavailable is neither up nor down, so that a start of Home Assistant or
a reload is no outage: Home Assistant lets no entity trigger fire from or to these states.
"""

from dataclasses import replace
from typing import ClassVar, override

from homeassistant.components.binary_sensor import DOMAIN as BINARY_SENSOR_DOMAIN
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventEntityStateAttribute
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import CONF_TARGET, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR,
    EntityOriginStateTriggerBase,
    EntityTargetStateTriggerBase,
    EntityTransitionTriggerBase,
    EntityTriggerBase,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerConfig,
)
import probatio as vol

from .core.events import EventType
from .core.health.status import InstanceStatus
from .doors.feed import MagnetsInFeedTrigger
from .doors.webhook import MagnetsPostedTrigger
from .targets import DEVICES_OPTION, EVERYTHING, async_monitor, async_targeted, chosen_target

_ANY_TARGET = {vol.Optional(CONF_TARGET): cv.TARGET_FIELDS}
_SCHEMA = ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR.extend(_ANY_TARGET)


class _OwnEntityTrigger(EntityTriggerBase):
    """Follows only entities of this integration, all of them if no target was chosen."""

    _schema = _SCHEMA
    _key: ClassVar[str]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Follow the chosen targets, or all entities if none was chosen."""
        target = chosen_target(config.target, config.options)
        self._is_chosen = target is not None
        super().__init__(hass, replace(config, target=target or EVERYTHING))

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the entities to follow."""
        return async_targeted(self._hass, self._key, entities if self._is_chosen else None)


class _VpnTrigger(_OwnEntityTrigger, EntityTransitionTriggerBase):
    """A change of the verdict on the VPN."""

    _domain_specs = {BINARY_SENSOR_DOMAIN: DomainSpec()}
    _key = "vpn"


class VpnWentDownTrigger(_VpnTrigger):
    """The VPN was up, and is down."""

    _from_states = {STATE_ON}
    _to_states = {STATE_OFF}


class VpnCameBackTrigger(_VpnTrigger):
    """The VPN was down, and is up."""

    _from_states = {STATE_OFF}
    _to_states = {STATE_ON}


class _InstanceTrigger(_OwnEntityTrigger):
    """A change of an instance's status, which is the new state."""

    _schema = _SCHEMA.extend(DEVICES_OPTION)
    _domain_specs = {SENSOR_DOMAIN: DomainSpec()}
    _key = "status"


class InstanceWentDownTrigger(_InstanceTrigger, EntityOriginStateTriggerBase):
    """An instance was ok, and is not."""

    _from_state = InstanceStatus.OK


class InstanceCameBackTrigger(_InstanceTrigger, EntityTargetStateTriggerBase):
    """An instance was not ok, and is.

    Until the first verdict on its VPN, an instance that requires it is `vpn_down`. It does not come
    back when that ends, unless that verdict was `off`.
    """

    _to_states = {InstanceStatus.OK}

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Tell whether the instance was down, and not only waiting for the first verdict."""
        if from_state.state == InstanceStatus.VPN_DOWN:
            monitor = async_monitor(self._hass, to_state.entity_id)
            vpn = None if monitor is None else monitor.vpn
            if vpn is not None and vpn.is_up_since_the_start:
                return False
        return super().is_valid_transition(from_state, to_state)


class MagnetsQueuedTrigger(_OwnEntityTrigger):
    """The queue was empty, and is not."""

    _domain_specs = {SENSOR_DOMAIN: DomainSpec()}
    _key = "queued_magnets"

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Tell whether the queue was empty before."""
        return from_state.state == "0"

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Tell whether something is queued."""
        return state.state != "0"


class QueueEmptiedTrigger(_OwnEntityTrigger, EntityTargetStateTriggerBase):
    """The queue was not empty, and is."""

    _domain_specs = {SENSOR_DOMAIN: DomainSpec()}
    _key = "queued_magnets"
    _to_states = {"0"}


class _MagnetTrigger(_OwnEntityTrigger, StatelessEntityTriggerBase):
    """Something happened to magnets."""

    _domain_specs = {EVENT_DOMAIN: DomainSpec()}
    _key = "magnets"
    _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(_ANY_TARGET)
    _event_type: ClassVar[EventType]

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Tell whether the event is of the type of this trigger."""
        return state.attributes.get(EventEntityStateAttribute.EVENT_TYPE) == self._event_type


class MagnetFailedTrigger(_MagnetTrigger):
    """Magnets failed for good."""

    _event_type = EventType.FAILED


class MagnetDuplicatedTrigger(_MagnetTrigger):
    """Magnets turned out to be on two instances."""

    _event_type = EventType.DUPLICATE


class LeakDetectedTrigger(_MagnetTrigger):
    """The torrents of an instance turned out to take the home line."""

    _event_type = EventType.LEAK


TRIGGERS: dict[str, type[Trigger]] = {
    "instance_came_back": InstanceCameBackTrigger,
    "instance_went_down": InstanceWentDownTrigger,
    "leak_detected": LeakDetectedTrigger,
    "magnet_duplicated": MagnetDuplicatedTrigger,
    "magnet_failed": MagnetFailedTrigger,
    "magnets_in_feed": MagnetsInFeedTrigger,
    "magnets_posted": MagnetsPostedTrigger,
    "magnets_queued": MagnetsQueuedTrigger,
    "queue_emptied": QueueEmptiedTrigger,
    "vpn_came_back": VpnCameBackTrigger,
    "vpn_went_down": VpnWentDownTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
