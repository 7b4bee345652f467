"""Adding: one whole call over the websocket, beside the bare wire and other ways to do it."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
import time

from tests.support.harness.home_assistant import DOMAIN
from tests.support.harness.qbittorrent import VERSIONS, QBittorrent
from tests.support.harness.transmission import Transmission

from .figures import Beside, Goal, Part, Row, at_most, felt, milliseconds
from .parts import Magnets, Raw, bare_steps, home_assistant, servers, set_up, set_up_core
from .scale import Scale
from .wire import Wire

type Way = Callable[[Mapping[str, str]], Awaitable[None]]

OURS, FLOOR = "ours", "one POST, looked up until listed"
STEPS = "our steps, bare"
NOTE = (
    "*Our steps, bare*: an action that does nothing, a synced write and at the same time two looks "
    "at what is there, one POST, and a look until all are listed. That much it takes to lose "
    "nothing and to add nothing twice; one POST without it is faster for a few magnets."
)
EACH, API = "one POST each, unconfirmed", "an action with qbittorrent-api, looked up until listed"
TRANSMISSION = "core's transmission.add_torrent, one by one"


async def adding(folder: Path, scale: Scale) -> list[Part]:
    """Measure each version."""
    parts = []
    for suite in scale.suites:
        place = folder / f"adding-{suite}"
        async with servers(place, suite) as (server,), home_assistant(place) as home:
            daemon = Transmission(place / "transmission")
            daemon.start()
            try:
                await set_up(home, (server.url, server))
                host = {"host": "127.0.0.1", "port": daemon.port}
                entry = await set_up_core(home, "transmission", **host)
                async with Wire(home) as wire, Raw(server) as raw:
                    times = await _add(wire, raw, server, entry, place / "scratch", scale)
            finally:
                daemon.kill()
        title = f"Adding magnets to qBittorrent {VERSIONS[suite]}"
        parts.append(Part(title, [_row(count, times) for count in scale.adds]))
    return parts


def _ways(wire: Wire, raw: Raw, server: QBittorrent, entry: str, scratch: Path) -> dict[str, Way]:
    """Return how to add magnets: links by info-hash."""
    login = {"url": server.url, "username": server.username, "password": server.password}

    async def ours(magnets: Mapping[str, str]) -> None:
        response = await wire.call(DOMAIN, "add_magnets", {"magnets": list(magnets.values())})
        assert len(response["added"]) == len(magnets), response

    async def floor(magnets: Mapping[str, str]) -> None:
        await raw.add_and_look(magnets)

    async def steps(magnets: Mapping[str, str]) -> None:
        await bare_steps(wire, [raw], magnets, scratch)

    async def each(magnets: Mapping[str, str]) -> None:
        for one in magnets.values():
            await raw.add([one])

    async def by_api(magnets: Mapping[str, str]) -> None:
        await wire.call("bench_probe", "add_by_api", {**login, "magnets": dict(magnets)})

    async def transmission(magnets: Mapping[str, str]) -> None:
        for one in magnets.values():
            data = {"entry_id": entry, "torrent": one}
            await wire.act("transmission", "add_torrent", data)

    return {
        OURS: ours,
        FLOOR: floor,
        STEPS: steps,
        EACH: each,
        API: by_api,
        TRANSMISSION: transmission,
    }


async def _add(
    wire: Wire, raw: Raw, server: QBittorrent, entry: str, scratch: Path, scale: Scale
) -> dict[tuple[int, str], list[float]]:
    """Return the seconds by count and way; each round begins with another way."""
    magnets = Magnets(seed=1)
    ways = _ways(wire, raw, server, entry, scratch)
    for way in ways.values():  # what is done once in a life is not measured
        await way(magnets.new(1))
        await raw.clear()
    times: dict[tuple[int, str], list[float]] = {}
    for count, rounds in scale.adds.items():
        for number in range(rounds):
            names = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
            for name in names:
                if name == TRANSMISSION and number >= scale.transmission.get(count, 0):
                    continue
                given = magnets.new(count)
                begun = time.perf_counter()
                await ways[name](given)
                times.setdefault((count, name), []).append(time.perf_counter() - begun)
                await raw.clear()
    return times


def _row(count: int, times: Mapping[tuple[int, str], list[float]]) -> Row:
    """Return a row with its goals."""
    ours = milliseconds(times[count, OURS])
    beside = []
    for name in (FLOOR, STEPS, EACH, API, TRANSMISSION):
        if (count, name) not in times:
            continue
        other = milliseconds(times[count, name])
        ratio = ours.median / other.median
        beside.append(Beside(name, other, _goal(count, name, ratio)))
    plural = "s" if count > 1 else ""
    feels = felt(f"{count:,} link{plural}", ours)
    return Row(f"{count:,} magnet{plural}", ours, beside, note=NOTE, feels=feels)


def _goal(count: int, name: str, ratio: float) -> Goal | None:
    if name == STEPS:
        return at_most(ratio, 1.15, "≤ 1.15 ×") if count <= 10 else None
    if name == FLOOR:
        limit = {100: 1.5, 1000: 1.25}.get(count)
        return None if limit is None else at_most(ratio, limit, f"≤ {limit:g} ×")
    if name == EACH and count >= 1000:
        return at_most(ratio, 1 / 2, "≥ 2 × faster")
    if name == TRANSMISSION and count >= 100:
        return at_most(ratio, 1 / 10, "≥ 10 × faster")
    return at_most(ratio, 1, "ahead")
