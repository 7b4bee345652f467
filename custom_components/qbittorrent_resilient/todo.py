"""The queue as a to-do list: look at it, drop from it, paste a link into it."""

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
from .coordinator import QueueCoordinator, ResilientConfigEntry
from .core.courier import Courier
from .core.entry import Entry, Stage
from .entity import HubEntity
from .words import async_in_words

PARALLEL_UPDATES = 0

MOST_ITEMS = 200
"""More nobody scrolls through, and each change sends the whole list to every open page."""
PAUSE_SECONDS = 1.0
"""A drain changes the queue many times a second."""

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
        """Return how many are queued, those that are not shown included."""
        return self._courier.queue.count(Stage.QUEUED)

    @property
    def _courier(self) -> Courier:
        return self.coordinator.config_entry.runtime_data.courier

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the queue as long as the entity is there."""
        await super().async_added_to_hass()
        self._attr_todo_items = self._items()
        self.coordinator.list_listener = self._async_queue_changed

        @callback
        def stop_listening() -> None:
            self.coordinator.list_listener = None
            if self._cancel_pause is not None:
                self._cancel_pause()

        self.async_on_remove(stop_listening)

    @override
    async def async_create_todo_item(self, item: TodoItem) -> None:
        """Add the links in the item's texts, as the action does; the words around them are none."""
        text = f"{item.summary or ''}\n{item.description or ''}"
        links = [word for word in text.split() if word.lower().startswith("magnet:")]
        await self._async_call("add_magnets", {"magnets": links or text})

    @override
    async def async_delete_todo_items(self, uids: list[str]) -> None:
        """Take magnets off the queue; what has been delivered meanwhile stays delivered."""
        if uids:
            await self._async_call("remove_magnets", {"info_hashes": uids})

    async def _async_call(self, action: str, data: dict[str, str | list[str]]) -> None:
        """Call an action, which raises its errors in the user's words, and show what it did."""
        await self.hass.services.async_call(
            DOMAIN, action, data, blocking=True, context=self._context
        )
        self._async_show()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: the queue tells of its changes itself."""

    @callback
    def _async_queue_changed(self) -> None:
        """Show the changes of the next moment together."""
        if self._cancel_pause is None:
            job = HassJob(self._async_pause_over, cancel_on_shutdown=True)
            self._cancel_pause = async_call_later(self.hass, PAUSE_SECONDS, job)

    @callback
    def _async_pause_over(self, _now: datetime) -> None:
        self._cancel_pause = None
        self._async_show()

    @callback
    def _async_show(self) -> None:
        self._attr_todo_items = self._items()
        self.async_write_ha_state()

    def _items(self) -> list[TodoItem]:
        """Return the oldest of the queue."""
        queued = self._courier.queue.at(Stage.QUEUED)
        return [self._item(entry) for entry in queued[:MOST_ITEMS]]

    def _item(self, entry: Entry) -> TodoItem:
        reason = async_in_words(self.hass, self._courier.reason(entry))
        return TodoItem(
            uid=entry.info_hash,
            summary=entry.magnet.name or entry.info_hash,
            status=TodoItemStatus.NEEDS_ACTION,
            description=f"{reason} · {_local(entry.queued_at)}",
        )


def _local(seconds: float) -> str:
    """Return a time as the user's clock shows it; one that no calendar has as a question mark."""
    try:
        local = dt_util.as_local(dt_util.utc_from_timestamp(seconds))
    except ValueError, OverflowError, OSError:
        return "?"
    return local.strftime("%Y-%m-%d %H:%M")
