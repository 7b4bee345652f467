"""Raises issues about the queue, the VPN and the instances while an entry is loaded.

Each is cleared when its cause is known to be gone, and not before: Home Assistant forgets with an
issue that the user ignores it. What passes without the user, such as a server that is down, is
shown by the sensors.
"""

from datetime import datetime
from functools import partial
import re

from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from . import issues
from .const import DOMAIN
from .coordinator import InstanceCoordinator
from .core import names
from .core.dispatcher import Dispatcher
from .core.gluetun import TunnelState
from .core.health.route import RouteMonitor, RouteState
from .core.health.route_record import evidence_of
from .core.health.status import InstanceStatus, VpnState
from .core.outbox.job import Stage
from .entry_settings import damaged_fields
from .issues import IssueKind
from .reasons import async_evidence_text, async_setting_text
from .runtime import ResilientConfigEntry
from .vpn_coordinator import GluetunCoordinator, VpnCoordinator

OF_ROUTES = (
    IssueKind.LEAKING,
    IssueKind.EXPOSED,
    IssueKind.HOME_IS_VPN,
)
OF_INSTANCES = (IssueKind.HOST_REJECTED, IssueKind.BANNED, IssueKind.OLD_QBITTORRENT)
WATCHED = (
    IssueKind.FAILED_MAGNETS,
    IssueKind.ICMP_NOT_PERMITTED,
    IssueKind.GLUETUN_AUTH,
    IssueKind.INSTANCE_DAMAGED,
    IssueKind.SETTINGS_DAMAGED,
    *OF_INSTANCES,
    *OF_ROUTES,
)
"""The kinds of issues that are raised here."""

_NO_ANSWER = {
    None,
    InstanceStatus.VPN_DOWN,
    InstanceStatus.LEAKING,
    InstanceStatus.UNREACHABLE,
    InstanceStatus.TIMEOUT,
}
"""The status of a server that has told nothing about itself, or may have told nothing."""

OLDEST_TESTED = (4, 5)
"""The oldest qBittorrent that the tests run against."""
_NUMBERS = re.compile(r"(\d+)\.(\d+)")
BANNED_SECONDS = 3600.0
"""qBittorrent's own ban lasts this long; a longer one is renewed by failed logins."""


class IssueWatcher:
    """Watches the coordinators of one entry."""

    def __init__(self, hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
        """Watch nothing yet."""
        self._hass = hass
        self._entry = entry
        self._runtime = entry.runtime_data
        self._ban_timers: dict[str, CALLBACK_TYPE] = {}
        self._stop_quiet: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Raise what is wrong, from now until the entry is unloaded."""
        runtime = self._runtime
        issues.async_clear_all(self._hass, OF_INSTANCES, still=runtime.instances)
        issues.async_clear_all(self._hass, [IssueKind.INSTANCE_DAMAGED], still=runtime.damaged)
        for key, title in runtime.damaged.items():
            placeholders = {"name": names.shown(title) or key}
            issues.async_raise(self._hass, IssueKind.INSTANCE_DAMAGED, placeholders, about=key)
        self._report_damage()
        self._entry.async_on_unload(runtime.queue.async_add_list_listener(self._failures_changed))
        self._failures_changed()
        if runtime.vpn is None:
            issues.async_clear(self._hass, IssueKind.ICMP_NOT_PERMITTED)
        else:
            self._follow(runtime.vpn, partial(self._vpn_changed, runtime.vpn))
        issues.async_clear_all(self._hass, (IssueKind.GLUETUN_AUTH,), still=runtime.gluetuns)
        for key, gluetun in runtime.gluetuns.items():
            self._follow(gluetun, partial(self._gluetun_changed, key, gluetun))
        for key, instance in runtime.instances.items():
            self._follow(instance, partial(self._instance_changed, key, instance))
        issues.async_clear_all(self._hass, OF_ROUTES, still=runtime.routes)
        for key, route in runtime.routes.items():
            name = runtime.instances[key].monitor.settings.name
            changed = partial(self._route_changed, key, name, route)
            self._follow(runtime.instances[key], changed)
        self._entry.async_on_unload(self._unloaded)
        # After that, as it is undone in reverse order: what is cleared there stays cleared.
        self._entry.async_on_unload(
            self._hass.bus.async_listen(
                ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, self._issue_changed
            )
        )

    @callback
    def _report_damage(self) -> None:
        """Name the entry's damaged settings, but never their values, which may be secret."""
        if damaged := damaged_fields(self._entry):
            named = ", ".join(async_setting_text(self._hass, name) for name in damaged)
            issues.async_raise(self._hass, IssueKind.SETTINGS_DAMAGED, {"settings": named})
        else:
            issues.async_clear(self._hass, IssueKind.SETTINGS_DAMAGED)

    @callback
    def _follow[T](self, coordinator: DataUpdateCoordinator[T], changed: CALLBACK_TYPE) -> None:
        """Look now, and at every change."""
        self._entry.async_on_unload(coordinator.async_add_listener(changed))
        changed()

    @callback
    def _unloaded(self) -> None:
        for key in tuple(self._ban_timers):
            self._stop_ban_timer(key)
        self._stop_quiet_timer()
        if self._entry.disabled_by:
            issues.async_clear_all(self._hass, WATCHED)

    @callback
    def _failures_changed(self, _now: datetime | None = None) -> None:
        """Say how many have failed, unless the user has just had all of these tried again."""
        dispatcher, retried = self._runtime.dispatcher, self._runtime.retried
        self._stop_quiet_timer()
        failed = quiet = dispatcher.snapshot().failed
        if failed:
            quiet = sum(_has_failed(dispatcher, key) for key in retried.quiet())
        if quiet and (seconds := retried.seconds_left()) is not None:
            action = HassJob(self._failures_changed, cancel_on_shutdown=True)
            self._stop_quiet = async_call_later(self._hass, seconds + 1, action)
        told = failed if failed > quiet else 0
        issues.async_report_count(self._hass, IssueKind.FAILED_MAGNETS, told)

    @callback
    def _issue_changed(self, event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        """Say anew what has failed where a repair that ended has not dealt with all of it.

        Home Assistant deletes its issue then, whatever has failed meanwhile.
        """
        data = event.data
        about = (data["action"], data["domain"], data["issue_id"])
        if about == ("remove", DOMAIN, IssueKind.FAILED_MAGNETS):
            self._failures_changed()

    @callback
    def _stop_quiet_timer(self) -> None:
        if self._stop_quiet is not None:
            self._stop_quiet()
            self._stop_quiet = None

    @callback
    def _vpn_changed(self, vpn: VpnCoordinator) -> None:
        if not vpn.data.permitted:
            issues.async_raise(self._hass, IssueKind.ICMP_NOT_PERMITTED)
        elif vpn.data.state is not VpnState.UNKNOWN:
            issues.async_clear(self._hass, IssueKind.ICMP_NOT_PERMITTED)

    @callback
    def _gluetun_changed(self, key: str, gluetun: GluetunCoordinator) -> None:
        if gluetun.data.is_misled:
            placeholders = {"name": gluetun.monitor.name}
            issues.async_raise(self._hass, IssueKind.GLUETUN_AUTH, placeholders, about=key)
        elif gluetun.data.tunnel not in (None, TunnelState.SILENT):
            issues.async_clear(self._hass, IssueKind.GLUETUN_AUTH, about=key)

    @callback
    def _instance_changed(self, key: str, instance: InstanceCoordinator) -> None:
        version, status = instance.monitor.client.version, instance.data
        placeholders = {"name": instance.monitor.settings.name}
        if version is not None and _is_old(version):
            details = placeholders | {"version": version}
            issues.async_raise(self._hass, IssueKind.OLD_QBITTORRENT, details, about=key)
        elif version is not None:
            issues.async_clear(self._hass, IssueKind.OLD_QBITTORRENT, about=key)
        if status is not InstanceStatus.BANNED:
            self._stop_ban_timer(key)
        elif key not in self._ban_timers:
            self._start_ban_timer(key, placeholders)
        if status in _NO_ANSWER:
            return
        if status is not InstanceStatus.BANNED:
            issues.async_clear(self._hass, IssueKind.BANNED, about=key)
        if status is InstanceStatus.HOST_REJECTED:
            issues.async_raise(self._hass, IssueKind.HOST_REJECTED, placeholders, about=key)
        else:
            issues.async_clear(self._hass, IssueKind.HOST_REJECTED, about=key)

    @callback
    def _route_changed(self, key: str, name: str, route: RouteMonitor) -> None:
        """Say that an instance leaks, or may; what is not known changes nothing."""
        raise_issue = partial(issues.async_raise, self._hass)
        clear = partial(issues.async_clear, self._hass)
        binding, latch = route.binding, route.latch
        if latch is None:
            clear(IssueKind.LEAKING, about=key)
        else:
            told = {"name": name, "evidence": async_evidence_text(self._hass, evidence_of(latch))}
            maps_ports = binding is not None and binding.port_mapping
            advice = async_evidence_text(self._hass, "port_mapping") if maps_ports else ""
            told["port_mapping"] = f"\n\n{advice}" if advice else ""
            raise_issue(IssueKind.LEAKING, told, about=key)
        if route.state is RouteState.EXPOSED:
            raise_issue(IssueKind.EXPOSED, {"name": name}, about=key)
        elif binding is not None and latch is None:
            clear(IssueKind.EXPOSED, about=key)
        if route.is_home_the_exit:
            raise_issue(IssueKind.HOME_IS_VPN, {"name": name}, about=key)
        elif route.knows_the_exit:
            clear(IssueKind.HOME_IS_VPN, about=key)

    @callback
    def _start_ban_timer(self, key: str, placeholders: dict[str, str]) -> None:
        action = partial(self._ban_lasts, key, placeholders)
        self._ban_timers[key] = async_call_later(self._hass, BANNED_SECONDS, action)

    @callback
    def _ban_lasts(self, key: str, placeholders: dict[str, str], _now: datetime) -> None:
        issues.async_raise(self._hass, IssueKind.BANNED, placeholders, about=key)

    @callback
    def _stop_ban_timer(self, key: str) -> None:
        if stop := self._ban_timers.pop(key, None):
            stop()


def _has_failed(dispatcher: Dispatcher, key: str) -> bool:
    """Tell whether the magnet or web link with this key is on the failed list."""
    job = dispatcher.job(key) or dispatcher.links.job(key)
    return job is not None and job.stage is Stage.FAILED


def _is_old(version: str) -> bool:
    """Tell whether a version such as 4.4.5 or 5.3.0beta1 is older than what is tested."""
    numbers = _NUMBERS.match(version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < OLDEST_TESTED
