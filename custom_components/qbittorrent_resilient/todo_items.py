"""The items of the to-do lists: what is shown of a magnet, a web link, or a delivery."""

from datetime import datetime
from heapq import nlargest

from homeassistant.components.todo import TodoItem, TodoItemStatus
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .core import names
from .core.dispatcher import Dispatcher
from .core.health.status import InstanceStatus
from .core.outbox.job import Stage
from .core.queue_lists import QueueItem
from .reasons import async_delivery_text, async_reason_text

MOST_ITEMS = 200
"""Nobody scrolls through more, and each change sends the whole list to every open page."""


@callback
def async_waiting(hass: HomeAssistant, dispatcher: Dispatcher) -> list[TodoItem]:
    """Return the oldest of what is queued."""
    return [
        _item(hass, dispatcher, item, item.job.queued_at)
        for item in dispatcher.items(Stage.QUEUED)[:MOST_ITEMS]
    ]


@callback
def async_completed(hass: HomeAssistant, dispatcher: Dispatcher) -> list[TodoItem]:
    """Return what was delivered within the last hour, but for what was lost again since."""
    return [
        TodoItem(
            uid=one.info_hash,
            summary=one.name,
            status=TodoItemStatus.COMPLETED,
            description=async_delivery_text(hass, one),
            completed=_local(one.at),
        )
        for one in dispatcher.recent_deliveries.newest_first()
        if (job := dispatcher.job(one.info_hash)) is None
        or job.stage not in (Stage.QUEUED, Stage.FAILED)
    ]


@callback
def async_failed(hass: HomeAssistant, dispatcher: Dispatcher) -> list[TodoItem]:
    """Return what failed last."""
    return [
        _item(hass, dispatcher, item, failed_at(item))
        for item in newest_failures(dispatcher, MOST_ITEMS)
    ]


def newest_failures(dispatcher: Dispatcher, most: int) -> list[QueueItem]:
    """Return what failed last, newest first."""
    return nlargest(most, dispatcher.items(Stage.FAILED), key=failed_at)


def failed_at(item: QueueItem) -> float:
    """Return when an item failed, in epoch seconds."""
    return item.job.failed_at or 0.0


def _item(hass: HomeAssistant, dispatcher: Dispatcher, item: QueueItem, seconds: float) -> TodoItem:
    """Return an item that waits or has failed, since when and why."""
    local = _local(seconds)
    since = "?" if local is None else local.strftime("%Y-%m-%d %H:%M")
    return TodoItem(
        uid=item.key,
        summary=names.of_magnet(item.magnet),
        status=TodoItemStatus.NEEDS_ACTION,
        description=" · ".join(filter(None, (_why(hass, dispatcher.reason(item)), since))),
    )


@callback
def _why(hass: HomeAssistant, reason: str) -> str:
    """Return a reason in words; what only waits for its turn has none."""
    return "" if reason == InstanceStatus.OK else async_reason_text(hass, reason)


def _local(seconds: float) -> datetime | None:
    """Return a time in the user's time zone; None for a time that no calendar has."""
    try:
        return dt_util.as_local(dt_util.utc_from_timestamp(seconds))
    except ValueError, OverflowError, OSError:
        return None
