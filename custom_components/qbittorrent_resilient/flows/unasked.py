"""Fields that a form takes but does not show, as what they are about is not there.

Home Assistant's own markers for that take such a field from nobody, and are new in 2026.11. Here it
is left to the frontend, which one before that does not know and shows the field.
"""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.helpers.selector import BooleanSelector

from ..const import CONF_GLUETUN, CONF_GLUETUN_URL, CONF_REQUIRES_VPN

UNSAID = 0
"""Off, as nobody has touched the switch: equal to False, and told apart from it by its type."""


class UnaskedBoolean(BooleanSelector):
    """A switch that is not shown."""

    @override
    def __call__(self, data: Any) -> Any:
        """Check what was entered; UNSAID stays as it is."""
        return UNSAID if type(data) is int else super().__call__(data)

    @override
    def serialize(self) -> dict[str, Any]:
        """Return what the frontend is told of it."""
        return {**super().serialize(), "visible": False}


def concerns_vpn(fields: Mapping[str, Any] | None) -> bool:
    """Tell whether the fields of an instance have anything to do with a VPN."""
    return bool(fields and (fields.get(CONF_REQUIRES_VPN) or has_gluetun(fields)))


def has_gluetun(fields: Mapping[str, Any]) -> bool:
    """Tell whether an instance is behind a gluetun."""
    gluetun = fields.get(CONF_GLUETUN)
    return isinstance(gluetun, Mapping) and bool(str(gluetun.get(CONF_GLUETUN_URL, "")).strip())
