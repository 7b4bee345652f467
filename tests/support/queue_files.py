"""The files of the stored queue, through the storage of one life after another."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.qbittorrent_resilient.core.outbox.record import Record
from custom_components.qbittorrent_resilient.storage import queue_storage
from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.common import info_hash, link

type Books = dict[str, Record]

MANY = range(1, 121)
"""Enough magnets for a file that is much larger than a change of one of them."""


def record(number: int, **more: Any) -> Record:
    """Return the record of a queued magnet."""
    return {"link": link(number), "stage": "queued", "queued_at": 2e9, **more}


def books(numbers: range) -> Books:
    """Return the records of these magnets."""
    return {info_hash(one): record(one) for one in numbers}


def a_life(hass: HomeAssistant) -> QueueStorage:
    """Return the storage of a Home Assistant that has just been started."""
    hass.data.pop(queue_storage._OWNERSHIPS, None)
    return QueueStorage(hass, "hub")


async def lived(hass: HomeAssistant, *commits: tuple[Books, list[str]]) -> QueueStorage:
    """Return the storage of a life that has made these commits."""
    one = a_life(hass)
    await one.load()
    for put, drop in commits:
        await one.commit(put, drop)
    return one


async def read(hass: HomeAssistant) -> Mapping[str, Record]:
    """Return what the next life reads."""
    return await a_life(hass).load()
