"""Moments of a delivery at which a test holds it, and what is left behind afterwards."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager
import logging
from typing import Any
from unittest.mock import patch

from aiohttp import web
from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.delivery import deliverer
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.outbox.record import Record
from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from custom_components.qbittorrent_resilient.web_session import DATA_CONNECTORS
from tests.support.actions import call, hashes
from tests.support.common import eventually
from tests.support.fake.server import FakeQBittorrent

MOMENTS = ("look", "note", "noted", "add", "answer", "read back", "closing", "closed")
"""In their order: asked what is there, about to write where it goes, written, request on its way,
carried out, asked whether it is listed, about to write that it is, written."""

_REQUESTS = {
    "look": ("torrents/info", False),
    "add": ("torrents/add", False),
    "answer": ("torrents/add", True),
}
_WRITES = {"note": ("queued", False), "noted": ("queued", True)}
_WRITES |= {"closing": ("settling", False), "closed": ("settling", True)}


class Held:
    """A delivery that stands still once it has `reached` its moment, until it may `go`."""

    def __init__(self) -> None:
        """Hold the first that comes."""
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def hold(self) -> None:
        """Stand still."""
        self.reached.set()
        await self.go.wait()


@asynccontextmanager
async def held_at(
    moment: str, server: FakeQBittorrent, *, cut: bool = True
) -> AsyncGenerator[Held]:
    """Hold the first delivery to a server at one of the MOMENTS.

    A request that is held is `cut` off in the end, or else goes on.
    """
    held = Held()
    if moment in _WRITES:
        with ExitStack() as patches:
            hold = _holding(held, *_WRITES[moment])
            patches.enter_context(patch.object(QueueStorage, "commit", hold))
            if moment in ("note", "noted"):  # as where no instance was ok before
                patches.enter_context(patch.object(deliverer, "with_intents", _without_notes))
            yield held
            held.go.set()
        return
    serve, adds_before = server._wire._serve, len(server.adds)

    async def held_serve(request: web.BaseRequest) -> web.StreamResponse:
        endpoint, after = _REQUESTS.get(moment, ("torrents/info", False))
        early = moment == "read back" and len(server.adds) == adds_before
        if held.reached.is_set() or early or not request.path.endswith(endpoint):
            return await serve(request)
        answer = await serve(request) if after else None
        await held.hold()
        if cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return await serve(request) if answer is None else answer

    with patch.object(server._wire, "_serve", held_serve):
        yield held
        held.go.set()
        await asyncio.sleep(0)


def _without_notes(entries: Iterable[Job], first: object, now: float) -> list[Job]:
    return list(entries)


def _holding(held: Held, stage: str, after: bool) -> Any:
    """Return a commit that stands still at the first write of such a stage, noted where it is."""
    commit = QueueStorage.commit

    async def held_commit(
        self: QueueStorage, put: Mapping[str, Record], drop: Collection[str]
    ) -> None:
        mine = not held.reached.is_set() and any(
            one["stage"] == stage and "sent_to" in one for one in put.values()
        )
        if mine and not after:
            await held.hold()
        await commit(self, put, drop)
        if mine and after:
            await held.hold()

    return held_commit


def our_tasks() -> set[str]:
    """Return the names of tasks that run our code."""
    package = f"custom_components/{DOMAIN}/"
    return {
        task.get_name()
        for task in asyncio.all_tasks()
        if any(package in frame.f_code.co_filename for frame in task.get_stack())
    }


def requests_under_way(hass: HomeAssistant) -> int:
    """Return how many HTTP connections to servers are in use."""
    return sum(len(one._acquired) for one in hass.data.get(DATA_CONNECTORS, {}).values())


async def nothing_left(hass: HomeAssistant) -> None:
    """Assert that nothing of ours runs and no request is under way."""
    await hass.async_block_till_done()
    await eventually(lambda: not our_tasks())
    await eventually(lambda: not requests_under_way(hass))


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as an error or with an exception, by anybody."""
    return [
        f"{one.name}: {one.getMessage()} {one.exc_text or ''}"
        for one in caplog.records
        if one.levelno >= logging.ERROR or (one.exc_info and one.levelno > logging.DEBUG)
    ]


async def where(hass: HomeAssistant, servers: Iterable[FakeQBittorrent]) -> dict[str, list[str]]:
    """Return in which places each magnet is: a server by its number, queued, failed."""
    books = await call(hass, "get_queue")
    places: dict[str, list[str]] = {}
    found = [(f"server {number}", server.hashes) for number, server in enumerate(servers)]
    for place, keys in (
        *found,
        ("queued", hashes(books["queued"])),
        ("failed", hashes(books["failed"])),
    ):
        for key in keys:
            places.setdefault(key, []).append(place)
    return places
