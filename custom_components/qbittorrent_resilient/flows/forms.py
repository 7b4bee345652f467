"""The forms of the flows, and the checks of the sections."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homeassistant.const import (
    CONF_NAME,
    CONF_PASSWORD,
    CONF_SCAN_INTERVAL,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
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
import probatio as vol

from .. import validators
from ..const import (
    CONF_API_KEY,
    CONF_ASK_HOME_ADDRESS,
    CONF_CATEGORY,
    CONF_DEFAULTS,
    CONF_FAILURES_BEFORE_DOWN,
    CONF_FETCH_LINKS,
    CONF_FETCH_PROXY,
    CONF_GLUETUN,
    CONF_PRIORITY,
    CONF_PROXY,
    CONF_QUEUE_EXPIRY,
    CONF_REMEMBER_DAYS,
    CONF_REQUIRES_VPN,
    CONF_SAVE_PATH,
    CONF_STOPPED,
    CONF_SUCCESSES_BEFORE_UP,
    CONF_TAGS,
    DEFAULT_OPTIONS,
    OPTION_RANGES,
)
from ..core.errors import InvalidLinkError
from ..core.fetching.proxy import checked_fetch_proxy
from ..core.qbittorrent.errors import InvalidUrlError
from ..settings import LAST_PRIORITY, SERVER, STOPPED, priority_of, stopped_word, verifies_ssl
from .core_import import CONF_TAKE_OVER
from .gluetun_form import GLUETUN_SCHEMA, checked_gluetun
from .proxy_form import PROXY_SCHEMA, checked_proxy, readable_proxy
from .unasked import UNSAID, UnaskedBoolean, concerns_vpn

type Fields = dict[str, Any]
type Errors = dict[str, str]

_LINES = TextSelector(TextSelectorConfig(multiple=True))
USERNAME = TextSelector(TextSelectorConfig(autocomplete="username"))
SECRET = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
NEW_SECRET = TextSelector(  # where an empty field keeps what is stored, nothing may fill it
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password")
)
KEY = TextSelector(  # a password manager would enter the password, which would count as the key
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)


def _whole_number(least: int, most: int | None = None, unit: str | None = None) -> vol.All[Any]:
    config = NumberSelectorConfig(min=least, step=1, mode=NumberSelectorMode.BOX)
    if most is not None:
        config["max"] = most
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


_TYPES: Mapping[str, type] = {
    CONF_URL: str,
    CONF_USERNAME: str,
    CONF_PASSWORD: str,
    CONF_API_KEY: str,
    CONF_VERIFY_SSL: bool,
    CONF_REQUIRES_VPN: bool,
    CONF_PRIORITY: int,
}
_TYPES_OF_DEFAULTS: Mapping[str, type] = {
    CONF_CATEGORY: str,
    CONF_SAVE_PATH: str,
    CONF_TAGS: list,
    CONF_STOPPED: str,
}

_STOPPED = SelectSelector(
    SelectSelectorConfig(
        options=list(STOPPED), translation_key="stopped", mode=SelectSelectorMode.DROPDOWN
    )
)

_OPTIONS = {
    CONF_SCAN_INTERVAL: _whole_number(*OPTION_RANGES[CONF_SCAN_INTERVAL], "s"),
    CONF_FAILURES_BEFORE_DOWN: _whole_number(*OPTION_RANGES[CONF_FAILURES_BEFORE_DOWN]),
    CONF_SUCCESSES_BEFORE_UP: _whole_number(*OPTION_RANGES[CONF_SUCCESSES_BEFORE_UP]),
    CONF_ASK_HOME_ADDRESS: BooleanSelector(),
    CONF_FETCH_LINKS: BooleanSelector(),
    CONF_REMEMBER_DAYS: _whole_number(*OPTION_RANGES[CONF_REMEMBER_DAYS], "d"),
    CONF_QUEUE_EXPIRY: _whole_number(*OPTION_RANGES[CONF_QUEUE_EXPIRY], "d"),
}


def options_schema(stored: Mapping[str, Any]) -> vol.Schema:
    """Return the form of the options; an option that is left out keeps its value."""
    current = {**DEFAULT_OPTIONS, **stored}
    return vol.Schema(
        {
            vol.Required(name, default=current[name]): validator
            for name, validator in _OPTIONS.items()
        }
        | {
            # No default, or nobody could clear it.
            vol.Optional(
                CONF_FETCH_PROXY, description={"suggested_value": current[CONF_FETCH_PROXY]}
            ): TextSelector()
        }
    )


def checked_options(entered: Fields) -> tuple[Fields, Errors]:
    """Return the options as they are stored, and the form errors."""
    try:
        proxy = checked_fetch_proxy(entered.get(CONF_FETCH_PROXY, ""))
    except InvalidLinkError:
        return entered, {CONF_FETCH_PROXY: "invalid_fetch_proxy"}
    return entered | {CONF_FETCH_PROXY: proxy}, {}


def _requires_vpn(default: bool, *, is_asked: bool) -> dict[vol.Marker, BooleanSelector]:
    """Return the switch; where nobody is asked, one that was left alone says nothing."""
    if is_asked:
        return {vol.Optional(CONF_REQUIRES_VPN, default=default): BooleanSelector()}
    return {vol.Optional(CONF_REQUIRES_VPN, default=UNSAID): UnaskedBoolean()}


def _defaults_schema(stored: Mapping[str, Any]) -> vol.Schema:
    return vol.Schema(
        {
            vol.Optional(CONF_CATEGORY, default=""): TextSelector(),
            vol.Optional(CONF_SAVE_PATH, default=""): TextSelector(),
            vol.Optional(CONF_TAGS, default=list): _LINES,
            vol.Optional(CONF_STOPPED, default=stored.get(CONF_STOPPED, SERVER)): _STOPPED,
        }
    )


def instance_schema(
    *,
    vpn_watched: bool,
    next_priority: int,
    known_servers: Sequence[SelectOptionDict] = (),
    stored: Mapping[str, Any] | None = None,
    entered: Mapping[str, Any] | None = None,
) -> vol.Schema:
    """Return the form of an instance; with `known_servers`, it can be filled from one of those.

    A field that nobody can clear keeps its `stored` value if it is left out. Without a VPN, and
    unless what was `entered` says otherwise, nobody is asked whether it is required.
    """
    now: Fields = {CONF_REQUIRES_VPN: vpn_watched, CONF_PRIORITY: next_priority}
    if stored is not None:
        now = now | {CONF_PRIORITY: 1, **stored}
    is_required = bool(entered and entered.get(CONF_REQUIRES_VPN))
    asks_for_vpn = vpn_watched or is_required or concerns_vpn(stored)
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
            vol.Optional(CONF_USERNAME, default=""): USERNAME,
            vol.Optional(CONF_PASSWORD, default=""): SECRET if stored is None else NEW_SECRET,
            vol.Optional(CONF_API_KEY, default=""): KEY,
            vol.Optional(CONF_VERIFY_SSL, default=verifies_ssl(now)): BooleanSelector(),
            **_requires_vpn(now[CONF_REQUIRES_VPN], is_asked=asks_for_vpn),
            vol.Optional(CONF_PRIORITY, default=now[CONF_PRIORITY]): vol.All(
                *_whole_number(1).validators, vol.Range(max=LAST_PRIORITY)
            ),
            # No defaults here: the frontend would prefer them to the values suggested inside.
            vol.Optional(CONF_PROXY): section(PROXY_SCHEMA, {"collapsed": True}),
            vol.Optional(CONF_GLUETUN): section(GLUETUN_SCHEMA, {"collapsed": True}),
            vol.Optional(CONF_DEFAULTS): section(
                _defaults_schema(now.get(CONF_DEFAULTS) or {}), {"collapsed": True}
            ),
        }
    )


def next_priority(siblings: Iterable[Mapping[str, Any]]) -> int:
    """Return the lowest priority number after those of all instances."""
    last = max((readable(sibling).get(CONF_PRIORITY, 1) for sibling in siblings), default=0)
    return min(last + 1, LAST_PRIORITY)


def readable(stored: Mapping[str, Any]) -> Fields:
    """Return those of an instance's stored fields that a form can show."""

    def kept(fields: Mapping[str, Any], types: Mapping[str, type]) -> Fields:
        return {
            name: value
            for name, value in fields.items()
            if name not in types or type(value) is types[name]
        }

    fields = kept(stored, _TYPES)
    if CONF_PRIORITY in fields:
        fields[CONF_PRIORITY] = priority_of(fields)
    if isinstance(defaults := fields.pop(CONF_DEFAULTS, None), Mapping):
        words = {CONF_STOPPED: stopped_word(defaults.get(CONF_STOPPED))}
        fields[CONF_DEFAULTS] = shown = kept({**defaults, **words}, _TYPES_OF_DEFAULTS)
        if shown.get(CONF_STOPPED) not in STOPPED:
            shown.pop(CONF_STOPPED, None)
        shown[CONF_TAGS] = [tag for tag in shown.get(CONF_TAGS, ()) if isinstance(tag, str)]
    if isinstance(behind := fields.pop(CONF_GLUETUN, None), Mapping):
        fields[CONF_GLUETUN] = {name: text for name, text in behind.items() if type(text) is str}
    return fields | readable_proxy(fields.pop(CONF_PROXY, None))


def tidy_sections(data: Fields, faults: set[str], *, vpn_watched: bool) -> Errors:
    """Change the sections of `data` to what is stored of each; return the form errors.

    What is wrong with an address there is added to `faults`.
    """
    proxy, errors = checked_proxy(data.pop(CONF_PROXY, None), by_key=bool(data[CONF_API_KEY]))
    data |= proxy
    try:
        data |= (gluetun := checked_gluetun(data.pop(CONF_GLUETUN, None)))
    except InvalidUrlError as err:
        errors[CONF_GLUETUN] = "invalid_url"
        faults.add(err.fault)
    else:
        if data[CONF_REQUIRES_VPN] and not vpn_watched and not gluetun:
            errors[CONF_REQUIRES_VPN] = "vpn_required"
    try:
        data[CONF_DEFAULTS] = _checked_defaults(data.get(CONF_DEFAULTS) or _defaults_schema({})({}))
    except vol.Invalid:
        errors["base"] = "invalid_defaults"
    return errors


def _checked_defaults(entered: Fields) -> Fields:
    return {
        CONF_CATEGORY: validators.category(entered[CONF_CATEGORY]),
        CONF_SAVE_PATH: validators.plain_text(entered[CONF_SAVE_PATH]),
        CONF_TAGS: [validators.tag(tag) for tag in entered[CONF_TAGS]],
        CONF_STOPPED: entered[CONF_STOPPED],
    }
