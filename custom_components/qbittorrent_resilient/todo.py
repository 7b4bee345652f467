"""The queue and the failed list as to-do lists: users see them, add, drop and retry magnets."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, override

from homeassistant.components.todo import (
    TodoItem,
    TodoItemStatus,
    TodoListEntity,
    TodoListEntityFeature,
)
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN
from .coordinator import QueueCoordinator
from .core import names
from .core.delivery.outcome import Fate
from .core.dispatcher import Dispatcher
from .core.outbox.job import Stage
from .entity import HubEntity
from .responses import Response
from .runtime import ResilientConfigEntry
from .services import async_report_failures
from .todo_items import async_completed, async_failed, async_waiting

PARALLEL_UPDATES = 0

PAUSE_SECONDS = 1.0
"""Pause in which changes are collected: a drain changes the queue many times a second."""

QUEUE = EntityDescription(
    key="queue",
    translation_key="queue",
    entity_registry_enabled_default=False,  # names of torrents are private
)
FAILED = EntityDescription(
    key="failed",
    translation_key="failed",
    entity_registry_enabled_default=False,  # as above
)
_FEATURES = (
    TodoListEntityFeature.DELETE_TODO_ITEM
    | TodoListEntityFeature.UPDATE_TODO_ITEM
    # Without this one, no dialog for an item could be saved: it sends the description as well.
    | TodoListEntityFeature.SET_DESCRIPTION_ON_ITEM
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the two lists."""
    queue = entry.runtime_data.queue
    async_add_entities([QueueList(entry, queue, QUEUE), FailedList(entry, queue, FAILED)])


class MagnetList(HubEntity[QueueCoordinator], TodoListEntity):
    """Magnets and web links of one stage; their names are in no state and no attribute.

    Home Assistant's pages send a whole item when the user ticks it. An item that is taken for
    changed only because its description is another one by now could not be ticked.
    """

    _attr_supported_features = _FEATURES
    _cancel_pause: CALLBACK_TYPE | None = None

    @property
    def _dispatcher(self) -> Dispatcher:
        return self.coordinator.dispatcher

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the list as long as the entity is there."""
        await super().async_added_to_hass()
        self._attr_todo_items = self._items()
        self.async_on_remove(self.coordinator.async_add_list_listener(self._async_list_changed))
        self.async_on_remove(self._async_stop_pausing)

    @override
    async def async_update_todo_item(self, item: TodoItem) -> None:
        """Do what a tick means; refuse to change what a magnet is called or why it is here."""
        shown = self._shown(item.uid)
        if shown is None or item.uid is None:
            return
        is_ticked = item.status != shown.status
        if item.summary != shown.summary or not (
            is_ticked or item.description == shown.description
        ):
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="item_not_editable"
            )
        if is_ticked:
            try:
                await self._async_tick(shown)
            except HomeAssistantError:
                self._async_draw_anew(shown)
                raise

    @abstractmethod
    async def _async_tick(self, shown: TodoItem) -> None:
        """Do what it means that the box of an item, as it is shown, was ticked or cleared."""

    @abstractmethod
    def _items(self) -> list[TodoItem]:
        """Return what is to be shown now."""

    def _shown(self, uid: str | None) -> TodoItem | None:
        return next((item for item in self.todo_items or () if item.uid == uid), None)

    async def _async_call(self, action: str, data: Mapping[str, object]) -> Response:
        """Call an action, which raises translated errors, and show what it did."""
        response = await self.hass.services.async_call(
            DOMAIN,
            action,
            dict(data),
            blocking=True,
            context=self._context,
            return_response=True,
        )
        self._async_show()
        return response or {}

    @callback
    def _async_draw_anew(self, shown: TodoItem) -> None:
        """Take an item away for a moment: pages correct the box of an item only if it is new."""
        self._attr_todo_items = [item for item in self.todo_items or () if item is not shown]
        self.async_write_ha_state()
        self._async_list_changed()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: the list listener does."""

    @callback
    def _async_list_changed(self) -> None:
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


class QueueList(MagnetList):
    """What waits, oldest first, then what was delivered within the last hour, as completed."""

    _attr_supported_features = _FEATURES | TodoListEntityFeature.CREATE_TODO_ITEM
    _cancel_hour: CALLBACK_TYPE | None = None

    @property
    @override
    def state(self) -> int:
        """Return how many magnets are queued, including those that the list does not show."""
        return self._dispatcher.snapshot().queued

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the list, and forget what was delivered once an hour is over."""
        await super().async_added_to_hass()
        self._async_start_hour()
        self.async_on_remove(self._async_stop_hour)

    @override
    async def async_create_todo_item(self, item: TodoItem) -> None:
        """Add the links in the item's texts, as the action does, without the words around them."""
        text = f"{item.summary or ''}\n{item.description or ''}"
        response = await self._async_call("add_magnets", {"magnets": text})
        self._note_those_that_were_there(response["added"])
        self._async_show()
        failed = len(response["failed"])
        good = sum(len(response[name]) for name in ("added", "queued"))
        if failed and good:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="some_failed",
                translation_placeholders={"count": str(failed), "total": str(failed + good)},
            )
        async_report_failures(self.hass, response)

    @override
    async def async_delete_todo_items(self, uids: list[str]) -> None:
        """Drop what waits; show what was delivered no longer.

        What was delivered while it still seemed to wait stays delivered, and is shown as that.
        """
        done = {uid for uid in uids if self._is_done(self._shown(uid))}
        self._dispatcher.recent_deliveries.forget(done)
        await self._async_remove(set(uids) - done)

    @override
    async def _async_tick(self, shown: TodoItem) -> None:
        """Drop what waits; what was delivered cannot wait again."""
        if self._is_done(shown):
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="item_delivered"
            )
        await self._async_remove([shown.uid or ""])

    async def _async_remove(self, uids: Collection[str]) -> None:
        if uids:
            await self._async_call("remove_magnets", {"info_hashes": [*uids]})
        else:
            self._async_show()

    def _note_those_that_were_there(self, added: list[dict[str, Any]]) -> None:
        """Show what the user has added though a server has it: feeds do that all the time."""
        for one in added:
            if (fate := Fate(one["status"])) is not Fate.ADDED:
                name = names.shown(one["name"] or "") or one["info_hash"]
                self._dispatcher.recent_deliveries.note(
                    one["info_hash"], name, fate, one["instance"]
                )

    @staticmethod
    def _is_done(item: TodoItem | None) -> bool:
        return item is not None and item.status is TodoItemStatus.COMPLETED

    @callback
    @override
    def _async_show(self) -> None:
        super()._async_show()
        self._async_start_hour()

    @callback
    def _async_start_hour(self) -> None:
        """Look again once the first of what was delivered is too old."""
        self._async_stop_hour()
        if (seconds := self._dispatcher.recent_deliveries.seconds_left) is not None:
            action = HassJob(self._async_hour_over, cancel_on_shutdown=True)
            self._cancel_hour = async_call_later(self.hass, seconds + 1, action)

    @callback
    def _async_hour_over(self, _now: datetime) -> None:
        self._cancel_hour = None
        self._async_show()

    @callback
    def _async_stop_hour(self) -> None:
        if self._cancel_hour is not None:
            self._cancel_hour()
            self._cancel_hour = None

    @override
    def _items(self) -> list[TodoItem]:
        waiting = async_waiting(self.hass, self._dispatcher)
        return [*waiting, *async_completed(self.hass, self._dispatcher)]


class FailedList(MagnetList):
    """What has failed, newest first, with the reason; a tick tries again, deleting discards."""

    @property
    @override
    def state(self) -> int:
        """Return how many magnets have failed, including those that the list does not show."""
        return self._dispatcher.snapshot().failed

    @override
    async def async_delete_todo_items(self, uids: list[str]) -> None:
        """Discard some."""
        if uids:
            data = {"info_hashes": uids, "list": Stage.FAILED.value}
            await self._async_call("remove_magnets", data)

    @override
    async def _async_tick(self, shown: TodoItem) -> None:
        """Try one again."""
        await self._async_call("retry_failed", {"info_hashes": [shown.uid or ""]})

    @override
    def _items(self) -> list[TodoItem]:
        return async_failed(self.hass, self._dispatcher)
