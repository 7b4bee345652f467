"""Inside Home Assistant: how long its loop is held, what the queue writes, another way to add."""

import asyncio
import functools
import itertools
from typing import Any

from homeassistant.components import websocket_api
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .watch import LoopWatch  # type: ignore[import-not-found]  # tools/bench/watch.py, copied

DOMAIN = "bench_probe"
CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)
TICK_SECONDS = 0.02

_written = [0]
_kept: list[str] = []


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Begin."""
    watch = LoopWatch(TICK_SECONDS, look=False)
    watch.start()
    hass.data[DOMAIN] = watch
    for command in (_look, _count_writes, _keep, _add_kept):
        websocket_api.async_register_command(hass, command)
    clients: dict[str, Any] = {}

    async def add_by_api(call: ServiceCall) -> ServiceResponse:
        await hass.async_add_executor_job(functools.partial(_add_by_api, clients, **call.data))
        return {}

    hass.services.async_register(
        DOMAIN, "add_by_api", add_by_api, supports_response=SupportsResponse.OPTIONAL
    )
    return True


def _add_by_api(
    clients: dict[str, Any], url: str, username: str, password: str, magnets: dict[str, str]
) -> None:
    """Add with qbittorrent-api, logged in once, and look until all are listed."""
    from qbittorrentapi import Client

    if url not in clients:
        clients[url] = Client(url, username=username, password=password)
    clients[url].torrents_add(urls=list(magnets.values()), is_stopped=True)
    while len(clients[url].torrents_info(torrent_hashes=list(magnets))) < len(magnets):
        pass


@callback
@websocket_api.websocket_command({"type": "bench_probe/look"})
def _look(hass: HomeAssistant, connection: Any, message: dict[str, Any]) -> None:
    """Return what was seen since the last look."""
    watch = hass.data[DOMAIN]
    found = {"held": watch.held, "late": watch.late, "written": _written[0]}
    connection.send_result(message["id"], found | {"collected": watch.collected})
    watch.reset()
    _written[0] = 0


@callback
@websocket_api.websocket_command({"type": "bench_probe/count_writes"})
def _count_writes(hass: HomeAssistant, connection: Any, message: dict[str, Any]) -> None:
    """Count from now on the bytes of the stored queue: of its journal, and of its file."""
    from custom_components.qbittorrent_resilient.core.outbox.journal import Journal
    from custom_components.qbittorrent_resilient.storage.record_file import RecordFile

    append_line, save = Journal.append_line, RecordFile.save

    @functools.wraps(append_line)
    def counted_line(self: Journal, line: bytes) -> int:
        done = append_line(self, line)
        _written[0] += done
        return done

    @functools.wraps(save)
    async def counted_save(self: RecordFile, *args: Any) -> str:
        checksum = await save(self, *args)
        _written[0] += self.size or 0
        return checksum

    Journal.append_line = counted_line  # type: ignore[method-assign]
    RecordFile.save = counted_save  # type: ignore[assignment,method-assign]
    connection.send_result(message["id"])


@callback
@websocket_api.websocket_command({"type": "bench_probe/keep", "links": [str]})
def _keep(hass: HomeAssistant, connection: Any, message: dict[str, Any]) -> None:
    """Keep links until they are added."""
    _kept.extend(message["links"])
    connection.send_result(message["id"])


@websocket_api.websocket_command({"type": "bench_probe/add_kept", "calls": int})
@websocket_api.async_response
async def _add_kept(hass: HomeAssistant, connection: Any, message: dict[str, Any]) -> None:
    """Add what is kept, in so many calls at once; return how many were added."""

    async def add(links: list[str]) -> int:
        response: Any = await hass.services.async_call(
            "qbittorrent_resilient",
            "add_magnets",
            {"magnets": links},
            blocking=True,
            return_response=True,
        )
        return len(response["added"])

    each = len(_kept) // message["calls"]
    calls = [add(list(links)) for links in itertools.batched(_kept, each, strict=False)]
    added = await asyncio.gather(*calls)
    connection.send_result(message["id"], {"added": sum(added)})
