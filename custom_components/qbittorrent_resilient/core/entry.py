"""One magnet on the books: what was accepted, where it may be, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from .errors import InvalidMagnetError
from .magnet import Magnet
from .models import AddOptions

UNCERTAIN = "uncertain"
"""Reason of a queued magnet that an instance may have, and that cannot be asked now."""
REJECTED = "rejected"
EXPIRED = "expired"
REMOVED = "removed"
"""Reason for a caller whose magnet the user removed from the queue while it was delivered."""
NO_INSTANCE = "no_instance"
"""Reason of a queued magnet for which no instance is set up that it may go to."""


class Stage(StrEnum):
    """Where a magnet stands.

    `queued`: to be delivered. `settling`: listed by an instance that has not had the time to save
    it. `failed`: on the failed list, until the user decides. `disclaimed`: the caller was told that
    it failed; kept only because an instance may have it all the same.
    """

    QUEUED = "queued"
    SETTLING = "settling"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A magnet with its wishes and its fate; times are epoch seconds.

    `sent_to` is the key of the instance that has it, or may have it: it is on disk before the
    magnet is sent. `mark` is the process that listed it; `unsaved` says that a save failed since.
    """

    magnet: Magnet
    queued_at: float
    options: AddOptions = field(default_factory=AddOptions)
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
    mark: Mark = field(default_factory=Mark)
    unsaved: bool = False

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

    def tried(self, reason: str, at: float) -> Entry:
        """Return the entry after a try that did not deliver it."""
        return replace(self, reason=reason, attempts=self.attempts + 1, last_attempt=at)

    def settling(self, instance: str, at: float, mark: Mark) -> Entry:
        """Return the entry once `instance` lists it."""
        return replace(self.sent(instance, at), stage=Stage.SETTLING, mark=mark, unsaved=False)

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


_NUMBER, _TEXT, _FLAG, _COUNT = (int, float), (str,), (bool,), (int,)
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
}
"""The fields of an entry that are stored as they are, and what they may hold."""
_OPTIONS: Mapping[str, tuple[type, ...]] = {
    "category": _TEXT,
    "save_path": _TEXT,
    "tags": (list,),
    "stopped": _FLAG,
}
_DEFAULTS = {name: Entry.__dataclass_fields__[name].default for name in _PLAIN}

type Record = dict[str, Any]
"""An entry as it is stored: JSON types only."""


def to_record(entry: Entry) -> Record:
    """Return what is stored of an entry; what has its default is left out."""
    options = entry.options
    record: Record = {"link": entry.magnet.link, "stage": entry.stage.value}
    for name in _PLAIN:
        if (value := getattr(entry, name)) != _DEFAULTS[name]:
            record[name] = value
    if entry.mark.launched is not None:
        record["launched"] = entry.mark.launched
    for name in _OPTIONS:
        if (value := getattr(options, name)) is not None:
            record[name] = list(value) if isinstance(value, tuple) else value
    return record


def from_record(record: Record) -> Entry:
    """Return a stored entry; raises ValueError where it cannot be one."""
    try:
        options = _checked(record, _OPTIONS)
        if "tags" in options:
            options["tags"] = tuple(options["tags"])
            if not all(isinstance(tag, str) for tag in options["tags"]):
                raise ValueError("a tag is no text")
        return Entry(
            magnet=Magnet.read_back(record["link"]),
            stage=Stage(record["stage"]),
            options=AddOptions(**options),
            mark=Mark(**_checked(record, {"launched": _NUMBER})),
            **_checked(record, _PLAIN),
        )
    except (InvalidMagnetError, LookupError, TypeError, AttributeError) as err:
        raise ValueError("not a stored magnet") from err


def _checked(record: Record, types: Mapping[str, tuple[type, ...]]) -> Record:
    """Return the fields that are there; raises ValueError where one holds something else."""
    found = {name: record[name] for name in types if name in record}
    for name, value in found.items():
        is_flag = isinstance(value, bool)  # which Python counts as a number
        if not isinstance(value, types[name]) or is_flag is not (types[name] is _FLAG):
            raise ValueError(f"{name} is of another type")
    return found
