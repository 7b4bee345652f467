"""Triggers: the VPN and the instances going down and coming back, the queue, what failed.

A state that is unknown or unavailable is neither up nor down, so that a start of Home Assistant or
a reload is no outage: core lets no entity trigger fire from or to one of these.
"""

from dataclasses import replace
from typing import ClassVar, override

from homeassistant.components.binary_sensor import DOMAIN as BINARY_SENSOR_DOMAIN
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventEntityStateAttribute
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import CONF_TARGET, STATE_OFF, STATE_ON
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.target import (
    TargetStateChangedData,
    async_track_target_selector_state_change_event,
)
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
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
import probatio as vol

from .core.models import InstanceStatus
from .core.news import Happening
from .followed import EVERYTHING, async_followed

_ANY_TARGET = {vol.Optional(CONF_TARGET): cv.TARGET_FIELDS}


class _OwnEntityTrigger(EntityTriggerBase):
    """Follows entities of this integration only, all of them where no target was chosen."""

    _schema = ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR.extend(_ANY_TARGET)
    _key: ClassVar[str]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Note whether there is a choice."""
        self._chosen = any((config.target or {}).values())
        super().__init__(hass, config if self._chosen else replace(config, target=EVERYTHING))

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the entities to follow."""
        return async_followed(self._hass, self._key, entities if self._chosen else None)


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

    _domain_specs = {SENSOR_DOMAIN: DomainSpec()}
    _key = "status"


class InstanceWentDownTrigger(_InstanceTrigger, EntityOriginStateTriggerBase):
    """An instance was ok, and is not."""

    _from_state = InstanceStatus.OK


class InstanceCameBackTrigger(_InstanceTrigger, EntityTargetStateTriggerBase):
    """An instance was not ok, and is.

    Until the first verdict on the VPN, whoever requires it is `vpn_down`. The end of that is no
    coming back, unless the verdict was `off` meanwhile.
    """

    _to_states = {InstanceStatus.OK}
    _vpn_was_off = True

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Follow the VPN, too."""

        @callback
        def vpn_changed(change: TargetStateChangedData) -> None:
            before, now = (
                change.state_change_event.data[key] for key in ("old_state", "new_state")
            )
            if now is not None and now.state == STATE_ON:
                self._vpn_was_off = before is not None and before.state == STATE_OFF

        unfollow = await async_track_target_selector_state_change_event(
            self._hass, EVERYTHING, vpn_changed, lambda _: async_followed(self._hass, "vpn", None)
        )
        detach = await super().async_attach_runner(run_action, did_not_trigger)

        @callback
        def detach_both() -> None:
            unfollow()
            detach()

        return detach_both

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Tell whether it was down, and not only waiting for the first verdict."""
        waited = from_state.state == InstanceStatus.VPN_DOWN and not self._vpn_was_off
        return not waited and super().is_valid_transition(from_state, to_state)


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
    _happening: ClassVar[Happening]

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Tell whether it is what is waited for."""
        return state.attributes.get(EventEntityStateAttribute.EVENT_TYPE) == self._happening


class MagnetFailedTrigger(_MagnetTrigger):
    """Magnets failed for good."""

    _happening = Happening.FAILED


class MagnetDuplicatedTrigger(_MagnetTrigger):
    """Magnets turned out to be on two instances."""

    _happening = Happening.DUPLICATE


TRIGGERS: dict[str, type[Trigger]] = {
    "instance_came_back": InstanceCameBackTrigger,
    "instance_went_down": InstanceWentDownTrigger,
    "magnet_duplicated": MagnetDuplicatedTrigger,
    "magnet_failed": MagnetFailedTrigger,
    "magnets_queued": MagnetsQueuedTrigger,
    "queue_emptied": QueueEmptiedTrigger,
    "vpn_came_back": VpnCameBackTrigger,
    "vpn_went_down": VpnWentDownTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
