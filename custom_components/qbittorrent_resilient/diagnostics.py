"""What helps somebody who helps: no host, no credentials, no magnet, nothing the user has named.

Instances are called by their place on the integration's page. All that is said is built up from
words and numbers of our own, so that no new field of a server or an entry gets in by itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
import ipaddress
from typing import Any
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .const import CONF_VPN_TARGETS, DEFAULT_OPTIONS, DOMAIN, SUBENTRY_INSTANCE
from .coordinator import InstanceCoordinator, ResilientConfigEntry, Runtime
from .core.entry import (
    EXPIRED,
    INVALID_MAGNET,
    NO_INSTANCE,
    REJECTED,
    REMOVED,
    UNCERTAIN,
    Entry,
    Stage,
)
from .core.errors import InvalidUrlError
from .core.history import History, Look
from .core.models import InstanceSettings, InstanceStatus
from .settings import instance_settings, verifies_ssl

type Data = dict[str, Any]

_REASONS = {EXPIRED, INVALID_MAGNET, NO_INSTANCE, REJECTED, REMOVED, UNCERTAIN, *InstanceStatus}
"""The stored file could hold any text for a reason."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ResilientConfigEntry
) -> Data:
    """Return all there is to say; of an entry that does not run, its settings."""
    runtime = _runtime(entry)
    subentries = entry.get_subentries_of_type(SUBENTRY_INSTANCE)
    places = {one.subentry_id: f"instance_{place}" for place, one in enumerate(subentries, 1)}
    data: Data = {
        "taken_at": dt_util.utcnow().isoformat(),
        "state": entry.state.value,
        "why": entry.error_reason_translation_key,
        "options": {name: entry.options.get(name, one) for name, one in DEFAULT_OPTIONS.items()},
        "vpn": _of_vpn(entry, runtime),
        "instances": {
            places[one.subentry_id]: _of_instance(
                one, runtime, has_vpn=bool(entry.data.get(CONF_VPN_TARGETS))
            )
            for one in subentries
        },
    }
    if runtime is None:
        return data
    stages = {stage: runtime.courier.queue.at(stage) for stage in Stage}
    magnets = await hass.async_add_executor_job(_of_magnets, runtime, stages, places)
    return data | {"magnets": magnets}


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: ResilientConfigEntry, device: dr.AnyDeviceEntry
) -> Data:
    """Return the same, of an instance's device without the other instances."""
    data = await async_get_config_entry_diagnostics(hass, entry)
    subentries = entry.get_subentries_of_type(SUBENTRY_INSTANCE)
    for place, subentry in enumerate(subentries, 1):
        if (DOMAIN, subentry.subentry_id) in device.identifiers:
            name = f"instance_{place}"
            return data | {"instances": {name: data["instances"][name]}}
    return data


def _runtime(entry: ResilientConfigEntry) -> Runtime | None:
    return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None


def _of_vpn(entry: ResilientConfigEntry, runtime: Runtime | None) -> Data:
    """Return what is watched, by number and kind, and what was seen of it."""
    targets: Sequence[str] = entry.data.get(CONF_VPN_TARGETS) or []
    data: Data = {"targets": dict(Counter(map(_kind, targets)))}
    if runtime is None or runtime.vpn is None:
        return data
    reading = runtime.vpn.monitor.reading
    return data | {
        "state": reading.state.value,
        "icmp_permitted": reading.permitted,
        "in_doubt": runtime.vpn.monitor.in_doubt,
        "history": _of_history(runtime.vpn.history),
    }


def _of_instance(subentry: ConfigSubentry, runtime: Runtime | None, *, has_vpn: bool) -> Data:
    """Return how an instance is set up, how it is, and how it was."""
    try:
        settings = instance_settings(subentry, has_vpn=has_vpn)
    except InvalidUrlError:
        return {"scheme": None}
    address = urlsplit(settings.url)
    defaults = settings.defaults
    data: Data = {
        "scheme": address.scheme,
        "host": _kind(address.hostname or ""),
        "has_path": bool(address.path.strip("/")),
        "verify_ssl": verifies_ssl(subentry.data),
        "log_in": _log_in(settings),
        "requires_vpn": settings.requires_vpn,
        "priority": settings.priority,
        "defaults": {
            "category": defaults.category is not None,
            "save_path": defaults.save_path is not None,
            "tags": len(defaults.tags or ()),
            "stopped": bool(defaults.stopped),
        },
    }
    coordinator = None if runtime is None else runtime.instances.get(subentry.subentry_id)
    return data if coordinator is None else data | _of_server(coordinator)


def _of_server(coordinator: InstanceCoordinator) -> Data:
    monitor = coordinator.monitor
    runtime = coordinator.config_entry.runtime_data
    return {
        "status": None if monitor.status is None else monitor.status.value,
        "reason": coordinator.reason,
        "in_doubt": monitor.in_doubt,
        "is_active": runtime.courier.active is monitor,
        "version": monitor.client.version,
        "log_in_refused": monitor.client.refused,
        "sessions_renewed": monitor.client.renewals,
        "history": _of_history(coordinator.history),
    }


def _log_in(settings: InstanceSettings) -> str:
    """Return the kind of log-in, never with what."""
    if settings.api_key:
        return "api_key"
    return "password" if settings.username or settings.password else "none"


def _kind(host: str) -> str:
    """Return what kind of address this is: all that may be said of it."""
    try:
        return f"ipv{ipaddress.ip_address(host).version}"
    except ValueError:
        return "name"


def _of_history(history: History) -> Data:
    return {
        "changed": history.changed,
        "looked": history.looked,
        "last_changes": [_of_look(one) for one in history.changes],
        "last_looks": [_of_look(one) for one in history.looks],
    }


def _of_look(look: Look) -> Data:
    """Return one line; what does not apply is left out."""
    more = {
        "reason": look.reason,
        "in_doubt": look.in_doubt or None,
        "latency": look.latency,
        "loss": look.loss,
    }
    return {
        "at": dt_util.utc_from_timestamp(look.at).isoformat(),
        "verdict": look.verdict,
        **{name: value for name, value in more.items() if value is not None},
    }


def _of_magnets(
    runtime: Runtime, stages: Mapping[Stage, Sequence[Entry]], places: Mapping[str, str]
) -> Data:
    """Return how many magnets there are at each stage; thousands take a while."""
    now = runtime.courier.now()
    return {
        stage.value: _of_stage(
            entries,
            now,
            reasons=[
                runtime.courier.reason(one) if stage is Stage.QUEUED else one.reason
                for one in entries
            ],
            places=places,
        )
        for stage, entries in stages.items()
    }


def _of_stage(
    entries: Sequence[Entry], now: float, *, reasons: Iterable[str], places: Mapping[str, str]
) -> Data:
    """Return number, ages (seconds), reasons and attempts of magnets, and where they may be."""
    if not entries:
        return {"count": 0}
    known = (one if not one or one in _REASONS else "other" for one in reasons)
    where = (places.get(one.sent_to, "gone") for one in entries if one.sent_to is not None)
    ages = [round(now - one.queued_at) for one in entries]
    return {
        "count": len(entries),
        "oldest": max(ages),
        "newest": min(ages),
        "reasons": dict(Counter(one for one in known if one)),
        "attempts": {
            "most": max(one.attempts for one in entries),
            "sum": sum(one.attempts for one in entries),
        },
        "require_vpn": sum(one.require_vpn for one in entries),
        "sent_to": dict(Counter(where)),
        "suspects": sum(bool(one.suspects) for one in entries),
        "unsaved": sum(one.unsaved for one in entries),
    }
