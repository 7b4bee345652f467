"""From stored config data to the settings that the core works with."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_PASSWORD, CONF_URL, CONF_USERNAME, CONF_VERIFY_SSL

from .const import (
    CONF_API_KEY,
    CONF_CATEGORY,
    CONF_DEFAULTS,
    CONF_PRIORITY,
    CONF_REQUIRES_VPN,
    CONF_SAVE_PATH,
    CONF_STOPPED,
    CONF_TAGS,
)
from .core.models import AddOptions, InstanceSettings
from .core.url import normalise_url


def instance_settings(subentry: ConfigSubentry, *, has_vpn: bool = False) -> InstanceSettings:
    """Return the settings of a configured instance; one that does not say requires the VPN."""
    data = {CONF_REQUIRES_VPN: has_vpn, **subentry.data}
    return settings_from(subentry.subentry_id, subentry.title, data)


def settings_from(key: str, name: str, data: Mapping[str, Any]) -> InstanceSettings:
    """Return settings from the fields of an instance; raises InvalidUrlError."""
    return InstanceSettings(
        key=key,
        name=name,
        url=normalise_url(data[CONF_URL]),
        username=data.get(CONF_USERNAME, ""),
        password=data.get(CONF_PASSWORD, ""),
        api_key=data.get(CONF_API_KEY, ""),
        requires_vpn=data.get(CONF_REQUIRES_VPN, False),
        priority=int(data.get(CONF_PRIORITY, 1)),
        defaults=_add_options(data.get(CONF_DEFAULTS, {})),
    )


def verifies_ssl(data: Mapping[str, Any]) -> bool:
    """Tell whether the server's certificate must be one that this host trusts."""
    return bool(data.get(CONF_VERIFY_SSL, True))


def _add_options(data: Mapping[str, Any]) -> AddOptions:
    return AddOptions(
        category=data.get(CONF_CATEGORY) or None,
        save_path=data.get(CONF_SAVE_PATH) or None,
        tags=tuple(data.get(CONF_TAGS) or ()) or None,
        stopped=bool(data.get(CONF_STOPPED, False)),
    )
