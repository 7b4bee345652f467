"""The form of the VPN targets and of the home's address, and the checks behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    TextSelector,
    TextSelectorConfig,
)
import probatio as vol

from ..const import CONF_GLUETUN, CONF_HOME_ADDRESS, CONF_REQUIRES_VPN, CONF_VPN_TARGETS
from ..core.errors import InvalidTargetError, PingNotPermittedError
from ..core.health.target import parse_target
from .target_trial import Finding, async_try_targets

type Fields = dict[str, Any]
type Errors = dict[str, str]

_LINES = TextSelector(TextSelectorConfig(multiple=True))
_ADDRESSES = EntitySelector(EntitySelectorConfig(domain=["sensor", "input_text"], multiple=True))

TARGETS_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_VPN_TARGETS, default=list): _LINES,
        vol.Optional(CONF_HOME_ADDRESS, default=list): _ADDRESSES,
    }
)


@dataclass(frozen=True, slots=True)
class CheckedTargets:
    """What was entered, as it is stored; the form errors; and what was seen of each target."""

    data: Fields = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def are_doubtful(self) -> bool:
        """Tell whether the user should look at a target again."""
        return any(finding is not Finding.ANSWERS for finding in self.findings.values())


async def async_check_targets(
    hass: HomeAssistant, entered: Fields, instances: Iterable[Mapping[str, Any]] = ()
) -> CheckedTargets:
    """Check what was entered, and try each target once; `instances` are the fields of each."""
    if not any(line.strip() for line in entered[CONF_VPN_TARGETS]):
        if any(map(_relies_on_targets, instances)):
            return CheckedTargets(errors={CONF_VPN_TARGETS: "vpn_required"})
        return CheckedTargets({**entered, CONF_VPN_TARGETS: []})
    try:
        targets = _tidied(entered[CONF_VPN_TARGETS])
    except InvalidTargetError:
        return CheckedTargets(errors={CONF_VPN_TARGETS: "invalid_target"})
    try:
        findings = await async_try_targets(hass, targets)
    except PingNotPermittedError:
        return CheckedTargets(errors={"base": "icmp_not_permitted"})
    if Finding.OWN in findings.values():
        return CheckedTargets(errors={CONF_VPN_TARGETS: "target_is_local"})
    return CheckedTargets({**entered, CONF_VPN_TARGETS: targets}, findings=findings)


def _tidied(lines: Iterable[str]) -> list[str]:
    """Return each target once, as it is stored; raises InvalidTargetError."""
    return list(dict.fromkeys(str(parse_target(line)) for line in lines if line.strip()))


def _relies_on_targets(instance: Mapping[str, Any]) -> bool:
    return bool(instance.get(CONF_REQUIRES_VPN)) and not instance.get(CONF_GLUETUN)
