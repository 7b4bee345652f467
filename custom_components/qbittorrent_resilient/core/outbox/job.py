"""One magnet in the outbox: what was accepted, where it may be, and what became of it."""

from collections.abc import Iterable, Iterator
from copy import replace
from enum import StrEnum
from typing import Any, NamedTuple

from ..magnet import Magnet
from ..qbittorrent.incarnation import Incarnation
from ..qbittorrent.models import AddOptions
from .crash import Crash

UNCERTAIN_SECONDS = 900.0
"""How long a magnet waits for an instance that may have it (docs/reliability.md, promise 3)."""


class Reason(StrEnum):
    """Why a magnet waits or failed; every value of InstanceStatus is a reason, too.

    `uncertain`: an instance may have it, and cannot be asked now. `no_instance`: no instance that
    may get it is set up. `rejected`: a healthy instance refuses it, or accepts it and never lists
    it. `crashes_server`: an instance crashes each time that it is sent it. `expired`: it waited for
    too long. `removed`, only for callers: the user removed it meanwhile.

    Of web links: `web_link`: the option to fetch them is off. `fetch`: it cannot be fetched now.
    `not_a_torrent`, `too_large`: it leads to something else. `fetch_refused`: it, or where it
    leads, may not be fetched, or not by us.
    """

    UNCERTAIN = "uncertain"
    NO_INSTANCE = "no_instance"
    INVALID_MAGNET = "invalid_magnet"
    REJECTED = "rejected"
    CRASHES_SERVER = "crashes_server"
    EXPIRED = "expired"
    REMOVED = "removed"
    WEB_LINK = "web_link"
    FETCH = "fetch"
    NOT_A_TORRENT = "not_a_torrent"
    TOO_LARGE = "too_large"
    FETCH_REFUSED = "fetch_refused"


class Stage(StrEnum):
    """Where a job stands; the values are on disk.

    QUEUED: to be delivered. SETTLING: listed by an instance that has not had the time to save it.
    KEPT: listed by an instance that may have been unable to save it; only a restart can tell.
    DUPLICATE_CHECK: delivered and saved; kept only because another instance may have it as well.
    DELIVERED: delivered and saved; kept only so that it is not delivered again for some days.
    FAILED: on the failed list, until the user decides. TOMBSTONE: the caller was told that it
    failed; kept only because an instance may have it anyway.
    """

    QUEUED = "queued"
    SETTLING = "settling"
    KEPT = "kept"
    DUPLICATE_CHECK = "watched"
    DELIVERED = "delivered"
    FAILED = "failed"
    TOMBSTONE = "disclaimed"


_NO_OPTIONS, _NO_INCARNATION = AddOptions(), Incarnation()


class Job(NamedTuple):
    """A magnet, how it is to be added, and what became of it; times are epoch seconds.

    A tuple, as thousands are changed at a time: that takes a fifth of what a dataclass takes.
    `instances` are the keys of the only ones that may get it, in this order; None stands for all.
    They are names where the job has outlived the entry with these keys.
    `sent_to` is the key of the instance that has or may have the magnet; it is on disk before the
    magnet is sent. `incarnation` is the process that listed the magnet; `unsaved` says that a save
    has failed since, or may have. `suspects` are the keys of other instances that may have the
    magnet: they could not be asked for too long, so the job went on without their answer. `crash`
    is known of an instance that went down right after it was sent the magnet. `losses` is how often
    a restart lost it after it was listed, though no save had failed. `file` names the torrent file
    that is sent in place of the magnet (torrent_files.py). `ordinal` says the how many-th delivery
    of the entry it was (deliveries.py); 0 if the instance had the magnet before, None before that.
    """

    magnet: Magnet
    queued_at: float
    options: AddOptions = _NO_OPTIONS
    require_vpn: bool = False
    max_retries: int = 3
    keep: bool = True
    stage: Stage = Stage.QUEUED
    attempts: int = 0
    last_attempt: float | None = None
    reason: str = ""
    sent_to: str | None = None
    sent_at: float = 0.0
    failed_at: float | None = None
    incarnation: Incarnation = _NO_INCARNATION
    unsaved: bool = False
    suspects: tuple[str, ...] = ()
    crash: Crash | None = None
    losses: int = 0
    instances: tuple[str, ...] | None = None
    file: str | None = None
    ordinal: int | None = None

    @property
    def info_hash(self) -> str:
        """Return the magnet's info-hash, which is the key of the job everywhere."""
        return self.magnet.info_hash

    def with_intent(self, instance: str, at: float) -> Job:
        """Return the job with the intent to send it to the instance with this key."""
        return self._replace(sent_to=instance, sent_at=at)

    def without_intent(self) -> Job:
        """Return the job without its intent, as its instance is known not to have the magnet."""
        return self._replace(sent_to=None, sent_at=0.0)

    def suspecting_target(self) -> Job:
        """Return the job without its intent, and the instance that it was sent to as a suspect."""
        if self.sent_to is None:
            return self
        return self.without_intent().suspecting([self.sent_to])

    def suspecting(self, instances: Iterable[str]) -> Job:
        """Return the job with these instances, by their keys, as suspects."""
        new = [key for key in instances if key not in self.suspects]
        return self._replace(suspects=(*self.suspects, *new)) if new else self

    def cleared_of(self, instance: str) -> Job:
        """Return the job without this suspect, once it is known whether that has the magnet."""
        if instance not in self.suspects:
            return self
        return self._replace(suspects=tuple(key for key in self.suspects if key != instance))

    def attempted(self, reason: str, at: float) -> Job:
        """Return the job after an attempt that did not deliver it."""
        return self._replace(reason=reason, attempts=self.attempts + 1, last_attempt=at)

    def delivered_to(
        self,
        instance: str,
        at: float,
        incarnation: Incarnation,
        *,
        unsaved: bool = False,
        ordinal: int | None = None,
    ) -> Job:
        """Return the job once `instance` lists it; if it was sent to another, that is a suspect.

        Without an `ordinal` it keeps the one that it has.
        """
        before = self if self.sent_to == instance else self.suspecting_target()
        return before.cleared_of(instance)._replace(
            stage=Stage.SETTLING,
            sent_to=instance,
            sent_at=at,
            incarnation=incarnation,
            unsaved=unsaved,
            ordinal=self.ordinal if ordinal is None else ordinal,
        )

    def remembered(self) -> Job:
        """Return the job as it is kept once it is delivered and saved."""
        return Job(
            self.magnet.without_details(),
            self.queued_at,
            stage=Stage.DELIVERED,
            sent_to=self.sent_to,
            sent_at=self.sent_at,
        )

    def _times(self) -> Iterator[tuple[str, Any]]:
        """Yield the names and values of those times that are known."""
        if self.queued_at:
            yield "queued_at", self.queued_at
        if self.last_attempt:
            yield "last_attempt", self.last_attempt
        if self.sent_at:
            yield "sent_at", self.sent_at
        if self.failed_at:
            yield "failed_at", self.failed_at

    def with_times_shifted(self, by: float, since: float, until: float) -> Job:
        """Return the job with its times from `since` to `until` moved by `by` seconds.

        These times were taken from the wall clock before it was set.
        """
        wrong = {name: at for name, at in self._times() if since <= at <= until}
        shifted = self._replace(**{name: at + by for name, at in wrong.items()}) if wrong else self
        if self.crash is None or not since <= self.crash.at <= until:
            return shifted
        return shifted._replace(crash=replace(self.crash, at=max(self.crash.at + by, 0.0)))

    def with_no_time_ahead(self, now: float) -> Job:
        """Return the job with `now` in place of each time that lies ahead of it.

        Such a time was taken from a clock that was wrong.
        """
        ahead: dict[str, Any] = {name: now for name, at in self._times() if at > now}
        job = self._replace(**ahead) if ahead else self
        if job.crash is None or job.crash.at <= now:
            return job
        return job._replace(crash=replace(job.crash, at=now))

    def failed_with(self, reason: str, at: float) -> Job:
        """Return the job as it is on the failed list."""
        return self.without_intent()._replace(stage=Stage.FAILED, reason=reason, failed_at=at)

    def requeued(self, at: float | None = None) -> Job:
        """Return the job as it is back in the queue; if `at` is given, it is queued since then.

        That is where the user wants another try.
        """
        crash = self.crash if at is None or self.crash is None else self.crash.retried()
        return self.without_intent()._replace(
            stage=Stage.QUEUED,
            keep=True,
            queued_at=self.queued_at if at is None else at,
            reason="",
            failed_at=None,
            incarnation=Incarnation(),
            unsaved=False,
            crash=crash,
        )
