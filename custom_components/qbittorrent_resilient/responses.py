"""The responses of the actions, as docs/actions.md describes them.

Thousands of magnets take a while, so all functions here may run in a thread.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from homeassistant.util import dt as dt_util

from .action_files import FailedFile
from .core.delivery.outcome import Fate, Outcome
from .core.dispatcher import Dispatcher
from .core.health.status import InstanceStatus
from .core.health.words import reason_of
from .core.intake import Intake
from .core.magnet import Magnet
from .core.outbox.job import Reason
from .core.queue_lists import QueueItem
from .runtime import Runtime

_SUCCESSES = (Fate.ADDED, Fate.ALREADY_PRESENT, Fate.ALREADY_DELIVERED)

type Response = dict[str, Any]


def of_add(
    intake: Intake,
    outcomes: Sequence[Outcome],
    runtime: Runtime,
    files: Sequence[FailedFile] = (),
) -> Response:
    """Answer `add_magnets`: every torrent and every unreadable text, once; links come on top."""
    failed = [_unreadable(one.index, Reason.INVALID_MAGNET, one.text) for one in intake.invalid]
    failed += [_unreadable(one.index, Reason.WEB_LINK, one.text) for one in intake.web_links]
    failed += [_unreadable(file.index, file.reason, file.text) for file in files]
    failed += [
        {"index": intake.places[outcome.magnet.info_hash], **failed_item(outcome), "text": None}
        for outcome in outcomes
        if outcome.fate is Fate.FAILED
    ]
    return {
        "added": _added(outcomes),
        "queued": _queued(outcomes),
        "failed": sorted(failed, key=lambda item: item["index"]),
        "skipped": [named(magnet) for magnet in intake.skipped],
        "health": of_health(runtime),
    }


def _unreadable(index: int, reason: Reason, text: str) -> Response:
    """Return what failed without having been read; `text` is what of it may be shown."""
    return {"index": index, "info_hash": None, "name": None, "reason": reason.value, "text": text}


def of_pass(outcomes: Sequence[Outcome]) -> Response:
    """Answer `retry_queue`."""
    failed = [failed_item(outcome) for outcome in outcomes if outcome.fate is Fate.FAILED]
    return {"added": _added(outcomes), "queued": _queued(outcomes), "failed": failed}


def of_queue(
    dispatcher: Dispatcher, queued: Sequence[QueueItem], failed: Sequence[QueueItem]
) -> Response:
    """Answer `get_queue`."""
    return {
        "queued": [
            _listed(item, dispatcher) | {"last_attempt": iso(item.job.last_attempt)}
            for item in queued
        ],
        "failed": [
            _listed(item, dispatcher) | {"failed_at": iso(item.job.failed_at)} for item in failed
        ],
    }


def of_retry(items: Iterable[QueueItem], dispatcher: Dispatcher) -> Response:
    """Answer `retry_failed`."""
    return {"queued": [_with_reason(item, dispatcher) for item in items]}


def of_check(runtime: Runtime) -> Response:
    """Answer `check_health`: the verdicts, and in plain words why something is not up."""
    reasons: dict[str, str] = {}
    for witness in runtime.witnesses:
        reasons |= witness.monitor.reasons
    for monitor in runtime.dispatcher.instances:
        if (reason := reason_of(monitor)) is not None:
            reasons[monitor.settings.name] = reason
    return of_health(runtime) | {"reasons": reasons}


def of_health(runtime: Runtime) -> Response:
    """Return the verdicts; an instance without one has not answered yet: `timeout`."""
    return {
        "vpn": None if runtime.vpn is None else runtime.vpn.monitor.state.value,
        "instances": {
            monitor.settings.name: (monitor.status or InstanceStatus.TIMEOUT).value
            for monitor in runtime.dispatcher.instances
        },
    }


def _listed(item: QueueItem, dispatcher: Dispatcher) -> Response:
    """Return an item of the queue or the failed list, and what was tried so far."""
    times = {"queued_at": iso(item.job.queued_at), "attempts": item.job.attempts}
    return _with_reason(item, dispatcher) | times


def _with_reason(item: QueueItem, dispatcher: Dispatcher) -> Response:
    """Return an item and why it waits or has failed."""
    reason = {"reason": dispatcher.reason(item)}
    return named(item.magnet) | {"info_hash": item.info_hash} | reason


def _added(outcomes: Iterable[Outcome]) -> list[Response]:
    return [added_item(outcome) for outcome in outcomes if outcome.fate in _SUCCESSES]


def _queued(outcomes: Iterable[Outcome]) -> list[Response]:
    return [queued_item(outcome) for outcome in outcomes if outcome.fate is Fate.QUEUED]


def added_item(outcome: Outcome) -> Response:
    """Return what an instance has now."""
    return named(outcome.magnet) | {"instance": outcome.instance, "status": outcome.fate.value}


def queued_item(outcome: Outcome) -> Response:
    """Return what waits."""
    return named(outcome.magnet) | {"reason": outcome.reason}


def failed_item(outcome: Outcome) -> Response:
    """Return what failed."""
    return named(outcome.magnet) | {"reason": outcome.reason}


def named(magnet: Magnet) -> Response:
    """Return what a magnet goes by."""
    return {"info_hash": magnet.info_hash, "name": magnet.name}


@lru_cache(maxsize=1000)  # the magnets of one call have the same time
def iso(seconds: float | None) -> str | None:
    """Return a time in ISO 8601; None for a time of a wrong clock, which no calendar has."""
    try:
        return None if seconds is None else dt_util.utc_from_timestamp(seconds).isoformat()
    except ValueError, OverflowError, OSError:
        return None
