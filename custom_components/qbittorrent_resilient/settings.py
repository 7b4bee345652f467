"""Turns stored config data into the settings that the core works with."""

from collections.abc import Mapping
from copy import replace
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_PASSWORD, CONF_URL, CONF_USERNAME, CONF_VERIFY_SSL

from .const import (
    CONF_API_KEY,
    CONF_CATEGORY,
    CONF_DEFAULTS,
    CONF_GLUETUN,
    CONF_GLUETUN_API_KEY,
    CONF_GLUETUN_PASSWORD,
    CONF_GLUETUN_URL,
    CONF_GLUETUN_USERNAME,
    CONF_HEADERS,
    CONF_PRIORITY,
    CONF_PROXY,
    CONF_PROXY_PASSWORD,
    CONF_PROXY_USERNAME,
    CONF_REQUIRES_VPN,
    CONF_SAVE_PATH,
    CONF_STOPPED,
    CONF_TAGS,
)
from .core import gluetun, names
from .core.gluetun import GluetunSettings, normalise_url as normalise_gluetun_url
from .core.health.settings import InstanceSettings
from .core.qbittorrent.errors import InvalidSettingsError
from .core.qbittorrent.models import AddOptions
from .core.qbittorrent.pasted import read_pasted
from .core.qbittorrent.proxy import check_login, parse_headers
from .core.qbittorrent.url import normalise_url

_NOT_READABLE = (
    InvalidSettingsError,
    gluetun.InvalidUrlError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What reading fields of any type may raise."""


SERVER = "server"
LAST_PRIORITY = 1_000_000
"""Home Assistant stores no number of more than 64 bits, nor any other entry beside one."""
STOPPED: Mapping[Any, bool | None] = {SERVER: None, "start": False, "stop": True}
"""How a server's magnets may be added by default; None is as the server itself is set."""


class DamagedSettingsError(ValueError):
    """The stored fields of an instance are no settings: one is missing, or of another type."""


def instance_settings(subentry: ConfigSubentry, *, has_vpn: bool = False) -> InstanceSettings:
    """Return the settings of a configured instance; raises DamagedSettingsError.

    `has_vpn` tells whether an instance without the field `requires_vpn` requires the VPN.
    """
    try:
        data = {CONF_REQUIRES_VPN: has_vpn, **subentry.data}
        settings = settings_from(subentry.subentry_id, subentry.title, data)
        settings = replace(settings, gluetun=gluetun_settings(subentry.data))
    except _NOT_READABLE as err:
        raise DamagedSettingsError from err
    if not _fits(settings, InstanceSettings):
        raise DamagedSettingsError
    return settings


def valid_url(data: Mapping[str, Any]) -> str | None:
    """Return the address of an instance as `normalise_url` does, or None if it has none."""
    try:
        return normalise_url(data[CONF_URL])
    except _NOT_READABLE:
        return None


def pasted_url(data: Mapping[str, Any]) -> str | None:
    """Return the address in the fields of somebody else as ours would be, or None."""
    try:
        return read_pasted(data[CONF_URL])
    except _NOT_READABLE:
        return None


def settings_from(key: str, name: str, data: Mapping[str, Any]) -> InstanceSettings:
    """Return settings from the fields of an instance; raises InvalidSettingsError.

    That is an InvalidUrlError, or an InvalidProxyError for what is in the section `proxy`.
    """
    proxy = data.get(CONF_PROXY) or {}
    proxy_username = proxy.get(CONF_PROXY_USERNAME) or ""
    proxy_password = proxy.get(CONF_PROXY_PASSWORD) or ""
    headers = parse_headers(proxy.get(CONF_HEADERS) or ())
    check_login(proxy_username, proxy_password, headers, api_key=bool(data.get(CONF_API_KEY)))
    return InstanceSettings(
        key=key,
        name=names.shown(name) or key,
        url=normalise_url(data[CONF_URL]),
        username=data.get(CONF_USERNAME, ""),
        password=data.get(CONF_PASSWORD, ""),
        api_key=data.get(CONF_API_KEY, ""),
        proxy_username=proxy_username,
        proxy_password=proxy_password,
        headers=headers,
        requires_vpn=data.get(CONF_REQUIRES_VPN, False),
        priority=priority_of(data),
        defaults=_add_options(data.get(CONF_DEFAULTS, {})),
    )


def gluetun_settings(data: Mapping[str, Any]) -> GluetunSettings | None:
    """Return the gluetun that an instance is behind, if it has one.

    Raises InvalidUrlError of `core.gluetun`.
    """
    stored = data.get(CONF_GLUETUN) or {}
    if not stored.get(CONF_GLUETUN_URL):
        return None
    return GluetunSettings(
        url=normalise_gluetun_url(stored[CONF_GLUETUN_URL]),
        api_key=stored.get(CONF_GLUETUN_API_KEY, ""),
        username=stored.get(CONF_GLUETUN_USERNAME, ""),
        password=stored.get(CONF_GLUETUN_PASSWORD, ""),
    )


def verifies_ssl(data: Mapping[str, Any]) -> bool:
    """Tell whether the server's certificate must be one that this host trusts: unless it is off."""
    return data.get(CONF_VERIFY_SSL) is not False


def priority_of(data: Mapping[str, Any]) -> int:
    """Return the priority of an instance, in its range; raises for what is no number."""
    return min(max(1, int(data.get(CONF_PRIORITY, 1))), LAST_PRIORITY)


def _add_options(data: Mapping[str, Any]) -> AddOptions:
    return AddOptions(
        category=data.get(CONF_CATEGORY) or None,
        save_path=data.get(CONF_SAVE_PATH) or None,
        tags=tuple(data.get(CONF_TAGS) or ()) or None,
        stopped=STOPPED[stopped_word(data.get(CONF_STOPPED, SERVER))],
    )


def stopped_word(value: object) -> object:
    """Return the word for true and false, which earlier versions stored; else the value itself."""
    if isinstance(value, bool):
        return "stop" if value else "start"
    return value


def _fits(value: object, hint: Any) -> bool:
    """Tell whether a value, and all within it, is of its annotated type; texts can be encoded."""
    if get_origin(hint) is UnionType:
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(each, get_args(hint)[0]) for each in value)
    if is_dataclass(hint):
        parts = get_type_hints(hint)
        return type(value) is hint and all(_fits(getattr(value, one), parts[one]) for one in parts)
    if hint is str:
        return type(value) is str and value.encode(errors="replace").decode() == value
    return type(value) is hint
