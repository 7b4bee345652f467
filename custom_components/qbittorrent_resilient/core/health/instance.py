"""The health of one instance, judged by its answers, its connection status and its log."""

import asyncio
from collections.abc import Callable
from heapq import nlargest
import logging

from ..clock import Clock, ClockStep
from ..listeners import Listeners
from ..qbittorrent import Client, Vitals
from ..qbittorrent.errors import EndlessAnswerError, ProtocolError, ServerError, TimedOutError
from ..qbittorrent.incarnation import Incarnation
from .condition import ConditionReading, VpnCondition
from .error_status import status_of
from .instance_gate import LeakingError
from .network_watch import NetworkWatch
from .route import RouteMonitor, RouteState
from .save_watch import SaveWatch
from .settings import InstanceSettings
from .status import InstanceStatus, VpnState

_LOGGER = logging.getLogger(__name__)

DOUBT_SECONDS = 2.0
"""Pause between an unanswered check and the next; two unanswered in a row are a verdict."""
START_GRACE_SECONDS = 30.0
"""A process that has just started says `disconnected` for some seconds (docs/qbittorrent.md)."""
SAME_START_SECONDS = 2.0
"""A start less than this ago is no proof: a server tells it in whole seconds, and the clocks of two
hosts may differ a little."""
_CLOCK_SLACK_SECONDS = 5.0
"""A start that lies further in the future only shows that the server's clock is wrong."""
NOT_SAVING_SECONDS = 600.0
"""How long a failed save counts. qBittorrent never logs that saving works again; after this time
it is trusted again, and what it gets stays in the outbox until it had the time to save it."""
OLD_LOG_SECONDS = 86_400.0
"""A failed save that was logged longer ago than this, by the server's clock, says nothing about
now."""
MOST_FAILURES = 20_000
"""Failed saves that are remembered, the latest: qBittorrent's log has no more messages."""
ENDLESS_SECONDS = (600.0, 86_400.0)
"""How long an answer without end counts, the first time and at most; each time twice as long. The
server is not asked for its list meanwhile, so only a restart can show that it has become better."""
_DISCONNECTED = "disconnected"
_ANSWERING = (InstanceStatus.OK, InstanceStatus.DISCONNECTED, InstanceStatus.NOT_SAVING)


class InstanceMonitor:
    """Judges one instance by what checks and deliveries find out."""

    def __init__(
        self,
        settings: InstanceSettings,
        client: Client,
        *,
        vpn: VpnCondition | None = None,
        route: RouteMonitor | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Judge the server behind `client`; `vpn` and `route` are given if it requires the VPN."""
        self.settings = settings
        self.client = client
        self.vpn = vpn
        self.route = route
        self._clock = clock or Clock()
        self._network = NetworkWatch(client, self._clock, route)
        self.saves = SaveWatch(client, self._clock)
        self._check: asyncio.Task[InstanceStatus | None] | None = None
        self._unanswered = 0
        self._seen_renewals = 0
        self._started_at = float("-inf")
        self._known_failures: set[float] = set()
        """When saves failed (epoch seconds), by the log of the process that was checked last."""
        self._save_failed_steady = float("-inf")
        self.save_failed_wall = float("-inf")
        """When the server's log last said that it could not save, in epoch seconds."""
        self._endless_until, self._endless_pause = float("-inf"), 0.0
        self._endless_reason = ""
        self._status: InstanceStatus | None = None
        self.reason: str | None = None
        """Why the last look failed, in words of our own; None if it did not fail."""
        self._looked_at = float("-inf")
        """When the last good check began (steady seconds)."""
        self._look_error: ServerError | None = None
        """What the last check met."""
        self._counted: ServerError | None = None
        """What was raised last for a failed look, which has been counted as a failed check."""
        self._listeners = Listeners[InstanceStatus | None]()
        if vpn is not None:
            vpn.subscribe(self._vpn_round_over)
        if route is not None:
            route.subscribe(self._route_changed)

    @property
    def status(self) -> InstanceStatus | None:
        """Return the verdict; None while there is none yet."""
        if self.vpn is not None and self.vpn.state is not VpnState.ON:
            return InstanceStatus.VPN_DOWN
        return InstanceStatus.LEAKING if self.is_leaking else self._status

    @property
    def is_leaking(self) -> bool:
        """Tell whether its torrents are known to leave by the home line."""
        return self.route is not None and self.route.state is RouteState.LEAKING

    @property
    def is_ok(self) -> bool:
        """Tell whether the instance may get magnets."""
        return self.status is InstanceStatus.OK

    @property
    def is_answering(self) -> bool:
        """Tell whether the instance answers, even if it may not get magnets."""
        status = self.status
        return (self._status if status is InstanceStatus.LEAKING else status) in _ANSWERING

    @property
    def has_failed_to_save(self) -> bool:
        """Tell whether the process that was checked last has ever failed to save."""
        return bool(self._known_failures)

    @property
    def in_doubt(self) -> bool:
        """Tell whether one check went unanswered, so that the next follows soon."""
        return self._unanswered == 1

    async def current_incarnation(self) -> Incarnation:
        """Return which process of the server has answered last; raises ServerError.

        The result is unknown for a process that has just started, as it cannot be told from a
        process that started a moment before.
        """
        renewals = self.client.renewals
        launched = await self.client.launch_time()
        if launched is not None and abs(self._clock.now() - launched) < SAME_START_SECONDS:
            return Incarnation()
        return Incarnation(renewals, launched)

    def subscribe(self, callback: Callable[[InstanceStatus | None], None]) -> Callable[[], None]:
        """Tell `callback` the status after every look, even the same; return how to unsubscribe."""
        return self._listeners.subscribe(callback)

    def shift_times(self, step: ClockStep) -> None:
        """Correct the time of the last failed save, if it was taken before the clock was set.

        Where it was set back, that may have been after it was: rather too late than too early.
        """
        if step.by < 0:
            self.save_failed_wall = min(self.save_failed_wall, step.until + step.by)
        elif step.since <= self.save_failed_wall <= step.until:
            self.save_failed_wall += step.by

    def _vpn_round_over(self, before: ConditionReading, now: ConditionReading) -> None:
        """Reset the status when the VPN goes down or up, as it was found out before that."""
        if before.verdict != now.verdict:
            self._set(InstanceStatus.VPN_DOWN)

    def _route_changed(self, before: RouteState, now: RouteState) -> None:
        """Tell at once that the instance leaks, or leaks no more."""
        if RouteState.LEAKING in (before, now) and before is not now:
            self._listeners.notify(self.status)

    def report_failure(self, err: ServerError) -> None:
        """Record a failure outside a check; an odd answer to one request is no verdict."""
        _LOGGER.debug("%s met %s: %s", self.settings.name, status_of(err), err)
        if not isinstance(err, ProtocolError | LeakingError) and err is not self._counted:
            self._failed(err)

    def _failed(self, err: ServerError) -> None:
        """Judge by a failure: one timeout is no verdict, two in a row or another failure are."""
        if isinstance(err, EndlessAnswerError):
            first, longest = ENDLESS_SECONDS
            now = self._clock.monotonic()
            was_well = now - self._endless_until > self._endless_pause
            self._endless_pause = first if was_well else min(self._endless_pause * 2, longest)
            self._endless_until = now + self._endless_pause
            self._endless_reason = str(err)
        unanswered = self._unanswered + 1 if isinstance(err, TimedOutError) else 0
        self._set(self._status if unanswered == 1 else status_of(err), unanswered, str(err))

    async def check(self) -> InstanceStatus | None:
        """Ask the server how it is, or join the check under way; return `status` after it."""
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._do_check(), name="instance check")
        return await asyncio.shield(self._check)

    async def answers_ok(self) -> bool:
        """Check, and tell whether it is ok by its answer, not as one silence changes no status."""
        return await self.check() is InstanceStatus.OK and not self.in_doubt

    def has_looked_within(self, seconds: float) -> bool:
        """Tell whether the last good check began within so many seconds."""
        return self._clock.monotonic() - self._looked_at <= seconds

    async def look(self, seconds: float) -> None:
        """Check, unless the last good check began within so many seconds.

        Raises the ServerError that the check met, as one of a request that was not sent.
        """
        for _ in range(2):  # the check under way may have begun before that
            if self.has_looked_within(seconds):
                return
            await self.check()
            if (err := self._look_error) is not None:
                self._counted = type(err)(str(err))
                raise self._counted

    def ask_for_binding(self) -> None:
        """Find out at the next check how the server is bound."""
        self._network.ask_soon()

    def close(self) -> None:
        """Cancel a check that is under way."""
        if self._check is not None:
            self._check.cancel()
        if self.route is not None:
            self.route.close()

    async def _do_check(self) -> InstanceStatus | None:
        began = self._clock.monotonic()
        try:
            vitals = await self.client.vitals()
            self.saves.observe(vitals)
            await self._network.look(vitals)
            status = await self._judge(vitals)
        except ServerError as err:
            self._look_error = err
            self._failed(err)
        else:
            self._looked_at, self._look_error = began, None
            self._set(status, reason=self._endless_reason if self._is_endless else None)
        return self.status

    @property
    def _is_endless(self) -> bool:
        return self._clock.monotonic() < self._endless_until

    def _set(
        self, status: InstanceStatus | None, unanswered: int = 0, reason: str | None = None
    ) -> None:
        self._unanswered, self._status, self.reason = unanswered, status, reason
        self._listeners.notify(self.status)

    async def _judge(self, vitals: Vitals) -> InstanceStatus:
        now = self._clock.monotonic()
        if renewed := self.client.renewals != self._seen_renewals:
            self._seen_renewals, self._started_at = self.client.renewals, now
            self._endless_until = float("-inf")
        self._note_failed_saves(vitals)
        if self._is_endless:
            return InstanceStatus.ERROR
        if now - self._save_failed_steady < NOT_SAVING_SECONDS:
            return InstanceStatus.NOT_SAVING
        if vitals.connection_status == _DISCONNECTED or self._network.is_cut_off:
            still = self._status is InstanceStatus.DISCONNECTED and not renewed
            if still or not await self._just_started(now):  # not every check asks for its age
                return InstanceStatus.DISCONNECTED
        return InstanceStatus.OK

    def _note_failed_saves(self, vitals: Vitals) -> None:
        """Take in which saves the log says have failed, and forget those of an earlier process.

        At the first sight of a process, each speaks against what was delivered before, whatever the
        clocks say; but only a recent one against what could be delivered now.
        """
        failures = new = set(vitals.save_failures)
        oldest = float("-inf")
        if vitals.from_the_beginning:
            if not self._known_failures <= failures:
                self._save_failed_steady, self._known_failures = float("-inf"), set()
            new = failures - self._known_failures
            oldest = vitals.log_told_at - OLD_LOG_SECONDS
        if new:
            self.save_failed_wall = self._clock.now()
        if any(at >= oldest for at in new):
            self._save_failed_steady = self._clock.monotonic()
        self._known_failures |= failures
        if len(self._known_failures) > MOST_FAILURES:
            self._known_failures = set(nlargest(MOST_FAILURES, self._known_failures))

    async def _just_started(self, now: float) -> bool:
        """Tell whether the process is younger than the grace, by its start or else its session."""
        started = await self.client.started_at()
        if started is not None and (age := self._clock.now() - started) > -_CLOCK_SLACK_SECONDS:
            return age < START_GRACE_SECONDS
        return now - self._started_at < START_GRACE_SECONDS
