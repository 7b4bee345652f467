"""What keeps Home Assistant's `Store` from reading a file, and what it raises then."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from ..core.outbox.files import clear_way

UNREADABLE = (
    *(HomeAssistantError, OSError, NotImplementedError),
    *(ValueError, LookupError, TypeError, AttributeError),  # JSON of another form
)
"""What it raises where it cannot read a file, or finds other JSON in it."""


async def async_load[T: dict[str, Any]](hass: HomeAssistant, store: Store[T]) -> T | None:
    """Return what a Store holds; raises one of UNREADABLE.

    What is no file in the place of its file is set aside, so that the next write works.
    """
    if (in_the_way := await hass.async_add_executor_job(clear_way, Path(store.path))) is not None:
        raise HomeAssistantError(f"no file was in its place, but what is now {in_the_way.name}")
    return await store.async_load()
