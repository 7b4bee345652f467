"""What the tests of the actions share: calls, and what servers and disk got."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from aiohttp import web
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.common import link, settled, work_once
from tests.support.fake import magnets
from tests.support.fake.answer import Answer
from tests.support.fake.record import Received, parse_form
from tests.support.fake.server import FakeQBittorrent

STORE = f"{DOMAIN}.hub"
"""The key of the stored queue, for an entry that `start` has set up."""

type Response = dict[str, Any]


async def call(hass: HomeAssistant, action: str, **data: Any) -> Response:
    """Call an action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert response is not None
    return dict(response)


async def call_silently(hass: HomeAssistant, action: str, **data: Any) -> None:
    """Call an action without asking for its response."""
    await hass.services.async_call(DOMAIN, action, data, blocking=True)


async def add(hass: HomeAssistant, *links: str, **data: Any) -> Response:
    """Call `add_magnets` with a list of links."""
    return await call(hass, "add_magnets", magnets=list(links), **data)


async def check(hass: HomeAssistant) -> None:
    """Have everything checked now."""
    await call(hass, "check_health")
    await settled(hass)


async def every_action(hass: HomeAssistant, number: int) -> None:
    """Call each action that has something to do with the server, four times."""
    for one in range(number, number + 4):
        await add(hass, link(one))
        await call(hass, "check_health")
        await call(hass, "retry_queue")
        await call(hass, "get_queue")
        await add(hass, link(one), queue=False)


async def work(entry: MockConfigEntry) -> None:
    """Let the worker do once what is due."""
    await work_once(entry.runtime_data.dispatcher)


async def again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Start the integration once more, as after a restart of Home Assistant."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


def hashes(entries: Iterable[Response]) -> list[str]:
    """Return the info-hashes of one list of a response."""
    return [one["info_hash"] for one in entries]


def sent(*servers: FakeQBittorrent) -> list[str]:
    """Return the v1 hash of each magnet that the servers were handed, in order of arrival."""
    adds = [one for server in servers for one in server.requests_to("torrents/add")]
    found = [
        magnets.parse(source, strict_hex=True)
        for one in sorted(adds, key=lambda one: one.time)
        for source in one.magnets
    ]
    return [magnet.v1 if magnet else "?" for magnet in found]


def add_forms(server: FakeQBittorrent) -> list[dict[str, str]]:
    """Return the forms of the adds that a server received."""
    return [one.form for one in server.requests_to("torrents/add")]


def on_request(server: FakeQBittorrent, look: Callable[[Received], Answer | None]) -> None:
    """Have each request looked at the moment before the server carries it out, or answered."""
    execute = server._wire._execute

    def looked_at(received: Received) -> Answer:
        received.form = parse_form(received.headers.get("Content-Type", ""), received.body) or {}
        return look(received) or execute(received)

    server._wire._execute = looked_at  # type: ignore[method-assign]


def fall_silent(server: FakeQBittorrent) -> None:
    """Have the server carry the next add out, and answer nothing any more from then on."""
    server.faults.cut("torrents/add", after=True, times=1)

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            server.faults.cut()

    on_request(server, look)


class Arrivals(list[Received]):
    """What a server has received; each request is looked at when its first bytes have come."""

    def __init__(self, server: FakeQBittorrent, look: Callable[[Received], object]) -> None:
        super().__init__(server.record.requests)
        server.record.requests = self
        self._look = look

    def append(self, received: Received) -> None:
        super().append(received)
        self._look(received)


def look_away(server: FakeQBittorrent) -> None:
    """End what `on_request` began."""
    del server._wire._execute


class AddsInFlight:
    """How many `torrents/add` the servers are busy with, and the most that were at a time."""

    def __init__(self, *servers: FakeQBittorrent) -> None:
        self.now = self.most = 0
        for server in servers:
            server._wire._serve = partial(self._count, server._wire._serve)  # type: ignore[method-assign]

    async def _count(
        self,
        serve: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        request: web.BaseRequest,
    ) -> web.StreamResponse:
        counts = request.path.endswith("torrents/add")
        self.now += counts
        self.most = max(self.most, self.now)
        try:
            return await serve(request)
        finally:
            self.now -= counts


def status_of(hass: HomeAssistant, name: str) -> str:
    """Return the state of an instance's status sensor."""
    state = hass.states.get(f"sensor.{name}_status")
    assert state is not None
    return state.state


def stored(hass_storage: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the stored records, by info-hash."""
    records: dict[str, dict[str, Any]] = hass_storage.get(STORE, {"data": {"magnets": {}}})["data"][
        "magnets"
    ]
    return records


async def queue(hass: HomeAssistant) -> Response:
    """Return the queue and the failed list."""
    return await call(hass, "get_queue")


def reasons(entries: Iterable[Response]) -> list[tuple[str | None, str, str]]:
    """Return hash, name and reason of each magnet or web link in one list of a response."""
    return [(one["info_hash"], one["name"], one["reason"]) for one in entries]
