"""Keeps on disk how many magnets were delivered, and when the last one was."""

import logging
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..core.dispatcher import Dispatcher, Event
from ..core.events import QueueSnapshot
from ..core.log_words import cause
from ..core.outbox.deliveries import Deliveries
from ..core.qbittorrent.models import LAST_SECOND
from .unreadable import UNREADABLE, async_load

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
WRITE_AFTER_SECONDS = 10
"""A delivery stays in the outbox for longer, so a kill before the write takes nothing from the
count."""
_HIGHEST = 10**9


class DeliveryMemory:
    """One small file for each entry."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Use the file of this entry."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass,
            STORAGE_VERSION,
            f"{DOMAIN}.{entry_id}.deliveries",
            private=True,
            atomic_writes=True,
        )
        self._unfollow: CALLBACK_TYPE | None = None
        self._deliveries = Deliveries()
        self._stored: dict[str, Any] = {}

    async def async_load(self) -> Deliveries:
        """Return what was counted; what is damaged counts as not known."""
        try:
            data = await async_load(self._hass, self._store)
        except UNREADABLE as err:
            _LOGGER.warning("The number of deliveries could not be read back: %s", cause(err))
            return self._deliveries
        fields = data if isinstance(data, dict) else {}
        count, last_at = fields.get("delivered"), fields.get("last_delivery")
        if type(count) is not int or not 0 <= count <= _HIGHEST:
            count = 0
        if type(last_at) is not float or not 0 <= last_at <= LAST_SECOND:
            last_at = None
        self._deliveries = Deliveries(count, last_at)
        return self._deliveries

    @callback
    def async_follow(self, dispatcher: Dispatcher) -> None:
        """Write what changes from now on, some seconds later."""
        self._stored = self._data()
        self._unfollow = dispatcher.subscribe(self._async_event_published)

    async def async_close(self) -> None:
        """Write what was not written yet; from now on, the file belongs to its next owner."""
        if self._unfollow is not None:
            self._unfollow()
            await self._store.async_save(self._stored)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    @callback
    def _async_event_published(self, event: Event) -> None:
        if not isinstance(event, QueueSnapshot) or (data := self._data()) == self._stored:
            return
        self._stored = data
        self._store.async_delay_save(lambda: self._stored, WRITE_AFTER_SECONDS)

    def _data(self) -> dict[str, Any]:
        deliveries = self._deliveries
        return {"delivered": deliveries.written, "last_delivery": deliveries.stored_at}
