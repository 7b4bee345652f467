"""What keeps the health up to date: one coordinator for the VPN, one for each instance.

Each has its own pace, so that a server that hangs delays no other verdict. "Down" is data here,
never `UpdateFailed`: it is what these sensors are there to say.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
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

from .const import DEFAULT_OPTIONS, DOMAIN
from .core import health, vpn
from .core.courier import Courier
from .core.entry import Stage
from .core.health import InstanceMonitor
from .core.history import History, Look
from .core.models import InstanceStatus, VpnState
from .core.vpn import VpnMonitor, VpnReading

_LOGGER = logging.getLogger(__name__)

DEFAULT_SCAN_SECONDS = DEFAULT_OPTIONS[CONF_SCAN_INTERVAL]
MOMENT_SECONDS = 1.0
"""How long a magnet may be under way before it counts as queued; mostly it takes some ms."""
NOT_PERMITTED = "icmp_not_permitted"
"""Why the VPN has no verdict, in the history."""


@dataclass(frozen=True, slots=True)
class QueueReading:
    """What the hub shows of the queue."""

    queued: int
    failed: int
    active_instance: str | None


@dataclass(frozen=True, slots=True)
class Runtime:
    """All that runs for the config entry."""

    courier: Courier
    queue: QueueCoordinator
    vpn: VpnCoordinator | None
    instances: dict[str, InstanceCoordinator]
    ask_for_credentials: Callable[[], None]

    async def async_check(self) -> None:
        """Ask the VPN and every instance how they are, until each has a verdict."""
        if self.vpn is not None:
            await self.vpn.async_refresh()
        await asyncio.gather(*(one.async_check() for one in self.instances.values()))

    async def async_stop(self) -> None:
        """Stop delivering and checking; what waits is on disk."""
        await self.courier.stop()
        if self.vpn is not None:
            self.vpn.monitor.close()
        for instance in self.instances.values():
            instance.monitor.close()


type ResilientConfigEntry = ConfigEntry[Runtime]


class _PacedCoordinator[T](DataUpdateCoordinator[T]):
    """A coordinator that looks again soon while its verdict is in doubt."""

    config_entry: ResilientConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ResilientConfigEntry, name: str) -> None:
        """Poll as often as the options say."""
        self._pace = timedelta(seconds=entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_SECONDS))
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


class VpnCoordinator(_PacedCoordinator[VpnReading]):
    """The VPN's verdict."""

    def __init__(
        self, hass: HomeAssistant, entry: ResilientConfigEntry, monitor: VpnMonitor
    ) -> None:
        """Follow `monitor`, whoever asks it for a round."""
        super().__init__(hass, entry, "VPN")
        self.monitor = monitor
        self.data = monitor.reading
        self._polling = False
        self._last = monitor.reading
        monitor.listener = self._async_round_done

    @override
    async def _async_update_data(self) -> VpnReading:
        self._polling = True
        try:
            await self.monitor.round()
            return self.monitor.reading  # another round may be over by now
        finally:
            self._polling = False

    @callback
    def _async_round_done(self, reading: VpnReading) -> None:
        self._set_pace(vpn.DOUBT_SECONDS if self.monitor.in_doubt else None)
        self.history.note(
            Look(
                dt_util.utcnow().timestamp(),
                reading.state.value,
                reason=None if reading.permitted else NOT_PERMITTED,
                in_doubt=self.monitor.in_doubt,
                latency=reading.latency,
                loss=reading.loss,
            )
        )
        before, self._last = self._last, reading
        if (before.state, before.permitted) != (reading.state, reading.permitted):
            self._async_changed(reading)
        if not self._polling:
            self.async_set_updated_data(reading)

    @callback
    def _async_changed(self, reading: VpnReading) -> None:
        """Log the edge, and have the instances behind the VPN looked at."""
        if reading.state is VpnState.ON:
            _LOGGER.info("The VPN is up")
        elif not reading.permitted:
            _LOGGER.warning("The VPN cannot be watched: this host permits no ICMP socket")
        elif reading.state is VpnState.OFF:
            _LOGGER.warning("The VPN is down")
        for instance in self.config_entry.runtime_data.instances.values():
            if instance.monitor.settings.requires_vpn:
                instance.monitor.vpn_changed()
                if reading.state is VpnState.ON:
                    instance.async_check_soon()


class InstanceCoordinator(_PacedCoordinator[InstanceStatus | None]):
    """One instance's status; None before the first verdict."""

    def __init__(
        self, hass: HomeAssistant, entry: ResilientConfigEntry, monitor: InstanceMonitor
    ) -> None:
        """Follow `monitor`, whether a check or a delivery finds something out."""
        super().__init__(hass, entry, monitor.settings.name)
        self.monitor = monitor
        self.data = monitor.status
        self._polling = False
        self._last: InstanceStatus | None = None
        self._seen = (monitor.status, monitor.client.renewals)
        self._said_down = False
        monitor.listener = self._async_noticed

    @override
    async def _async_update_data(self) -> InstanceStatus | None:
        self._polling = True
        try:
            await self.monitor.check()
            return self.monitor.status  # the VPN may have fallen since the check was over
        finally:
            self._polling = False

    @property
    def reason(self) -> str | None:
        """Return what the status rests on, where it is not the VPN's."""
        monitor = self.monitor
        return None if monitor.status is InstanceStatus.VPN_DOWN else monitor.reason

    async def async_check(self) -> None:
        """Check now; once more where a single silence leaves it open."""
        await self.async_refresh()
        if self.monitor.in_doubt:
            await self.async_refresh()

    @callback
    def async_check_soon(self) -> None:
        """Check now, in the background."""
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"check {self.name}"
        )

    @callback
    def _async_noticed(self, status: InstanceStatus | None) -> None:
        self._set_pace(health.DOUBT_SECONDS if self.monitor.in_doubt else None)
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
            self._async_changed(before, status)
        if not self._polling:
            self.async_set_updated_data(status)
        if (seen := (status, self.monitor.client.renewals)) != self._seen:
            self._seen = seen
            self.config_entry.runtime_data.courier.wake()

    @callback
    def _async_changed(self, before: InstanceStatus | None, status: InstanceStatus | None) -> None:
        """Log the edges once, and deliver as soon as the instance is ok."""
        runtime = self.config_entry.runtime_data
        runtime.queue.async_refresh_counts()
        if status is InstanceStatus.OK:
            _LOGGER.info("%s is ok", self.name)
            self._async_note_version()
            runtime.courier.instance_ready()
            self._said_down = False
        elif status not in (None, InstanceStatus.VPN_DOWN) and not self._said_down:
            why = f" ({self.reason})" if self.reason else ""
            _LOGGER.warning("%s is not usable: %s%s", self.name, status, why)
            self._said_down = True
        if status in (InstanceStatus.OK, InstanceStatus.AUTH_FAILED):
            runtime.ask_for_credentials()

    @callback
    def _async_note_version(self) -> None:
        """Show which qBittorrent answers: known only now, or another one since an upgrade."""
        devices, identifier = dr.async_get(self.hass), (DOMAIN, self.monitor.settings.key)
        device = devices.async_get_device_by_identifier(identifier, self.config_entry.entry_id)
        if device is not None:
            devices.async_update_device(device.id, sw_version=self.monitor.client.version)


class QueueCoordinator(DataUpdateCoordinator[QueueReading]):
    """What the hub shows of the queue; nothing is polled."""

    config_entry: ResilientConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ResilientConfigEntry, courier: Courier) -> None:
        """Follow the books of `courier`."""
        super().__init__(hass, _LOGGER, config_entry=entry, name="queue", always_update=False)
        self._courier = courier
        self.data = self._reading()
        self.list_listener: Callable[[], None] | None = None
        """Told of every change of what waits or why, also where the counts stay the same."""
        self._later: CALLBACK_TYPE | None = None
        courier.queue.listener = courier.passes.listener = self.async_refresh_counts
        entry.async_on_unload(self._async_not_later)

    @override
    async def _async_update_data(self) -> QueueReading:
        """Read the books anew, for who asks with `homeassistant.update_entity`."""
        return self._reading()

    @callback
    def async_refresh_counts(self) -> None:
        """Show what is on the books now, but for what is just being delivered.

        Each magnet is queued for a moment; only one that takes longer waits, in the user's eyes.
        """
        if self._reading().queued <= self.data.queued or not self._courier.passes:
            self._async_show()
        elif self._later is None:
            self._later = async_call_later(self.hass, MOMENT_SECONDS, self._async_show)

    @callback
    def _async_not_later(self) -> None:
        if self._later is not None:
            self._later()
            self._later = None

    @callback
    def _async_show(self, _now: datetime | None = None) -> None:
        self._async_not_later()
        if (reading := self._reading()) != self.data:
            self.async_set_updated_data(reading)
        if self.list_listener is not None:
            self.list_listener()

    def _reading(self) -> QueueReading:
        queue, active = self._courier.queue, self._courier.active
        return QueueReading(
            queued=queue.count(Stage.QUEUED),
            failed=queue.count(Stage.FAILED),
            active_instance=None if active is None else active.settings.name,
        )
