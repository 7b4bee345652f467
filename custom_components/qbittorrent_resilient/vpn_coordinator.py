"""The coordinators for the VPN's witnesses: its targets, and the gluetun of an instance."""

from abc import abstractmethod
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .coordinator import PacedCoordinator
from .core.health.gluetun import GluetunMonitor, GluetunReading
from .core.health.history import Look
from .core.health.status import VpnState
from .core.health.vpn import VpnMonitor, VpnReading
from .core.health.witness import DOUBT_SECONDS, SILENT_ROUNDS, Reading, Witness

_LOGGER = logging.getLogger(__name__)

NOT_PERMITTED = "icmp_not_permitted"
"""The reason in the history why the VPN has no verdict."""


class WitnessCoordinator[R: Reading, M: Witness[Any]](PacedCoordinator[R]):
    """The verdict of one witness. It logs once that the VPN is down, and once that it is up."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, name: str, monitor: M) -> None:
        """Follow the rounds of `monitor`, whoever asks for them."""
        super().__init__(hass, entry, name)
        self.monitor = monitor
        self.data = monitor.reading
        self._polling = False
        monitor.subscribe(self._async_round_over)

    @override
    async def _async_update_data(self) -> R:
        self._polling = True
        try:
            await self.monitor.round()
            reading: R = self.monitor.reading  # another round may have ended since
            return reading
        finally:
            self._polling = False

    @callback
    def _async_round_over(self, before: R, now: R) -> None:
        self._set_pace(DOUBT_SECONDS if self.monitor.in_doubt else None)
        self.history.note(self._look(now))
        self._log(before, now)
        if not self._polling:
            self.async_set_updated_data(now)

    @abstractmethod
    def _look(self, reading: R) -> Look:
        """Return what is kept of a round."""

    @abstractmethod
    def _log(self, before: R, now: R) -> None:
        """Log what changed, if anything did."""


class VpnCoordinator(WitnessCoordinator[VpnReading, VpnMonitor]):
    """The verdict of the VPN's targets."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, monitor: VpnMonitor) -> None:
        """Follow the rounds of `monitor`."""
        super().__init__(hass, entry, "VPN", monitor)

    @override
    def _look(self, reading: VpnReading) -> Look:
        reason = None if reading.permitted else NOT_PERMITTED
        if reason is None and reading.state is not VpnState.ON:
            reason = ", ".join(sorted({fault for fault in reading.faults if fault})) or None
        return Look(
            dt_util.utcnow().timestamp(),
            reading.state.value,
            reason=reason,
            in_doubt=self.monitor.in_doubt,
            latency=reading.latency,
            loss=reading.loss,
        )

    @override
    def _log(self, before: VpnReading, now: VpnReading) -> None:
        if before.verdict == now.verdict:
            return
        if now.state is VpnState.ON:
            _LOGGER.info("The VPN is up")
        elif not now.permitted:
            _LOGGER.warning("The VPN cannot be watched: this host permits no ICMP socket")
        elif now.state is VpnState.OFF:
            reasons = self.monitor.reasons
            why = ", ".join(f"{target}: {reason}" for target, reason in reasons.items())
            _LOGGER.warning("The VPN is down (%s)", why)


class GluetunCoordinator(WitnessCoordinator[GluetunReading, GluetunMonitor]):
    """The verdict of the gluetun of one instance."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, monitor: GluetunMonitor) -> None:
        """Follow the looks of `monitor`."""
        super().__init__(hass, entry, f"gluetun of {monitor.name}", monitor)
        self._said_down = False

    @override
    def _look(self, reading: GluetunReading) -> Look:
        word = None if reading.look is None else reading.look.word
        return Look(
            dt_util.utcnow().timestamp(),
            reading.state.value,
            reason=None if reading.state is VpnState.ON else word or reading.tunnel,
            in_doubt=self.monitor.in_doubt,
        )

    @override
    def _log(self, before: GluetunReading, now: GluetunReading) -> None:
        """Log a change; without a verdict at start, once that has lasted for some looks."""
        name = self.monitor.name
        if now.state is VpnState.ON:
            if before.state is not VpnState.ON:
                _LOGGER.info("The VPN of %s is up", name)
            self._said_down = False
            return
        waits = self.history.looked >= SILENT_ROUNDS or before.state is not VpnState.UNKNOWN
        if self._said_down or not (now.state is VpnState.OFF or now.is_misled or waits):
            return
        verdict = "down" if now.state is VpnState.OFF else "not known to be up"
        _LOGGER.warning("The VPN of %s is %s: %s", name, verdict, now.reason)
        self._said_down = True
