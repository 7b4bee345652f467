"""The coordinators for each instance and for the queue, and what those of the VPN share with them.

Each instance and each witness of the VPN is polled at its own pace, so that a server that hangs
delays no other verdict. "Down" is data here, never `UpdateFailed`: sensors are there to show it.
"""

from copy import replace
from datetime import datetime, timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .core.dispatcher import Dispatcher, Event
from .core.events import QueueSnapshot
from .core.health import instance as instance_health
from .core.health.condition import ConditionReading
from .core.health.history import History, Look
from .core.health.instance import InstanceMonitor
from .core.health.instance_gate import LEAKS
from .core.health.route import RouteState
from .core.health.route_record import Source
from .core.health.status import InstanceStatus, VpnState
from .core.listeners import Listeners
from .entry_settings import readable_options

_LOGGER = logging.getLogger(__name__)

MOMENT_SECONDS = 1.0
"""How long a delivery may take before the magnet counts as queued; most take some ms."""


_WAITING = (None, InstanceStatus.VPN_DOWN, InstanceStatus.LEAKING)
"""What is not logged as a fault of an instance."""


class PacedCoordinator[T](DataUpdateCoordinator[T]):
    """A coordinator that polls sooner while its verdict is in doubt."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, name: str) -> None:
        """Poll as often as the options say."""
        options = readable_options(entry.options)
        self._pace = timedelta(seconds=options[CONF_SCAN_INTERVAL])
        self.history = History()
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=name,
            update_interval=self._pace,
            always_update=False,
        )

    @callback
    def _set_pace(self, doubt: float | None) -> None:
        self.update_interval = self._pace if doubt is None else timedelta(seconds=doubt)


class InstanceCoordinator(PacedCoordinator[InstanceStatus | None]):
    """One instance's status; None before the first verdict."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, monitor: InstanceMonitor) -> None:
        """Follow the looks of `monitor`, at checks and at deliveries.

        An instance that requires the VPN is checked as soon as that is up.
        """
        super().__init__(hass, entry, monitor.settings.name)
        self.monitor = monitor
        self.data = monitor.status
        self._polling = False
        self._last: InstanceStatus | None = None
        self._said_down = self._said_leaking = False
        monitor.subscribe(self._async_noticed)
        if monitor.route is not None:
            monitor.route.subscribe(self._async_route_changed)
        if monitor.vpn is not None:
            monitor.vpn.subscribe(self._async_vpn_round_over)

    @override
    async def _async_update_data(self) -> InstanceStatus | None:
        self._polling = True
        try:
            await self.monitor.check()
            return self.monitor.status  # the VPN may have gone down since the check ended
        finally:
            self._polling = False

    @property
    def reason(self) -> str | None:
        """Return why the instance is not usable; None if it is, or waits for the VPN."""
        monitor = self.monitor
        if monitor.status is InstanceStatus.LEAKING:
            return LEAKS
        return None if monitor.status is InstanceStatus.VPN_DOWN else monitor.reason

    async def async_check(self) -> None:
        """Check now, and again if a single unanswered check leaves the verdict open."""
        self.monitor.ask_for_binding()
        await self.async_refresh()
        if self.monitor.in_doubt:
            await self.async_refresh()

    @callback
    def _async_check_soon(self) -> None:
        """Check now, in the background."""
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"check {self.name}"
        )

    @callback
    def _async_noticed(self, status: InstanceStatus | None) -> None:
        self._set_pace(instance_health.DOUBT_SECONDS if self.monitor.in_doubt else None)
        self.history.note(
            Look(
                dt_util.utcnow().timestamp(),
                None if status is None else status.value,
                reason=self.reason,
                in_doubt=self.monitor.in_doubt,
            )
        )
        before, self._last = self._last, status
        if status is not before:
            self._async_changed(status)
        if not self._polling:
            self.async_set_updated_data(status)

    @callback
    def _async_vpn_round_over(self, before: ConditionReading, now: ConditionReading) -> None:
        if before.verdict != now.verdict and now.state is VpnState.ON:
            self._async_check_soon()

    @callback
    def _async_changed(self, status: InstanceStatus | None) -> None:
        """Log once when the instance goes down or comes back, and show its version."""
        self._log_route()
        if status is InstanceStatus.OK:
            _LOGGER.info("%s is ok", self.name)
            self._async_show_version()
            self._said_down = False
        elif status not in _WAITING and not self._said_down:
            why = f" ({self.reason})" if self.reason else ""
            _LOGGER.warning("%s is not usable: %s%s", self.name, status, why)
            self._said_down = True

    @callback
    def _async_route_changed(self, before: RouteState, now: RouteState) -> None:
        """Show it at once: listeners are told of a status only if that changes."""
        if before is not now:
            self._log_route()
        self.async_update_listeners()

    @callback
    def _log_route(self) -> None:
        """Log once that the instance leaks, and once that it does no more."""
        route = self.monitor.route
        latch = None if route is None else route.latch
        if latch is not None and not self._said_leaking:
            says = "its log names" if latch.source is Source.LOG else "it tells"
            _LOGGER.warning(
                "%s leaks: %s (%s the home address, IPv%d)",
                self.name,
                LEAKS,
                says,
                latch.version,
            )
        elif latch is None and self._said_leaking:
            _LOGGER.info("%s leaks no more", self.name)
        self._said_leaking = latch is not None

    @callback
    def _async_show_version(self) -> None:
        """Show the version on the device: it was unknown until now, or an upgrade changed it."""
        devices, identifier = dr.async_get(self.hass), (DOMAIN, self.monitor.settings.key)
        device = devices.async_get_device_by_identifier(identifier, self.config_entry.entry_id)
        if device is not None:
            devices.async_update_device(device.id, sw_version=self.monitor.client.version)


class QueueCoordinator(DataUpdateCoordinator[QueueSnapshot]):
    """What the hub shows of the queue; it is told of changes and does not poll."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, dispatcher: Dispatcher) -> None:
        """Follow the queue of `dispatcher`."""
        super().__init__(hass, _LOGGER, config_entry=entry, name="queue", always_update=False)
        self.dispatcher = dispatcher
        self.data = _shown(dispatcher.snapshot())
        self._list_listeners = Listeners[()]()
        self._later: CALLBACK_TYPE | None = None
        entry.async_on_unload(dispatcher.subscribe(self._async_event_published))
        entry.async_on_unload(self._async_cancel_later)

    @callback
    def async_add_list_listener(self, update: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `update` when what is queued, failed or delivered, or a reason, may have changed.

        It is called even if the counts stay the same. Return how to unsubscribe.
        """
        return self._list_listeners.subscribe(update)

    @override
    async def _async_update_data(self) -> QueueSnapshot:
        """Take a new snapshot, when the user calls `homeassistant.update_entity`."""
        return _shown(self.dispatcher.snapshot())

    @callback
    def _async_event_published(self, event: Event) -> None:
        if isinstance(event, QueueSnapshot):
            self.async_refresh_counts()
        else:  # something may have been delivered
            self._list_listeners.notify()

    @callback
    def async_refresh_counts(self) -> None:
        """Show how the queue stands now, without magnets that are just being delivered.

        Each magnet is queued for a moment; for users, only a magnet that takes longer waits.
        """
        snapshot = self.dispatcher.snapshot()
        if snapshot.queued <= self.data.queued or not snapshot.delivering:
            self._async_show()
        elif self._later is None:
            self._later = async_call_later(self.hass, MOMENT_SECONDS, self._async_show)

    @callback
    def _async_cancel_later(self) -> None:
        if self._later is not None:
            self._later()
            self._later = None

    @callback
    def _async_show(self, _now: datetime | None = None) -> None:
        self._async_cancel_later()
        if (shown := _shown(self.dispatcher.snapshot())) != self.data:
            self.async_set_updated_data(shown)
        self._list_listeners.notify()


def _shown(snapshot: QueueSnapshot) -> QueueSnapshot:
    """Return a snapshot as entities show it: without whether a pass is under way."""
    return replace(snapshot, delivering=False)
