"""What the actions answer, in the words of the README.

Thousands of magnets take a while, so all of this may run in a thread of its own.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from homeassistant.util import dt as dt_util

from .coordinator import Runtime
from .core.courier import Courier
from .core.entry import INVALID_MAGNET, Entry
from .core.intake import Intake
from .core.magnet import Magnet
from .core.models import InstanceStatus
from .core.outcome import Fate, Outcome

type Response = dict[str, Any]


def of_add(intake: Intake, outcomes: Sequence[Outcome], runtime: Runtime) -> Response:
    """Answer `add_magnets`: every given text is in exactly one of the lists."""
    failed: list[Response] = [
        {"index": one.index, "info_hash": None, "name": None, "reason": INVALID_MAGNET}
        for one in intake.invalid
    ]
    failed += [
        {"index": intake.places[one.magnet.info_hash], **_failed(one)}
        for one in outcomes
        if one.fate is Fate.FAILED
    ]
    return {
        "added": _added(outcomes),
        "queued": _queued(outcomes),
        "failed": sorted(failed, key=lambda one: one["index"]),
        "skipped": [_named(magnet) for magnet in intake.skipped],
        "health": of_health(runtime),
    }


def of_pass(outcomes: Sequence[Outcome]) -> Response:
    """Answer `retry_queue`."""
    failed = [_failed(one) for one in outcomes if one.fate is Fate.FAILED]
    return {"added": _added(outcomes), "queued": _queued(outcomes), "failed": failed}


def of_queue(courier: Courier, queued: Sequence[Entry], failed: Sequence[Entry]) -> Response:
    """Answer `get_queue`."""
    return {
        "queued": [
            _queued_now(entry, courier)
            | _times(entry)
            | {"attempts": entry.attempts, "last_attempt": _iso(entry.last_attempt)}
            for entry in queued
        ],
        "failed": [
            _named(entry.magnet)
            | {"reason": entry.reason}
            | _times(entry)
            | {"attempts": entry.attempts, "failed_at": _iso(entry.failed_at)}
            for entry in failed
        ],
    }


def of_retry(entries: Iterable[Entry], courier: Courier) -> Response:
    """Answer `retry_failed`."""
    return {"queued": [_queued_now(entry.again(), courier) for entry in entries]}


def of_health(runtime: Runtime) -> Response:
    """Answer `check_health`; an instance without a verdict has not answered yet."""
    return {
        "vpn": None if runtime.vpn is None else runtime.vpn.monitor.state.value,
        "instances": {
            monitor.settings.name: (monitor.status or InstanceStatus.TIMEOUT).value
            for monitor in runtime.courier.line
        },
    }


def _queued_now(entry: Entry, courier: Courier) -> Response:
    """Return a queued magnet and why it waits."""
    return _named(entry.magnet) | {"reason": courier.reason(entry)}


def _added(outcomes: Iterable[Outcome]) -> list[Response]:
    return [
        _named(one.magnet) | {"instance": one.instance, "status": one.fate.value}
        for one in outcomes
        if one.fate in (Fate.ADDED, Fate.ALREADY_PRESENT)
    ]


def _queued(outcomes: Iterable[Outcome]) -> list[Response]:
    return [
        _named(one.magnet) | {"reason": one.reason} for one in outcomes if one.fate is Fate.QUEUED
    ]


def _failed(outcome: Outcome) -> Response:
    return _named(outcome.magnet) | {"reason": outcome.reason}


def _named(magnet: Magnet) -> Response:
    return {"info_hash": magnet.info_hash, "name": magnet.name}


def _times(entry: Entry) -> Response:
    return {"queued_at": _iso(entry.queued_at)}


@lru_cache(maxsize=1000)  # what came in one call has one time
def _iso(seconds: float | None) -> str | None:
    """Return a time as text; one that no calendar has, of a clock gone wrong, as none."""
    try:
        return None if seconds is None else dt_util.utc_from_timestamp(seconds).isoformat()
    except ValueError, OverflowError, OSError:
        return None
