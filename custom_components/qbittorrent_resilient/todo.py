"""The queue as a to-do list: users see it, remove magnets, and add magnets by their links."""

from datetime import datetime
from typing import override

from homeassistant.components.todo import (
    TodoItem,
    TodoItemStatus,
    TodoListEntity,
    TodoListEntityFeature,
)
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import QueueCoordinator
from .core import names
from .core.dispatcher import Dispatcher
from .core.outbox.job import Stage
from .core.queue_lists import QueueItem
from .entity import HubEntity
from .reasons import async_reason_text
from .runtime import ResilientConfigEntry

PARALLEL_UPDATES = 0

MOST_ITEMS = 200
"""Nobody scrolls through more, and each change sends the whole list to every open page."""
PAUSE_SECONDS = 1.0
"""Pause in which changes are collected: a drain changes the queue many times a second."""

QUEUE = EntityDescription(
    key="queue",
    translation_key="queue",
    entity_registry_enabled_default=False,  # names of torrents are private
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the queue's list."""
    async_add_entities([QueueList(entry, entry.runtime_data.queue, QUEUE)])


class QueueList(HubEntity[QueueCoordinator], TodoListEntity):
    """What is queued, oldest first; the names of torrents are in no state and no attribute."""

    _attr_supported_features = (
        TodoListEntityFeature.CREATE_TODO_ITEM
        | TodoListEntityFeature.DELETE_TODO_ITEM
        | TodoListEntityFeature.SET_DESCRIPTION_ON_ITEM
    )
    _cancel_pause: CALLBACK_TYPE | None = None

    @property
    @override
    def state(self) -> int:
        """Return how many magnets are queued, including those that the list does not show."""
        return self._dispatcher.snapshot().queued

    @property
    def _dispatcher(self) -> Dispatcher:
        return self.coordinator.dispatcher

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the queue as long as the entity is there."""
        await super().async_added_to_hass()
        self._attr_todo_items = self._items()
        self.async_on_remove(self.coordinator.async_add_list_listener(self._async_queue_changed))
        self.async_on_remove(self._async_stop_pausing)

    @override
    async def async_create_todo_item(self, item: TodoItem) -> None:
        """Add the links in the item's texts, as the action does, without the words around them."""
        text = f"{item.summary or ''}\n{item.description or ''}"
        await self._async_call("add_magnets", {"magnets": text})

    @override
    async def async_delete_todo_items(self, uids: list[str]) -> None:
        """Remove magnets from the queue; what was delivered meanwhile stays delivered."""
        if uids:
            await self._async_call("remove_magnets", {"info_hashes": uids})

    async def _async_call(self, action: str, data: dict[str, str | list[str]]) -> None:
        """Call an action, which raises translated errors, and show what it did."""
        await self.hass.services.async_call(
            DOMAIN, action, data, blocking=True, context=self._context
        )
        self._async_show()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: the list listener does."""

    @callback
    def _async_queue_changed(self) -> None:
        """Show all changes of the next PAUSE_SECONDS together."""
        if self._cancel_pause is None:
            action = HassJob(self._async_pause_over, cancel_on_shutdown=True)
            self._cancel_pause = async_call_later(self.hass, PAUSE_SECONDS, action)

    @callback
    def _async_stop_pausing(self) -> None:
        if self._cancel_pause is not None:
            self._cancel_pause()

    @callback
    def _async_pause_over(self, _now: datetime) -> None:
        self._cancel_pause = None
        self._async_show()

    @callback
    def _async_show(self) -> None:
        self._attr_todo_items = self._items()
        self.async_write_ha_state()

    def _items(self) -> list[TodoItem]:
        """Return items for the oldest queued magnets and web links."""
        waiting = self._dispatcher.items(Stage.QUEUED)
        return [self._item(item) for item in waiting[:MOST_ITEMS]]

    def _item(self, item: QueueItem) -> TodoItem:
        reason = async_reason_text(self.hass, self._dispatcher.reason(item))
        return TodoItem(
            uid=item.key,
            summary=names.of_magnet(item.magnet),
            status=TodoItemStatus.NEEDS_ACTION,
            description=f"{reason} · {_local(item.job.queued_at)}",
        )


def _local(seconds: float) -> str:
    """Return a time in the user's time zone; a question mark for a time that no calendar has."""
    try:
        local = dt_util.as_local(dt_util.utc_from_timestamp(seconds))
    except ValueError, OverflowError, OSError:
        return "?"
    return local.strftime("%Y-%m-%d %H:%M")
