"""What is stored of the entry itself, as far as it can be read: what is damaged harms nothing else.

An option that cannot be read has its default. A target that is no text is none, and whoever
requires the VPN waits where no other is left.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry

from .const import (
    CONF_FETCH_LINKS,
    CONF_FETCH_PROXY,
    CONF_HOME_ADDRESS,
    CONF_VPN_TARGETS,
    DEFAULT_OPTIONS,
    OPTION_RANGES,
)
from .core.errors import InvalidLinkError, InvalidTargetError
from .core.fetching.proxy import checked_fetch_proxy
from .core.health.target import parse_target


def readable_options(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options; nothing is fetched past a proxy that cannot be read."""
    options = DEFAULT_OPTIONS | {
        name: value
        for name, value in stored.items()
        if name in DEFAULT_OPTIONS and _is_readable(name, value)
    }
    if not _is_readable(CONF_FETCH_PROXY, stored.get(CONF_FETCH_PROXY, "")):
        options[CONF_FETCH_LINKS] = False
    return options


def damaged_fields(entry: ConfigEntry) -> list[str]:
    """Return the names of what is stored of the entry and cannot be read."""
    options = [
        name
        for name, value in entry.options.items()
        if name in DEFAULT_OPTIONS and not _is_readable(name, value)
    ]
    targets = [one for one in readable_targets(entry) if _is_target(one)]
    lists = {CONF_VPN_TARGETS: targets, CONF_HOME_ADDRESS: home_entities(entry)}
    return [
        *(name for name, some in lists.items() if len(some) != _count(entry.data.get(name))),
        *options,
    ]


def readable_data(entry: ConfigEntry) -> dict[str, Any]:
    """Return what the form of the entry itself can show."""
    lists = {CONF_VPN_TARGETS: readable_targets(entry), CONF_HOME_ADDRESS: home_entities(entry)}
    return {name: some for name, some in lists.items() if name in entry.data}


def readable_targets(entry: ConfigEntry) -> list[str]:
    """Return the VPN's targets; one that is written wrongly is none to whoever probes it."""
    return list(_texts(entry.data.get(CONF_VPN_TARGETS)))


def home_entities(entry: ConfigEntry) -> list[str]:
    """Return the entities that say the home's address."""
    return list(_texts(entry.data.get(CONF_HOME_ADDRESS)))


def _texts(stored: Any) -> Iterable[str]:
    """Yield the texts in a list, or the only one."""
    some = [stored] if isinstance(stored, str) else stored
    if isinstance(some, list | tuple):
        yield from (one for one in some if isinstance(one, str) and one)


def _is_target(text: str) -> bool:
    try:
        parse_target(text)
    except InvalidTargetError:
        return False
    return True


def _count(stored: Any) -> int:
    """Return how many texts there should be."""
    if not stored:
        return 0
    return len(stored) if isinstance(stored, list | tuple) else 1


def _is_readable(name: str, value: Any) -> bool:
    """Tell whether a stored option is of its type, and in its range."""
    if name in OPTION_RANGES:
        least, most = OPTION_RANGES[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and least <= value <= most
    if name != CONF_FETCH_PROXY:
        return isinstance(value, bool)
    try:
        return isinstance(value, str) and checked_fetch_proxy(value) is not None
    except InvalidLinkError:
        return False
