"""The part of the diagnostics that is about the VPN's witnesses, without addresses and keys."""

from collections import Counter
from collections.abc import Sequence
import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from homeassistant.util import dt as dt_util

from .core.errors import InvalidTargetError
from .core.gluetun import GluetunSettings
from .core.health.history import History, Look
from .core.health.target import parse_target
from .vpn_coordinator import GluetunCoordinator, VpnCoordinator

type Data = dict[str, Any]

_LEADS_TO = re.compile(r", which leads to \S+(?<!,)")
"""Where a redirect goes, which the log says."""


def of_targets(targets: Sequence[str], coordinator: VpnCoordinator | None) -> Data:
    """Return how many VPN targets of which kind there are, the verdict and its history.

    Targets are named by their place in the list.
    """
    data: Data = {"targets": dict(Counter(map(_kind_of_target, targets)))}
    if coordinator is None:
        return data
    reading = coordinator.monitor.reading
    return data | {
        "state": reading.state.value,
        "icmp_permitted": reading.permitted,
        "in_doubt": coordinator.monitor.in_doubt,
        "no_answer": {
            f"target_{place}": fault.value
            for place, fault in enumerate(reading.faults, 1)
            if fault is not None
        },
        "history": of_history(coordinator.history),
    }


def of_gluetun(settings: GluetunSettings, coordinator: GluetunCoordinator | None) -> Data:
    """Return where a gluetun is by kind only, how it is logged in to, the verdict and its history.

    The exit's address is left out.
    """
    address = urlsplit(settings.url)
    login = {
        "api_key": bool(settings.api_key),
        "password": bool(settings.username or settings.password),
    }
    data: Data = {
        "scheme": address.scheme,
        "host": kind_of_host(address.hostname or ""),
        "has_path": bool(address.path.strip("/")),
        "log_in": [kind for kind, is_set in login.items() if is_set],
    }
    if coordinator is None:
        return data
    reading = coordinator.monitor.reading
    look = reading.look
    return data | {
        "state": reading.state.value,
        "tunnel": None if look is None else look.state.value,
        "says": None if look is None else look.word,
        "in_doubt": coordinator.monitor.in_doubt,
        "history": of_history(coordinator.history),
    }


def kind_of_host(host: str) -> str:
    """Return the kind of a host's address, which is all that may be shown of it."""
    try:
        return f"ipv{ipaddress.ip_address(host).version}"
    except ValueError:
        return "name"


def _kind_of_target(text: str) -> str:
    try:
        target = parse_target(text)
    except InvalidTargetError:
        return "invalid"
    kind = kind_of_host(target.host)
    return kind if target.port is None else f"{kind}_port"


def of_history(history: History) -> Data:
    """Return the looks that are kept."""
    return {
        "changed": history.changed,
        "looked": history.looked,
        "last_changes": [_of_look(look) for look in history.changes],
        "last_looks": [_of_look(look) for look in history.looks],
    }


def public(reason: str | None) -> str | None:
    """Return why a look failed, without the host that a redirect leads to."""
    return reason and _LEADS_TO.sub(", which leads elsewhere", reason)


def _of_look(look: Look) -> Data:
    """Return a look; fields that do not apply are left out."""
    more = {
        "reason": public(look.reason),
        "in_doubt": look.in_doubt or None,
        "latency": look.latency,
        "loss": look.loss,
    }
    return {
        "at": dt_util.utc_from_timestamp(look.at).isoformat(),
        "verdict": look.verdict,
        **{name: value for name, value in more.items() if value is not None},
    }
