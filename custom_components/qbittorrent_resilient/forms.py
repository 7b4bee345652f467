"""The forms of the flows, and the checks behind them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import (
    CONF_NAME,
    CONF_PASSWORD,
    CONF_SCAN_INTERVAL,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util.network import is_host_valid
import probatio as vol

from . import fields
from .connect import async_try_instance
from .const import (
    CONF_API_KEY,
    CONF_CATEGORY,
    CONF_DEFAULTS,
    CONF_FAILURES_BEFORE_DOWN,
    CONF_PRIORITY,
    CONF_QUEUE_EXPIRY,
    CONF_REQUIRES_VPN,
    CONF_SAVE_PATH,
    CONF_STOPPED,
    CONF_SUCCESSES_BEFORE_UP,
    CONF_TAGS,
    CONF_VPN_TARGETS,
    DEFAULT_OPTIONS,
)
from .core.errors import InvalidUrlError, PingNotPermittedError
from .core.ping import IcmpPing
from .core.url import normalise_url, same_place
from .settings import settings_from, verifies_ssl
from .take_over import CONF_TAKE_OVER

type Fields = dict[str, Any]
type Errors = dict[str, str]

_LINES = TextSelector(TextSelectorConfig(multiple=True))
_USERNAME = TextSelector(TextSelectorConfig(autocomplete="username"))
_SECRET = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
_KEY = TextSelector(  # a password manager would put the password there, which then counts
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)


def _whole_number(least: int, most: int | None = None, unit: str | None = None) -> vol.All[Any]:
    config = NumberSelectorConfig(min=least, step=1, mode=NumberSelectorMode.BOX)
    if most is not None:
        config["max"] = most
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


TARGETS_SCHEMA = vol.Schema({vol.Optional(CONF_VPN_TARGETS, default=list): _LINES})

_OPTIONS = {
    CONF_SCAN_INTERVAL: _whole_number(10, 3600, "s"),
    CONF_FAILURES_BEFORE_DOWN: _whole_number(1, 10),
    CONF_SUCCESSES_BEFORE_UP: _whole_number(1, 10),
    CONF_QUEUE_EXPIRY: _whole_number(1, 365, "d"),
}


def options_schema(stored: Mapping[str, Any]) -> vol.Schema:
    """Return the form of the options; one that is left out stays as it is."""
    now = {**DEFAULT_OPTIONS, **stored}
    return vol.Schema({vol.Required(key, default=now[key]): kind for key, kind in _OPTIONS.items()})


def _defaults_schema(stored: Mapping[str, Any]) -> vol.Schema:
    return vol.Schema(
        {
            vol.Optional(CONF_CATEGORY, default=""): TextSelector(),
            vol.Optional(CONF_SAVE_PATH, default=""): TextSelector(),
            vol.Optional(CONF_TAGS, default=list): _LINES,
            vol.Optional(CONF_STOPPED, default=stored.get(CONF_STOPPED, False)): BooleanSelector(),
        }
    )


def instance_schema(
    *,
    vpn_watched: bool,
    next_priority: int,
    known_servers: Sequence[SelectOptionDict] = (),
    stored: Mapping[str, Any] | None = None,
) -> vol.Schema:
    """Return the form of an instance; with `known_servers`, one of them can be taken over.

    What nobody can clear stays as it is `stored` where it is left out.
    """
    now: Fields = {CONF_REQUIRES_VPN: vpn_watched, CONF_PRIORITY: next_priority}
    if stored is not None:
        now = now | {CONF_PRIORITY: 1, **stored}
    marker: type[vol.Marker] = vol.Optional if known_servers else vol.Required
    choice: dict[vol.Marker, SelectSelector] = {}
    if known_servers:
        choice = {
            vol.Optional(CONF_TAKE_OVER): SelectSelector(
                SelectSelectorConfig(options=known_servers, mode=SelectSelectorMode.DROPDOWN)
            )
        }
    return vol.Schema(
        {
            **choice,
            marker(CONF_NAME): TextSelector(),
            marker(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
            vol.Optional(CONF_USERNAME, default=""): _USERNAME,
            vol.Optional(CONF_PASSWORD, default=""): _SECRET,
            vol.Optional(CONF_API_KEY, default=""): _KEY,
            vol.Optional(CONF_VERIFY_SSL, default=verifies_ssl(now)): BooleanSelector(),
            vol.Optional(CONF_REQUIRES_VPN, default=now[CONF_REQUIRES_VPN]): BooleanSelector(),
            vol.Optional(CONF_PRIORITY, default=now[CONF_PRIORITY]): _whole_number(1),
            # No default here: the frontend would take it before the values suggested inside.
            vol.Optional(CONF_DEFAULTS): section(
                _defaults_schema(now.get(CONF_DEFAULTS) or {}), {"collapsed": True}
            ),
        }
    )


def credentials_schema(*, by_key: bool) -> vol.Schema:
    """Return the form for new credentials: an API key, or user name and password."""
    if by_key:
        return vol.Schema({vol.Required(CONF_API_KEY): _KEY})
    return vol.Schema(
        {vol.Required(CONF_USERNAME): _USERNAME, vol.Required(CONF_PASSWORD): _SECRET}
    )


def next_priority(siblings: Iterable[Mapping[str, Any]]) -> int:
    """Return the lowest number after all that are taken."""
    return max((int(one.get(CONF_PRIORITY, 1)) for one in siblings), default=0) + 1


async def async_check_targets(
    entered: Fields, instances: Iterable[Mapping[str, Any]] = ()
) -> tuple[list[str], Errors]:
    """Return the VPN targets, each once, and what is wrong with them."""
    targets = list(dict.fromkeys(one.strip() for one in entered[CONF_VPN_TARGETS] if one.strip()))
    if not targets:
        if any(one.get(CONF_REQUIRES_VPN) for one in instances):
            return targets, {CONF_VPN_TARGETS: "vpn_required"}
        return targets, {}
    # Containers may have an underscore in their name.
    if not all(is_host_valid(target.replace("_", "x")) for target in targets):
        return targets, {CONF_VPN_TARGETS: "invalid_target"}
    try:
        await IcmpPing().kind()
    except PingNotPermittedError:
        return targets, {"base": "icmp_not_permitted"}
    return targets, {}


async def async_check_instance(
    hass: HomeAssistant,
    entered: Fields,
    *,
    vpn_watched: bool,
    siblings: Mapping[str, Mapping[str, Any]],
) -> tuple[Fields, Errors]:
    """Return an instance's fields as they are stored, and what is wrong with them.

    `siblings` are the other instances' fields by name. The connection is tried last.
    """
    data = {key: value for key, value in entered.items() if key != CONF_NAME}
    name = entered[CONF_NAME].strip()
    errors: Errors = {}
    try:
        data[CONF_URL] = normalise_url(data[CONF_URL])
    except InvalidUrlError:
        errors[CONF_URL] = "invalid_url"
    else:
        if any(same_place(data[CONF_URL], one[CONF_URL]) for one in siblings.values()):
            errors[CONF_URL] = "already_configured"
    if not name or name in siblings:
        errors[CONF_NAME] = "already_configured" if name else "name_missing"
    if data[CONF_REQUIRES_VPN] and not vpn_watched:
        errors[CONF_REQUIRES_VPN] = "vpn_required"
    try:
        data[CONF_DEFAULTS] = _checked_defaults(data.get(CONF_DEFAULTS) or _defaults_schema({})({}))
    except vol.Invalid:
        errors["base"] = "invalid_defaults"
    data[CONF_API_KEY] = data[CONF_API_KEY].strip()
    if not errors:
        settings = settings_from("", name, data)
        if error := await async_try_instance(hass, settings, verify_ssl=verifies_ssl(data)):
            errors["base"] = error
    return data, errors


async def async_check_credentials(
    hass: HomeAssistant, subentry: ConfigSubentry, entered: Fields
) -> tuple[Fields, Errors]:
    """Return an instance's fields with new credentials, and what is wrong with those."""
    data = {**subentry.data, **{key: value.strip() for key, value in entered.items()}}
    if CONF_PASSWORD in entered:
        data[CONF_PASSWORD] = entered[CONF_PASSWORD]  # blanks may be part of it
    settings = settings_from("", subentry.title, data)
    error = await async_try_instance(hass, settings, verify_ssl=verifies_ssl(data))
    return data, {"base": error} if error else {}


def _checked_defaults(entered: Fields) -> Fields:
    return {
        CONF_CATEGORY: fields.category(entered[CONF_CATEGORY]),
        CONF_SAVE_PATH: fields.plain_text(entered[CONF_SAVE_PATH]),
        CONF_TAGS: [fields.tag(one) for one in entered[CONF_TAGS]],
        CONF_STOPPED: entered[CONF_STOPPED],
    }
