"""Starting: how long set-up takes, by Home Assistant's own account of it."""

from pathlib import Path

from tests.support.harness.home_assistant import DOMAIN, HomeAssistant

from .figures import Beside, Part, Row, at_most, milliseconds
from .parts import Magnets, home_assistant, servers, set_up, set_up_core
from .scale import Scale
from .wire import Wire

LIMIT = 0.5
ALL_UP, FROZEN = "all up", "one frozen"


async def starting(folder: Path, scale: Scale) -> list[Part]:
    """Restart Home Assistant: all servers up, one frozen, and with a long queue."""
    if not scale.starts:
        return []
    place = folder / "starting"
    queued = f"{scale.many:,} magnets queued"
    taken: dict[tuple[str, str], list[float]] = {}
    async with servers(place, "forky", "trixie") as (first, second), home_assistant(place) as home:

        async def restart(what: str, times: int) -> None:
            for _ in range(times):
                await home.restart()
                for domain, seconds in (await accounts(home)).items():
                    taken.setdefault((what, domain), []).append(seconds)

        await set_up(home, (first.url, first), (second.url, second))
        first.freeze()
        await restart(FROZEN, scale.starts)
        first.thaw()
        for server in (first, second):
            login = {"username": server.username, "password": server.password}
            await set_up_core(home, "qbittorrent", url=server.url, **login)
        await restart(ALL_UP, scale.starts)
        if scale.frozen_start_of_core:
            first.freeze()
            await restart(FROZEN, 1)
        first.kill()
        second.kill()
        async with Wire(home) as wire:
            await wire.call(DOMAIN, "check_health")
            links = list(Magnets(seed=6).new(scale.many).values())
            await wire.call(DOMAIN, "add_magnets", {"magnets": links})
        await restart(queued, scale.starts)
    rows = []
    usual = milliseconds(taken[ALL_UP, DOMAIN])
    for what in (ALL_UP, FROZEN, queued):
        ours = milliseconds(taken[what, DOMAIN])
        core = taken.get((what, "qbittorrent"))
        beside = [] if core is None else [Beside("core's qbittorrent", milliseconds(core))]
        goal = at_most(ours.median, 1000 * LIMIT, f"≤ {LIMIT:g} s")
        if what == FROZEN:
            goal = at_most(ours.median - usual.median, 50, "nothing more")
        rows.append(Row(what, ours, beside, goal))
    return [Part("Set-up at the start of Home Assistant, with 2 servers", rows)]


async def accounts(home: HomeAssistant) -> dict[str, float]:
    """Return how many seconds Home Assistant says each of the two took."""
    found = await home.api.command("integration/setup_info")
    return {
        one["domain"]: one["seconds"] for one in found if one["domain"] in (DOMAIN, "qbittorrent")
    }
