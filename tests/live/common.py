"""What the live tests share: set-up through the flows, and looks into a real server."""

import asyncio
from collections.abc import Callable
import json
import time
from typing import Any

from homeassistant.core import HomeAssistant

from tests.support import flow
from tests.support.actions import Response, call
from tests.support.flow import Fields, Result
from tests.support.harness.qbittorrent import QBittorrent


def fields(server: QBittorrent, name: str = "First", **changes: Any) -> Fields:
    """Return what a user enters for a real server; the rest stays as the form proposes it."""
    known = {"name": name, "url": server.url}
    if server.auth == "password":
        known |= {"username": server.username, "password": server.password}
    elif server.auth == "api_key":
        known |= {"api_key": server.api_key}
    return known | changes


async def set_up(
    hass: HomeAssistant, *instances: Fields, targets: tuple[str, ...] = (), patient: bool = True
) -> Result:
    """Set the integration up with these instances, through its flow; return the entry.

    Waits until each is connected, unless told not to be `patient`.
    """
    result = await flow.begin(hass, targets)
    for number, entered in enumerate(instances):
        if number:
            result = await flow.choose(hass, result, "instance")
        result = await flow.submit(hass, result, entered)
        assert result["step_id"] == "more", result.get("errors")
    result = await flow.finish(hass, result)
    if patient:
        await connected(hass)
    return result["result"]


async def health(hass: HomeAssistant) -> Response:
    """Have everything checked now; return the status of each instance by its name."""
    checked = await call(hass, "check_health")
    instances: Response = checked["instances"]
    return instances


async def until_health(
    hass: HomeAssistant, condition: Callable[[Response], object], seconds: float = 40
) -> None:
    """Check until the statuses, by the names of the instances, are so."""
    end = time.monotonic() + seconds
    while not condition(statuses := await health(hass)):
        assert time.monotonic() < end, f"checked in vain: {statuses}"
        await asyncio.sleep(0.2)


async def connected(hass: HomeAssistant) -> None:
    """Wait until no instance calls itself disconnected; 5.1.0 does so for 1.5 s after its start."""
    await until_health(hass, lambda statuses: "disconnected" not in statuses.values())


async def until(condition: Callable[[], object], seconds: float = 40) -> None:
    """Wait until something is so; slower than `eventually`, as a real server has to be asked."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.1)


async def delivered(hass: HomeAssistant, seconds: float = 40) -> None:
    """Wait until the queue is empty; none of it may have failed."""
    end = time.monotonic() + seconds
    while (books := await call(hass, "get_queue"))["queued"]:
        assert time.monotonic() < end, "still queued"
        await asyncio.sleep(0.1)
    assert books == {"queued": [], "failed": []}


def configure(server: QBittorrent, **preferences: object) -> None:
    """Change preferences of a running server."""
    server.client.call("app/setPreferences", {"json": json.dumps(preferences)})


def clear(server: QBittorrent) -> None:
    """Delete all torrents of a server."""
    server.client.call("torrents/delete", {"hashes": "all", "deleteFiles": "false"})
    end = time.monotonic() + 30
    while server.torrents():
        assert time.monotonic() < end, "torrents cannot be deleted"
        time.sleep(0.02)


def log(server: QBittorrent) -> list[str]:
    """Return the messages of the server's own log."""
    return [str(entry["message"]) for entry in server.client.json("log/main")]


def log_ins(server: QBittorrent) -> tuple[int, int]:
    """Return how many log-ins succeeded and failed since the server's start, by its own log.

    One of those that succeeded is that of the test itself.
    """
    messages = [message.lower() for message in log(server)]
    return (
        sum("login success" in message for message in messages),
        sum("login failure" in message for message in messages),
    )
