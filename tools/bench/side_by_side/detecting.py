"""Outages, in real time: how soon they are seen, and their end, beside core's own integrations."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import random
import time

from tests.support.harness.home_assistant import DOMAIN
from tests.support.harness.qbittorrent import QBittorrent
from tests.support.harness.vpn import Vpn

from .figures import Beside, Part, Row, Samples, at_most
from .parts import Magnets, healthy, home_assistant, servers, set_up, set_up_core
from .scale import Scale
from .wire import Wire

SCAN_INTERVAL = 30
"""Our default, and that of core's ping and qbittorrent, which cannot be changed there."""
LIMIT = SCAN_INTERVAL + 10
VPN, SERVER = "binary_sensor.qbittorrent_resilient_vpn", "binary_sensor.server_1"

type Times = dict[str, list[float]]


async def detecting(folder: Path, scale: Scale) -> list[Part]:
    """Take link and server down together and up again, some times, at moments of any kind."""
    place = folder / "detecting"
    times: Times = {}
    with Vpn() as vpn:
        async with servers(place, "forky") as (server,), home_assistant(place) as home:
            # Ours has the server's twin: one that is not behind the VPN shows its own outage.
            await set_up(home, (server.url, server))
            (entry,) = await home.api.entries(DOMAIN)
            flow = await home.api.config_flow(DOMAIN, entry["entry_id"])
            await flow.watch(vpn.target)
            await set_up_core(home, "ping", host=vpn.target)
            await set_up_core(
                home,
                "qbittorrent",
                url=server.url,
                username=server.username,
                password=server.password,
            )
            async with Wire(home) as wire:
                await healthy(wire, vpn=True)
                pinged, transfers = await _of_core(wire)
                watched = {
                    "vpn": (VPN, "off"),
                    "server": (SERVER, "off"),
                    "ping": (pinged, "off"),
                    "core": (transfers, "unavailable"),
                }
                dice = random.Random(4)
                for _ in range(scale.outages):
                    await asyncio.sleep(dice.uniform(1, SCAN_INTERVAL))
                    await _outage(wire, vpn, server, watched, times)
                failed = [await _failed_add(wire, server) for _ in range(max(scale.outages, 1))]
    seconds = {key: Samples(tuple(values), "s") for key, values in times.items()}
    goal = f"≤ {LIMIT} s"
    rows = [
        Row(
            what,
            seconds[f"{ours} {edge}"],
            [Beside(name, seconds[f"{core} {edge}"])],
            goal=at_most(max(seconds[f"{ours} {edge}"].values), LIMIT, goal),
        )
        for what, ours, edge, name, core in (
            ("VPN link down → its sensor off", "vpn", "down", "core's ping", "ping"),
            ("VPN link up → its sensor on", "vpn", "up", "core's ping", "ping"),
            ("server killed → its sensor off", "server", "down", "core's qbittorrent", "core"),
            ("server started → its sensor on", "server", "up", "core's qbittorrent", "core"),
        )
        if f"{ours} {edge}" in seconds
    ]
    rows.append(
        Row(
            "answer of an add that met a dead server → its sensor off",
            Samples(tuple(1000 * one for one in failed), "ms"),
            goal=at_most(max(failed), 0.1, "at once"),
        )
    )
    return [Part(f"Outages, checked every {SCAN_INTERVAL} s", rows)]


async def _of_core(wire: Wire) -> tuple[str, str]:
    """Return the entities of core's ping and of core's qbittorrent."""
    entries = await wire.command("config/entity_registry/list")
    ours = {one["entity_id"]: one["platform"] for one in entries}
    (pinged,) = [key for key, platform in ours.items() if platform == "ping" and "binary" in key]
    transfers = next(key for key, platform in ours.items() if platform == "qbittorrent")
    return pinged, transfers


async def _outage(
    wire: Wire,
    vpn: Vpn,
    server: QBittorrent,
    watched: dict[str, tuple[str, str]],
    times: Times,
) -> None:
    """Take both down, wait until all have seen it, and up again."""

    async def seen(edge: str, right: Callable[[str, str], bool], since: float) -> None:
        for key, (entity, down) in watched.items():
            at = await wire.changed_to(entity, lambda state, down=down: right(state, down), since)  # type: ignore[misc]
            times.setdefault(f"{key} {edge}", []).append(at - since)

    since = time.monotonic()
    vpn.down()
    server.kill()
    await seen("down", lambda state, down: state == down, since)
    server.start()
    vpn.up()
    since = time.monotonic()
    await seen("up", lambda state, down: state not in (down, "unknown"), since)
    await healthy(wire, vpn=True)


async def _failed_add(wire: Wire, server: QBittorrent) -> float:
    """Add to a server that is dead, which nobody knows; return how late the sensor was, in s."""
    server.kill()
    since = time.monotonic()
    links = list(Magnets(seed=5).new(1).values())
    response = await wire.call(DOMAIN, "add_magnets", {"magnets": links, "queue": False})
    answered = time.monotonic()
    assert response["failed"], response
    off = await wire.changed_to(SERVER, lambda state: state == "off", since)
    server.start()
    await healthy(wire, vpn=True)
    return max(off - answered, 0.0)
