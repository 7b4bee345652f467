"""Jobs as they are stored: records of JSON types, checked when they are read."""

from collections.abc import Mapping
from operator import attrgetter
import re
from typing import Any, TypeIs

from ..errors import InvalidMagnetError
from ..magnet import Magnet
from ..qbittorrent.incarnation import Incarnation
from ..qbittorrent.models import LAST_SECOND, AddOptions
from .crash import FIELDS as CRASH_FIELDS, Crash, to_fields
from .job import Job, Stage

_NUMBER, _TEXT, _FLAG, _COUNT, _TEXTS = (int, float), (str,), (bool,), (int,), (list,)
_MOST: Mapping[tuple[type, ...], float] = {
    _NUMBER: LAST_SECOND,
    _COUNT: 1_000_000_000.0,
}
"""Upper bounds of stored times and counts, which are never negative."""
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
    "losses": _COUNT,
    "instances": _TEXTS,
    "ordinal": _COUNT,
}
"""The fields of a job that are stored as they are, and the types that they may have."""
_OPTIONS: Mapping[str, tuple[type, ...]] = {
    "category": _TEXT,
    "save_path": _TEXT,
    "tags": _TEXTS,
    "stopped": _FLAG,
    "automatic_management": _FLAG,
    "sequential": _FLAG,
    "first_last_piece_first": _FLAG,
}
_PROCESS = frozenset({"launched", "log_began"})
_DEFAULTS = [Job._field_defaults.get(name) for name in _PLAIN]
_VALUES, _OPTION_VALUES = attrgetter(*_PLAIN), attrgetter(*_OPTIONS)
_NO_OPTIONS = Job._field_defaults["options"]

_FILE = re.compile(r"[0-9a-f]{64}")

type Record = dict[str, Any]
"""A job as it is stored: JSON types only."""

_NEWER_STAGES: Mapping[Stage, Record] = {
    Stage.KEPT: {"stage": Stage.SETTLING.value, "kept": True},
    Stage.DELIVERED: {"stage": Stage.DUPLICATE_CHECK.value, "delivered": True},
}
"""How these are stored: as what older versions know that comes closest, and a flag."""
_NEWER_FLAGS = frozenset({"kept", "delivered"})


def is_file_name(text: object) -> TypeIs[str]:
    """Tell whether this may be the name of a torrent file, which is its SHA-256."""
    return isinstance(text, str) and _FILE.fullmatch(text) is not None


def files_of(records: Mapping[str, Any]) -> dict[str, str]:
    """Return the torrent file that each record refers to, by its key, even if it is no job."""
    files = ((key, _file_of(record)) for key, record in records.items() if isinstance(record, dict))
    return {key: name for key, name in files if name is not None}


def _file_of(record: Record) -> str | None:
    return name if is_file_name(name := record.get("file")) else None


def to_record(job: Job) -> Record:
    """Return a job as it is stored: fields that have their default are left out."""
    record: Record = {"link": job.magnet.link, "stage": job.stage.value}
    record |= _NEWER_STAGES.get(job.stage, {})
    record |= {
        name: list(value) if isinstance(value, tuple) else value
        for name, value, default in zip(_PLAIN, _VALUES(job), _DEFAULTS, strict=True)
        if value != default
    }
    if job.incarnation.launched is not None:
        record["launched"] = job.incarnation.launched
    if job.file is not None:
        record["file"] = job.file
    if job.incarnation.log_began is not None:
        record["log_began"] = list(job.incarnation.log_began)
    if job.crash is not None:
        record["crash"] = to_fields(job.crash)
    if job.options is not _NO_OPTIONS:
        record |= {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in zip(_OPTIONS, _OPTION_VALUES(job.options), strict=True)
            if value is not None
        }
    return record


def from_record(record: Record, key: str | None = None) -> Job:
    """Return a stored job; raises ValueError if the record is none.

    It is none, too, if it is stored under a key that is not its info-hash: one of the two is
    damaged, and another torrent must never be delivered.
    """
    try:
        fields = _checked(record, _PLAIN)
        if not _OPTIONS.keys().isdisjoint(record):
            fields["options"] = AddOptions(**_checked(record, _OPTIONS))
        if not _PROCESS.isdisjoint(record):
            fields["incarnation"] = _process_of(record)
        job = Job(
            magnet=Magnet.read_back(record["link"]),
            stage=_stage_of(record),
            crash=_crash_of(record),
            file=_file_of(record),
            **fields,
        )
    except (InvalidMagnetError, LookupError, TypeError, AttributeError) as err:
        raise ValueError("not a stored magnet") from err
    if key is not None and job.info_hash != key:
        raise ValueError("stored under the info-hash of another torrent")
    return job


def _stage_of(record: Record) -> Stage:
    if not _NEWER_FLAGS.isdisjoint(record):
        for stage, stored in _NEWER_STAGES.items():
            if stored.items() <= record.items():
                return stage
    return Stage(record["stage"])


def _process_of(record: Record) -> Incarnation:
    log_began = None
    if "log_began" in record:
        number, at = record["log_began"]
        checked = _checked({"id": number, "at": at}, {"id": _COUNT, "at": _NUMBER})
        log_began = checked["id"], float(checked["at"])
    return Incarnation(**_checked(record, {"launched": _NUMBER}), log_began=log_began)


def _crash_of(record: Record) -> Crash | None:
    if "crash" not in record:
        return None
    fields = _checked(record["crash"], CRASH_FIELDS)
    process = Incarnation(**_checked(record["crash"], {"launched": _NUMBER}))
    return Crash(process=process, **fields)


def _checked(record: Record, types: Mapping[str, tuple[type, ...]]) -> Record:
    """Return the fields of a record that `types` names; raises ValueError for another type."""
    fields: Record = {name: value for name, value in record.items() if name in types}
    for name, value in fields.items():
        expected = types[name]
        if type(value) not in expected:  # not isinstance: for that, a flag is a number
            raise ValueError(f"{name} is of another type")
        if expected in _MOST and not 0 <= value <= _MOST[expected]:
            raise ValueError(f"{name} is out of range")
        if expected == _TEXTS:
            if not all(isinstance(item, str) for item in value):
                raise ValueError(f"{name} holds something that is no text")
            fields[name] = tuple(value)
    return fields
