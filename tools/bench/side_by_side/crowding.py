"""One add to a server that has many torrents already."""

from pathlib import Path

from tests.support.harness.qbittorrent import VERSIONS

from .figures import Part, Row, felt
from .one_add import OneAdd, beside_least
from .parts import Magnets, Raw, home_assistant, servers, set_up
from .scale import Scale
from .wire import Wire

LIMIT = 1.2
SUITE = "forky"


async def crowding(folder: Path, scale: Scale) -> list[Part]:
    """Give a server more and more torrents, and add one magnet now and then.

    The bare steps, which ask the same server for the same, show what of it is the server's own.
    """
    place = folder / "crowding"
    measured: dict[int, OneAdd] = {}
    magnets = Magnets(seed=9)
    async with servers(place, SUITE) as (server,), home_assistant(place) as home:
        await set_up(home, (server.url, server))
        async with Wire(home) as wire, Raw(server) as raw:
            there = 0
            for count in scale.crowds:
                await raw.fill(magnets, count - there)
                there = count
                measured[count] = OneAdd(wire, place / "scratch", magnets, [raw])
                await measured[count].measure(scale.singles)
    least = min(measured)
    rows = []
    for count, one in measured.items():
        beside = one.beside
        if count > least:
            few = measured[least].samples
            beside = [beside_least(f"with {least:,}", one.samples, few, LIMIT), *beside]
        what = f"with {count:,} torrents there"
        rows.append(Row(what, one.samples, beside, feels=felt("1 link", one.samples)))
    return [Part(f"One magnet for qBittorrent {VERSIONS[SUITE]} …", rows)]
