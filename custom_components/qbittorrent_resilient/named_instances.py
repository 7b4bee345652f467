"""The instances that a call names: only these may get its magnets."""

from collections.abc import Iterable, Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN
from .core import names
from .runtime import Runtime


@callback
def async_named(hass: HomeAssistant, runtime: Runtime, given: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of instances, each given by its name or its device, in the same order.

    Raises ServiceValidationError, which does not quote what was given: that could be a link.
    """
    titles = {key: one.monitor.settings.name for key, one in runtime.instances.items()}
    titles |= {key: names.shown(title) or key for key, title in runtime.damaged.items()}
    exact = {title: key for key, title in titles.items()}
    alike = {names.key(title): key for key, title in reversed(titles.items())}
    keys: dict[str, None] = {}
    for place, text in enumerate(given, 1):
        # Of names that look alike, the one that is written so, or the first.
        key = exact.get(names.shown(text)) or alike.get(names.key(text))
        key = key or _key_of_device(hass, text.strip(), titles)
        if key is None:
            raise _unknown(place, titles)
        keys[key] = None
    if not keys:
        raise _unknown(1, titles)
    return tuple(keys)


def _key_of_device(hass: HomeAssistant, device_id: str, known: Mapping[str, str]) -> str | None:
    """Return the key of the instance that a device stands for, if there is one."""
    device = dr.async_get(hass).async_get(device_id)
    owners = set() if device is None else device.identifiers
    return next((key for key in known if (DOMAIN, key) in owners), None)


def _unknown(place: int, titles: Mapping[str, str]) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="unknown_instance",
        translation_placeholders={"place": str(place), "known": ", ".join(titles.values()) or "–"},
    )
