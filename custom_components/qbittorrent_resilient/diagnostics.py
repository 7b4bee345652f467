"""Diagnostics for support, without hosts, credentials, magnets, or names that the user gave.

Instances are named by their place on the integration's page. The data consists only of words and
numbers of our own, so that a new field of a server or an entry never gets in automatically.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .const import CONF_FETCH_PROXY, CONF_VPN_TARGETS, DOMAIN, SUBENTRY_INSTANCE
from .coordinator import InstanceCoordinator
from .core.health.route import RouteMonitor
from .core.health.route_record import evidence_of
from .core.health.settings import InstanceSettings
from .core.health.status import InstanceStatus
from .core.outbox.job import Job, Reason, Stage
from .core.queue_lists import QueueItem
from .entry_settings import damaged_fields, readable_options, readable_targets
from .runtime import ResilientConfigEntry, Runtime
from .settings import STOPPED, DamagedSettingsError, instance_settings, verifies_ssl
from .vpn_diagnostics import kind_of_host, of_gluetun, of_history, of_targets, public

type Data = dict[str, Any]

_REASONS = {
    *Reason,
    *InstanceStatus,
}
"""The reasons that are shown, as the stored file could hold any text for a reason."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ResilientConfigEntry
) -> Data:
    """Return the diagnostics of an entry; if it is not loaded, only its settings."""
    runtime = _runtime(entry)
    options, targets = readable_options(entry.options), readable_targets(entry)
    has_vpn = bool(entry.data.get(CONF_VPN_TARGETS))
    subentries = entry.get_subentries_of_type(SUBENTRY_INSTANCE)
    places = {
        subentry.subentry_id: f"instance_{place}" for place, subentry in enumerate(subentries, 1)
    }
    data: Data = {
        "taken_at": dt_util.utcnow().isoformat(),
        "state": entry.state.value,
        "why": entry.error_reason_translation_key,
        "options": options | {CONF_FETCH_PROXY: bool(options[CONF_FETCH_PROXY])},  # is private
        "damaged": damaged_fields(entry),
        "vpn": of_targets(targets, None if runtime is None else runtime.vpn),
        "instances": {
            places[subentry.subentry_id]: _of_instance(subentry, runtime, has_vpn=has_vpn)
            for subentry in subentries
        },
    }
    if runtime is None:
        return data
    stages = {stage: runtime.dispatcher.jobs(stage) for stage in Stage}
    magnets = await hass.async_add_executor_job(_of_magnets, runtime, stages, places)
    links = runtime.dispatcher.links
    counts = {stage.value: links.count(stage) for stage in (Stage.QUEUED, Stage.FAILED)}
    return data | {"magnets": magnets, "web_links": counts}


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: ResilientConfigEntry, device: dr.AnyDeviceEntry
) -> Data:
    """Return the diagnostics of the entry; for an instance's device, without other instances."""
    data = await async_get_config_entry_diagnostics(hass, entry)
    subentries = entry.get_subentries_of_type(SUBENTRY_INSTANCE)
    for place, subentry in enumerate(subentries, 1):
        if (DOMAIN, subentry.subentry_id) in device.identifiers:
            name = f"instance_{place}"
            return data | {"instances": {name: data["instances"][name]}}
    return data


def _runtime(entry: ResilientConfigEntry) -> Runtime | None:
    return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None


def _of_instance(subentry: ConfigSubentry, runtime: Runtime | None, *, has_vpn: bool) -> Data:
    """Return the settings, the status and the history of an instance."""
    try:
        settings = instance_settings(subentry, has_vpn=has_vpn)
    except DamagedSettingsError:
        return {"scheme": None}
    address = urlsplit(settings.url)
    defaults = settings.defaults
    data: Data = {
        "scheme": address.scheme,
        "host": kind_of_host(address.hostname or ""),
        "has_path": bool(address.path.strip("/")),
        "verify_ssl": verifies_ssl(subentry.data),
        "log_in": _login_kind(settings),
        "requires_vpn": settings.requires_vpn,
        "priority": settings.priority,
        "defaults": {
            "category": defaults.category is not None,
            "save_path": defaults.save_path is not None,
            "tags": len(defaults.tags or ()),
            "stopped": next(word for word in STOPPED if STOPPED[word] is defaults.stopped),
        },
    }
    has_proxy_login = bool(settings.proxy_username or settings.proxy_password)
    if has_proxy_login or settings.headers:
        data["proxy"] = {"log_in": has_proxy_login, "headers": len(settings.headers)}
    if settings.gluetun is not None:
        witness = None if runtime is None else runtime.gluetuns.get(subentry.subentry_id)
        data["gluetun"] = of_gluetun(settings.gluetun, witness)
    coordinator = None if runtime is None else runtime.instances.get(subentry.subentry_id)
    if runtime is None or coordinator is None:
        return data
    is_active = runtime.dispatcher.active is coordinator.monitor
    return data | _of_server(coordinator, is_active=is_active)


def _of_server(coordinator: InstanceCoordinator, *, is_active: bool) -> Data:
    monitor = coordinator.monitor
    return {
        "status": None if monitor.status is None else monitor.status.value,
        "reason": public(coordinator.reason),
        "in_doubt": monitor.in_doubt,
        "is_active": is_active,
        "version": monitor.client.version,
        "log_in_refused": monitor.client.refused,
        "sessions_renewed": monitor.client.renewals,
        "route": None if monitor.route is None else _of_route(monitor.route),
        "history": of_history(coordinator.history),
    }


def _of_route(route: RouteMonitor) -> Data:
    """Return the verdict and what it rests on, without addresses and names of interfaces."""
    binding, latch = route.binding, route.latch
    return {
        "state": route.state.value,
        "knows_an_address": route.external_address is not None,
        "home_is_the_exit": route.is_home_the_exit,
        "evidence": None if latch is None else evidence_of(latch),
        "since": None if latch is None else dt_util.utc_from_timestamp(latch.since).isoformat(),
        "binding": binding
        and {
            "bound": binding.is_bound,
            "lacks_its_interface": binding.lacks_its_interface,
            "interfaces": len(binding.interfaces),
            "tunnel_and_other": binding.has_tunnel_and_other,
            "port_mapping": binding.port_mapping,
            "proxy_hides_trackers_only": binding.is_open_to_peers,
        },
    }


def _login_kind(settings: InstanceSettings) -> str:
    """Return the kind of login, never the credentials."""
    if settings.api_key:
        return "api_key"
    return "password" if settings.username or settings.password else "none"


def _of_magnets(
    runtime: Runtime, stages: Mapping[Stage, Sequence[Job]], places: Mapping[str, str]
) -> Data:
    """Return the figures of each stage; thousands of magnets take a while."""
    now = runtime.dispatcher.now()
    return {
        stage.value: _of_stage(
            jobs,
            now,
            reasons=[runtime.dispatcher.reason(QueueItem(job)) for job in jobs],
            places=places,
        )
        for stage, jobs in stages.items()
    }


def _of_stage(
    jobs: Sequence[Job], now: float, *, reasons: Iterable[str], places: Mapping[str, str]
) -> Data:
    """Return number, ages (seconds), reasons and attempts of jobs, and where they may be."""
    if not jobs:
        return {"count": 0}
    known = (reason if not reason or reason in _REASONS else "other" for reason in reasons)
    where = (places.get(job.sent_to, "gone") for job in jobs if job.sent_to is not None)
    ages = [round(now - job.queued_at) for job in jobs]
    return {
        "count": len(jobs),
        "oldest": max(ages),
        "newest": min(ages),
        "reasons": dict(Counter(reason for reason in known if reason)),
        "attempts": {
            "most": max(job.attempts for job in jobs),
            "sum": sum(job.attempts for job in jobs),
        },
        "require_vpn": sum(job.require_vpn for job in jobs),
        "instances": sum(job.instances is not None for job in jobs),
        "sent_to": dict(Counter(where)),
        "suspects": sum(bool(job.suspects) for job in jobs),
        "unsaved": sum(job.unsaved for job in jobs),
    }
