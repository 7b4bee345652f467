"""One magnet on the books: what was accepted, where it may be, and what became of it."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from .errors import InvalidMagnetError
from .magnet import Magnet
from .models import LAST_SECOND, AddOptions

UNCERTAIN = "uncertain"
"""Reason of a queued magnet that an instance may have, and that cannot be asked now."""
INVALID_MAGNET = "invalid_magnet"
REJECTED = "rejected"
EXPIRED = "expired"
REMOVED = "removed"
"""Reason for a caller whose magnet the user removed from the queue while it was delivered."""
NO_INSTANCE = "no_instance"
"""Reason of a queued magnet for which no instance is set up that it may go to."""


class Stage(StrEnum):
    """Where a magnet stands.

    `queued`: to be delivered. `settling`: listed by an instance that has not had the time to save
    it. `watched`: delivered and saved; kept only because another instance may turn out to have it,
    too. `failed`: on the failed list, until the user decides. `disclaimed`: the caller was told
    that it failed; kept only because an instance may have it all the same.
    """

    QUEUED = "queued"
    SETTLING = "settling"
    WATCHED = "watched"
    FAILED = "failed"
    DISCLAIMED = "disclaimed"


@dataclass(frozen=True, slots=True)
class Mark:
    """Which process of a server answered: sessions renewed so far, and its start where it says."""

    renewals: int | None = None
    launched: float | None = None

    def same_process(self, other: Mark) -> bool:
        """Tell whether there is no sign of a restart between the two.

        The start time settles that (5.3 and newer). Else a session that was gone is the sign, and
        not to know counts as one: a magnet delivered again is better than one lost.
        """
        if self.launched is not None and other.launched is not None:
            return self.launched == other.launched
        return self.renewals is not None and self.renewals == other.renewals


_NO_WISHES, _NO_MARK = AddOptions(), Mark()


class Entry(NamedTuple):
    """A magnet with its wishes and its fate; times are epoch seconds.

    A tuple, as thousands are changed at a time: that takes a fifth of what a dataclass takes.
    `sent_to` is the key of the instance that has it, or may have it: it is on disk before the
    magnet is sent. `mark` is the process that listed it; `unsaved` says that a save failed since.
    `suspects` are the keys of instances that may have it as well: it went on without them, as they
    could not be asked for too long.
    """

    magnet: Magnet
    queued_at: float
    options: AddOptions = _NO_WISHES
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
    mark: Mark = _NO_MARK
    unsaved: bool = False
    suspects: tuple[str, ...] = ()

    @property
    def info_hash(self) -> str:
        """Return the key under which the magnet is known everywhere."""
        return self.magnet.info_hash

    def sent(self, instance: str, at: float) -> Entry:
        """Return the entry as it is from the moment before it is handed to `instance`."""
        return replace(self, sent_to=instance, sent_at=at)

    def not_there(self) -> Entry:
        """Return the entry once the instance it was sent to is known not to have it."""
        return replace(self, sent_to=None, sent_at=0.0)

    def moved_on(self) -> Entry:
        """Return the entry as it goes on without an answer from the instance it was sent to."""
        if self.sent_to is None:
            return self
        if self.sent_to in self.suspects:
            return self.not_there()
        return replace(self.not_there(), suspects=(*self.suspects, self.sent_to))

    def cleared(self, instance: str) -> Entry:
        """Return the entry once it is known whether `instance` has it, too."""
        if instance not in self.suspects:
            return self
        return replace(self, suspects=tuple(one for one in self.suspects if one != instance))

    def tried(self, reason: str, at: float) -> Entry:
        """Return the entry after a try that did not deliver it."""
        return replace(self, reason=reason, attempts=self.attempts + 1, last_attempt=at)

    def settling(self, instance: str, at: float, mark: Mark) -> Entry:
        """Return the entry once `instance` lists it; another that may have it becomes a suspect."""
        before = self if self.sent_to == instance else self.moved_on()
        return replace(
            before.cleared(instance),
            stage=Stage.SETTLING,
            sent_to=instance,
            sent_at=at,
            mark=mark,
            unsaved=False,
        )

    def shifted(self, by: float, since: float, until: float) -> Entry:
        """Return the entry with the times that lie between `since` and `until` moved.

        They were taken from a clock that has been set meanwhile.
        """
        times = {name: getattr(self, name) for name in _TIMES}
        wrong = {name: at for name, at in times.items() if at and since <= at <= until}
        return replace(self, **{name: at + by for name, at in wrong.items()}) if wrong else self

    def failed(self, reason: str, at: float) -> Entry:
        """Return the entry as it goes onto the failed list."""
        return replace(self.not_there(), stage=Stage.FAILED, reason=reason, failed_at=at)

    def again(self, at: float | None = None) -> Entry:
        """Return the entry as it goes back into the queue; `at` starts its time anew."""
        return replace(
            self.not_there(),
            stage=Stage.QUEUED,
            keep=True,
            queued_at=self.queued_at if at is None else at,
            reason="",
            failed_at=None,
            mark=Mark(),
            unsaved=False,
        )


_TIMES = ("queued_at", "last_attempt", "sent_at", "failed_at")
_NUMBER, _TEXT, _FLAG, _COUNT, _TEXTS = (int, float), (str,), (bool,), (int,), (list,)
_MOST: Mapping[tuple[type, ...], float] = {
    _NUMBER: LAST_SECOND,
    _COUNT: 1_000_000_000.0,
}
"""No time is later, and there are not that many tries; neither may be negative."""
_PLAIN: Mapping[str, tuple[type, ...]] = {
    "queued_at": _NUMBER,
    "require_vpn": _FLAG,
    "max_retries": _COUNT,
    "keep": _FLAG,
    "attempts": _COUNT,
    "last_attempt": _NUMBER,
    "reason": _TEXT,
    "sent_to": _TEXT,
    "sent_at": _NUMBER,
    "failed_at": _NUMBER,
    "unsaved": _FLAG,
    "suspects": _TEXTS,
}
"""The fields of an entry that are stored as they are, and what they may hold."""
_OPTIONS: Mapping[str, tuple[type, ...]] = {
    "category": _TEXT,
    "save_path": _TEXT,
    "tags": _TEXTS,
    "stopped": _FLAG,
}
_DEFAULTS = {name: Entry._field_defaults.get(name) for name in _PLAIN}
_VALUES = attrgetter(*_PLAIN)

type Record = dict[str, Any]
"""An entry as it is stored: JSON types only."""


def to_record(entry: Entry) -> Record:
    """Return what is stored of an entry; what has its default is left out."""
    options = entry.options
    record: Record = {"link": entry.magnet.link, "stage": entry.stage.value}
    for (name, default), value in zip(_DEFAULTS.items(), _VALUES(entry), strict=True):
        if value != default:
            record[name] = list(value) if isinstance(value, tuple) else value
    if entry.mark.launched is not None:
        record["launched"] = entry.mark.launched
    for name in _OPTIONS:
        if (value := getattr(options, name)) is not None:
            record[name] = list(value) if isinstance(value, tuple) else value
    return record


def from_record(record: Record) -> Entry:
    """Return a stored entry; raises ValueError where it cannot be one."""
    try:
        return Entry(
            magnet=Magnet.read_back(record["link"]),
            stage=Stage(record["stage"]),
            options=AddOptions(**_checked(record, _OPTIONS)),
            mark=Mark(**_checked(record, {"launched": _NUMBER})),
            **_checked(record, _PLAIN),
        )
    except (InvalidMagnetError, LookupError, TypeError, AttributeError) as err:
        raise ValueError("not a stored magnet") from err


def _checked(record: Record, types: Mapping[str, tuple[type, ...]]) -> Record:
    """Return the fields that are there; raises ValueError where one holds something else."""
    found: Record = {name: record[name] for name in types if name in record}
    for name, value in found.items():
        is_flag = isinstance(value, bool)  # which Python counts as a number
        if not isinstance(value, types[name]) or is_flag is not (types[name] is _FLAG):
            raise ValueError(f"{name} is of another type")
        if types[name] in _MOST and not 0 <= found[name] <= _MOST[types[name]]:
            raise ValueError(f"{name} is out of all reason")
        if isinstance(value, list):
            if not all(isinstance(one, str) for one in value):
                raise ValueError(f"{name} holds something that is no text")
            found[name] = tuple(value)
    return found
