"""The health of one instance: what its answers, its own words and its log add up to."""

import asyncio
from collections.abc import Callable
import logging

from .entry import Mark
from .errors import InstanceError
from .models import Clock, InstanceSettings, InstanceStatus, VpnState
from .qbittorrent import Client, Vitals
from .vpn import VpnMonitor

_LOGGER = logging.getLogger(__name__)

DOUBT_SECONDS = 2.0
"""Pause before the next check after one unanswered; two in a row are a verdict."""
START_GRACE_SECONDS = 30.0
"""A process that has just started says `disconnected` for some seconds (docs/qbittorrent.md)."""
SAME_START_SECONDS = 2.0
"""The start is told in whole seconds; on top, two clocks of one home may differ a little."""
_CLOCK_SLACK_SECONDS = 5.0
"""A start that lies further ahead than this only tells that the server's clock is wrong."""
NOT_SAVING_SECONDS = 600.0
"""How long a failed save counts. qBittorrent never logs that saving works again; after this time
it is trusted once more, and what it is given stays on the books until it had time to save it."""
OLD_LOG_SECONDS = 86_400.0
"""A failed save that was logged longer ago than this says nothing about now."""
_DISCONNECTED = "disconnected"
_ANSWERING = (InstanceStatus.OK, InstanceStatus.DISCONNECTED, InstanceStatus.NOT_SAVING)


class InstanceMonitor:
    """Judges one instance, with what checks and deliveries meet there."""

    def __init__(
        self,
        settings: InstanceSettings,
        client: Client,
        *,
        vpn: VpnMonitor | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Judge the server behind `client`; `vpn` is given where the instance requires it."""
        self.settings = settings
        self.client = client
        self._vpn = vpn
        self._clock = clock or Clock()
        self._check: asyncio.Task[InstanceStatus | None] | None = None
        self._unanswered = 0
        self._seen_renewals = 0
        self._started_at = float("-inf")
        self._known_failures: set[float] = set()
        """When saves failed by the log of the process that is known, in epoch seconds."""
        self._failed_save_at = float("-inf")
        self.save_failed_at = float("-inf")
        """When the server's log last said that it could not save, in epoch seconds."""
        self._status: InstanceStatus | None = None
        self.reason: str | None = None
        """Why the last look failed, in words of our own; None where it did not."""
        self.listener: Callable[[InstanceStatus | None], None] | None = None

    @property
    def status(self) -> InstanceStatus | None:
        """Return the verdict; None while there is none yet."""
        if self._vpn is not None and self._vpn.state is not VpnState.ON:
            return InstanceStatus.VPN_DOWN
        return self._status

    @property
    def is_ok(self) -> bool:
        """Tell whether it may be given magnets."""
        return self.status is InstanceStatus.OK

    @property
    def can_be_asked(self) -> bool:
        """Tell whether it answers, whatever it is good for besides."""
        return self.status in _ANSWERING

    @property
    def in_doubt(self) -> bool:
        """Tell whether one check went unanswered, so that the next follows soon."""
        return self._unanswered == 1

    async def process(self) -> Mark:
        """Return which process of the server has answered last; raises InstanceError.

        Nothing tells one that has just started from another that was started a moment before.
        """
        renewals = self.client.renewals
        launched = await self.client.launch_time()
        if launched is not None and abs(self._clock.now() - launched) < SAME_START_SECONDS:
            return Mark()
        return Mark(renewals, launched)

    def vpn_changed(self) -> None:
        """Take note that what was known belongs to the time before the VPN went down or up."""
        self._set(InstanceStatus.VPN_DOWN)

    def met(self, err: InstanceError) -> None:
        """Take note of a failure outside a check; an odd answer to one request is no verdict."""
        _LOGGER.debug("%s met %s: %s", self.settings.name, err.status, err)
        if err.status is not InstanceStatus.ERROR:
            self._failed(err)

    def _failed(self, err: InstanceError) -> None:
        """One timeout is no verdict, two in a row are; every other failure counts at once."""
        unanswered = self._unanswered + 1 if err.status is InstanceStatus.TIMEOUT else 0
        self._set(self._status if unanswered == 1 else err.status, unanswered, str(err))

    async def check(self) -> InstanceStatus | None:
        """Ask the server how it is, or join the check under way; None while there is no verdict."""
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._do_check(), name="instance check")
        return await asyncio.shield(self._check)

    def close(self) -> None:
        """Give up a check that is under way."""
        if self._check is not None:
            self._check.cancel()

    async def _do_check(self) -> InstanceStatus | None:
        try:
            status = await self._judge(await self.client.vitals())
        except InstanceError as err:
            self._failed(err)
        else:
            self._set(status)
        return self.status

    def _set(
        self, status: InstanceStatus | None, unanswered: int = 0, reason: str | None = None
    ) -> None:
        self._unanswered, self._status, self.reason = unanswered, status, reason
        if self.listener is not None:
            self.listener(self.status)

    async def _judge(self, vitals: Vitals) -> InstanceStatus:
        now = self._clock.monotonic()
        if renewed := self.client.renewals != self._seen_renewals:
            self._seen_renewals, self._started_at = self.client.renewals, now
        if self._has_failed_to_save(vitals):
            self._failed_save_at, self.save_failed_at = now, self._clock.now()
        if now - self._failed_save_at < NOT_SAVING_SECONDS:
            return InstanceStatus.NOT_SAVING
        if vitals.connection_status == _DISCONNECTED:
            still = self._status is InstanceStatus.DISCONNECTED and not renewed
            if still or not await self._just_started(now):  # its age is not asked at every check
                return InstanceStatus.DISCONNECTED
        return InstanceStatus.OK

    def _has_failed_to_save(self, vitals: Vitals) -> bool:
        """Tell whether the log has something new of that, and forget what another process had."""
        failures = fresh = set(vitals.save_failures)
        if vitals.from_the_beginning:
            if not self._known_failures <= failures:
                self._failed_save_at, self._known_failures = float("-inf"), set()
            oldest = self._clock.now() - OLD_LOG_SECONDS
            fresh = {at for at in failures - self._known_failures if at >= oldest}
        self._known_failures |= failures
        return bool(fresh)

    async def _just_started(self, now: float) -> bool:
        """Tell whether the process is younger than the grace, by its clock or by what we saw."""
        started = await self.client.started_at()
        if started is not None and (age := self._clock.now() - started) > -_CLOCK_SLACK_SECONDS:
            return age < START_GRACE_SECONDS
        return now - self._started_at < START_GRACE_SECONDS
