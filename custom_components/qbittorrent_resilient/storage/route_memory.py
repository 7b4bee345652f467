"""Keeps on disk which instances leak, so that a restart of Home Assistant forgives nothing."""

import asyncio
from collections.abc import Mapping
import logging
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..core.health.route import RouteMonitor
from ..core.health.route_record import RouteRecord, record_from
from ..core.log_words import cause
from .unreadable import UNREADABLE, async_load

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
AGAIN_AFTER_SECONDS = 60
"""When a write that failed is tried again: the disk was full, maybe, and has room by then."""


class RouteMemory:
    """One small file for each entry, private to its owner: it holds addresses."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Use the file of this entry."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}.routes", private=True, atomic_writes=True
        )
        self._stored: dict[str, Any] = {}
        self._routes: Mapping[str, RouteMonitor] = {}
        self._lock = asyncio.Lock()
        self._cancel_again: CALLBACK_TYPE | None = None

    async def async_load(self) -> dict[str, RouteRecord]:
        """Return the records by the instance's key; what is damaged counts as not known."""
        try:
            data = await async_load(self._hass, self._store)
        except UNREADABLE as err:
            _LOGGER.warning("Which servers leak could not be read back: %s", cause(err))
            return {}
        routes = data.get("routes") if isinstance(data, dict) else None
        records: dict[str, RouteRecord] = {}
        for key, stored in (routes if isinstance(routes, dict) else {}).items():
            try:
                records[key] = record_from(stored)
            except ValueError:
                _LOGGER.warning("Whether a server leaks could not be read back")
        self._stored = {key: record.to_dict() for key, record in records.items()}
        return records

    @callback
    def async_follow(self, routes: Mapping[str, RouteMonitor]) -> None:
        """Write what changes from now on; an instance that is gone is forgotten then."""
        self._routes = routes
        for route in routes.values():
            route.subscribe(lambda _before, _now: self._async_changed())
        self._async_changed()

    async def async_close(self) -> None:
        """Write what could not be written yet; from now on, the file belongs to its next owner."""
        self._forget_to_try_again()
        await self._async_write()
        self._forget_to_try_again()

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    def _records(self) -> dict[str, Any]:
        """Return what is worth keeping."""
        return {
            key: route.record.to_dict()
            for key, route in self._routes.items()
            if route.record != RouteRecord()
        }

    @callback
    def _async_changed(self) -> None:
        if self._records() != self._stored:
            self._hass.async_create_task(self._async_write(), "write routes")

    async def _async_write(self) -> None:
        """Write what is not stored yet; a failure is told by reading it back, and tried again.

        A Store logs a write that fails and returns as if it had worked.
        """
        async with self._lock:
            if (records := self._records()) == self._stored:
                return
            data = {"routes": records}
            try:
                await self._store.async_save(data)
                is_written = await self._store.async_load() == data
            except UNREADABLE as err:
                _LOGGER.debug("Which servers leak is not on disk yet: %s", cause(err))
                is_written = False
            if is_written:
                self._stored = records
            else:
                self._try_again()

    def _try_again(self) -> None:
        """Write once more, some time later."""

        async def again(_now: Any) -> None:
            self._cancel_again = None
            await self._async_write()

        self._forget_to_try_again()
        self._cancel_again = async_call_later(self._hass, AGAIN_AFTER_SECONDS, again)

    def _forget_to_try_again(self) -> None:
        if self._cancel_again is not None:
            self._cancel_again()
            self._cancel_again = None
