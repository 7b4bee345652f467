"""Idling: what Home Assistant takes with and without this, and what a server is asked meanwhile."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
import sys

from tests.support.gluetun import FakeGluetun
from tests.support.harness.home_assistant import HomeAssistant
from tests.support.harness.process import Process
from tests.support.harness.qbittorrent import QBittorrent
from tests.support.harness.vpn import Vpn
from tests.support.harness.world_places import TUNNEL

from .counter import Counter
from .figures import Beside, Part, Row, Samples, at_most
from .machine import cpu_seconds, memory, wake_ups
from .parts import Magnets, Raw, home_assistant, servers, set_up, set_up_core
from .scale import Scale
from .wire import Wire

BASELINES = 2
"""Home Assistants without this integration: two, as no two are alike."""
WARM_UP_SECONDS = 45.0
"""Home Assistant goes on with this and that after its start."""
TORRENTS = 100
"""What the server that is asked lists."""
CHECK_SECONDS = 30
CPU_PERCENT = 0.1
"""How much of a core idling with 2 servers may take."""
CPU_NOISE = 0.02
"""What cannot be told from nothing."""
GUARDED = "2 servers, route and gluetun"


@dataclass
class _Life:
    """One process that idles."""

    home: HomeAssistant
    wire: Wire
    cpu: float = 0.0
    """Percent of a core."""
    memory: list[float] = field(default_factory=list)
    """MB, now and then."""
    held: float = 0.0
    """How long the event loop was held at most, in ms."""
    wake_ups: float = 0.0
    """An hour, of all its threads."""


async def idling(folder: Path, scale: Scale) -> list[Part]:
    """Let them all idle side by side, so that they have the same machine and the same time."""
    place = folder / "idling"
    most = max(scale.idle_instances)
    async with AsyncExitStack() as stack:
        vpn = stack.enter_context(Vpn())
        counters = {
            key: await stack.enter_async_context(Counter("http://127.0.0.1:1"))
            for key in ("ours", "core", "poller", "guarded", "gluetun")
        }
        gluetun = await stack.enter_async_context(FakeGluetun())
        gluetun.public_ip = TUNNEL.near[0]
        started = await stack.enter_async_context(servers(place, *["trixie"] * most))
        busy = started[0]
        for counter in counters.values():
            counter.point_to(busy.url)
        counters["gluetun"].point_to(gluetun.url)
        async with Raw(busy) as raw:
            await raw.add(list(Magnets(seed=7).new(TORRENTS).values()))
        homes: dict[str, HomeAssistant] = {}
        names = [f"none {number}" for number in range(BASELINES)]
        names += [str(count) for count in scale.idle_instances] + [GUARDED, "core"]
        for name in names:
            homes[name] = await stack.enter_async_context(home_assistant(place / name))
        for count in scale.idle_instances:
            some = [(one.url, one) for one in started[:count]]
            if count == min(scale.idle_instances):
                some[0] = (counters["ours"].url, busy)
            await set_up(homes[str(count)], *some, target=vpn.target)
        others = [(one.url, one) for one in started[1:2]]
        guarded = (counters["guarded"].url, busy)
        await set_up(homes[GUARDED], guarded, *others, gluetun=counters["gluetun"].url)
        await _set_up_core(homes["core"], counters["core"], busy)
        poller = _poller(place, counters["poller"], busy)
        stack.callback(poller.kill)
        lives = {
            name: _Life(home, await stack.enter_async_context(Wire(home)))
            for name, home in homes.items()
        }
        await asyncio.sleep(min(WARM_UP_SECONDS, 2 * scale.idle_seconds))
        await _idle(list(lives.values()), list(counters.values()), scale.idle_seconds)
        hour = 3600 / scale.idle_seconds
        return [_cost(lives, scale), _asked(counters, hour, scale)]


async def _set_up_core(home: HomeAssistant, counter: Counter, server: QBittorrent) -> None:
    login = {"username": server.username, "password": server.password}
    await set_up_core(home, "qbittorrent", url=counter.url, **login)


def _poller(folder: Path, counter: Counter, server: QBittorrent) -> Process:
    """Start a script that asks for the main data as often as we check, as dashboards do."""
    code = (
        "import qbittorrentapi, time\n"
        f"client = qbittorrentapi.Client({counter.url!r}, username={server.username!r},"
        f" password={server.password!r})\n"
        "while True:\n"
        f"    client.sync_maindata(); time.sleep({CHECK_SECONDS})\n"
    )
    return Process([sys.executable, "-c", code], folder / "poller.log")


async def _idle(lives: Sequence[_Life], counters: Sequence[Counter], seconds: float) -> None:
    """Let time pass, and note what it takes."""
    for life in lives:
        await life.wire.command("bench_probe/look")
        life.cpu, life.wake_ups = -cpu_seconds(life.home), -wake_ups(life.home)
    for counter in counters:
        counter.forget()
    for _ in range(10):
        await asyncio.sleep(seconds / 10)
        for life in lives:
            life.memory.append(memory(life.home))
    for life in lives:
        life.cpu = 100 * (life.cpu + cpu_seconds(life.home)) / seconds
        life.wake_ups = 3600 * (life.wake_ups + wake_ups(life.home)) / seconds
        life.held = 1000 * (await life.wire.command("bench_probe/look"))["held"]


def _cost(lives: dict[str, _Life], scale: Scale) -> Part:
    """Return the rows of CPU, memory, lag and wake-ups."""
    none = [life for name, life in lives.items() if name.startswith("none")]
    counts = {f"{count} servers": count for count in scale.idle_instances}
    ours = {what: lives[str(count)] for what, count in counts.items()} | {GUARDED: lives[GUARDED]}
    cpu = Samples(tuple(life.cpu for life in none), "%")
    taken = Samples(tuple(one for life in none for one in life.memory), "MB")
    held = Samples(tuple(life.held for life in none), "ms")
    woken = median(life.wake_ups for life in none)  # mostly by the probe
    few, least = min(counts, key=counts.__getitem__), min(counts.values())
    rows = []
    for what, life in ours.items():
        more = life.cpu - cpu.median
        goal = at_most(more, CPU_PERCENT, f"≤ {CPU_PERCENT:g} % more")
        if (count := counts.get(what, least)) > least:
            per_instance = max(ours[few].cpu - cpu.median, CPU_NOISE) / least
            goal = at_most(more, 1.5 * per_instance * count, "grows linearly")
        beside = [Beside("without", cpu)]
        rows.append(Row(f"CPU of a core, {what}", Samples((life.cpu,), "%"), beside, goal))
    for what, life in ours.items():
        samples = Samples(tuple(life.memory), "MB")
        small = at_most(samples.median - taken.median, 5, "≤ 5 MB more")
        beside = [Beside("without", taken)]
        rows.append(Row(f"memory, {what}", samples, beside, small if what == few else None))
    for what, life in ours.items():
        goal = at_most(life.held, 50, "≤ 50 ms")
        name = f"event loop held at most, {what}"
        rows.append(Row(name, Samples((life.held,), "ms"), [Beside("without", held)], goal))
    for what, life in ours.items():
        more_woken = Samples((max(life.wake_ups - woken, 0.0),), "")
        rows.append(Row(f"wake-ups an hour more than without, {what}", more_woken))
    minutes = scale.idle_seconds / 60
    return Part(f"Idle for {minutes:.0f} min, with a VPN target" if minutes >= 1 else "Idle", rows)


def _asked(counters: dict[str, Counter], hour: float, scale: Scale) -> Part:
    """Return the rows of what one server was asked, for an hour."""
    names = {"core": "core's qbittorrent", "poller": "qbittorrent-api, sync_maindata"}
    ours = counters["ours"]

    def row(what: str, attribute: str, unit: str, scale_by: float) -> Row:
        def samples(counter: Counter) -> Samples:
            value = getattr(counter, attribute)
            return Samples((value * scale_by,), unit)

        beside = [Beside(name, samples(counters[key])) for key, name in names.items()]
        return Row(what, samples(ours), beside)

    requests = row("requests", "requests", "", hour)
    checks = scale.idle_seconds // CHECK_SECONDS + 1  # at most
    goal = at_most(ours.requests, 2.1 * checks, "≤ 2.1 a check")
    both = counters["guarded"].requests + counters["gluetun"].requests
    guarded = Row(
        "requests, with route and gluetun, to both",
        Samples((both * hour,), ""),
        goal=at_most(both, 4.1 * checks, "≤ 4.1 a check"),
    )
    logins = row("logins", "log_ins", "", 1)
    measured = f"{scale.idle_seconds:.0f} s measured"
    return Part(
        f"One server with {TORRENTS} torrents in an idle hour ({measured})",
        [
            Row(requests.what, requests.ours, requests.beside, goal),
            guarded,
            Row(
                "logins while it was measured",
                logins.ours,
                logins.beside,
                at_most(ours.log_ins, 1, "1 a session"),
            ),
            row("sent to the server", "received", "kB", hour / 1000),
            row("answered by the server", "sent", "kB", hour / 1000),
        ],
    )
