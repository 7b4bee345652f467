"""Conditions: the VPN is up, an instance is ok, the queue is not empty."""

from dataclasses import replace
from typing import ClassVar, override

from homeassistant.components.binary_sensor import DOMAIN as BINARY_SENSOR_DOMAIN
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import CONF_TARGET, STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL,
    Condition,
    ConditionConfig,
    EntityConditionBase,
    EntityStateConditionBase,
)
import probatio as vol

from .core.health.status import InstanceStatus
from .targets import DEVICES_OPTION, EVERYTHING, async_targeted, chosen_target

_SCHEMA = ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL.extend(
    {vol.Optional(CONF_TARGET): cv.TARGET_FIELDS}
)


class _OwnEntityCondition(EntityConditionBase):
    """Looks only at entities of this integration, at all of them if no target was chosen."""

    _schema = _SCHEMA
    _key: ClassVar[str]

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Follow the chosen targets, or all entities if none was chosen."""
        target = chosen_target(config.target, config.options)
        self._is_chosen = target is not None
        super().__init__(hass, replace(config, target=target or EVERYTHING))

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the entities to look at."""
        return async_targeted(self._hass, self._key, entities if self._is_chosen else None)


class VpnIsUpCondition(_OwnEntityCondition, EntityStateConditionBase):
    """The VPN is up; without a verdict it is not."""

    _domain_specs = {BINARY_SENSOR_DOMAIN: DomainSpec()}
    _key = "vpn"
    _states = {STATE_ON}


class InstanceIsOkCondition(_OwnEntityCondition, EntityStateConditionBase):
    """Any or all of the instances are ok."""

    _schema = _SCHEMA.extend(DEVICES_OPTION)
    _domain_specs = {SENSOR_DOMAIN: DomainSpec()}
    _key = "status"
    _states = {InstanceStatus.OK}


class QueueIsNotEmptyCondition(_OwnEntityCondition):
    """Something is queued."""

    _domain_specs = {SENSOR_DOMAIN: DomainSpec()}
    _key = "queued_magnets"

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Tell whether something is queued."""
        return entity_state.state != "0"


CONDITIONS: dict[str, type[Condition]] = {
    "instance_is_ok": InstanceIsOkCondition,
    "queue_is_not_empty": QueueIsNotEmptyCondition,
    "vpn_is_up": VpnIsUpCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
