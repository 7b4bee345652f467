"""Failover inside one call: the first server refuses, loses its answer, or hangs."""

from pathlib import Path
import time

from custom_components.qbittorrent_resilient.core.qbittorrent.exchange import REQUEST_SECONDS
from tests.support.harness.home_assistant import DOMAIN
from tests.support.harness.qbittorrent import QBittorrent

from .counter import Counter
from .figures import Beside, Part, Row, Samples, at_most, milliseconds
from .parts import Magnets, Raw, healthy, home_assistant, servers, set_up
from .scale import Scale
from .wire import Wire

COUNT = 10


async def failing(folder: Path, scale: Scale) -> list[Part]:
    """Measure calls of 10 magnets, a healthy one beside each that is not."""
    place = folder / "failing"
    async with (
        servers(place, "forky", "trixie") as (primary, secondary),
        Counter(primary.url) as cable,
        home_assistant(place) as home,
    ):
        await set_up(home, (cable.url, primary), (secondary.url, secondary))
        async with Wire(home) as wire, Raw(secondary) as raw:
            stage = _Stage(wire, primary, cable, raw)
            plain, refused, lost = [], [], []
            for _ in range(scale.failovers):
                plain.append(await stage.add(COUNT, "Server 1"))
                primary.kill()
                refused.append(await stage.add(COUNT, "Server 2"))
                await stage.again()
                cable.cut_next_add = True
                lost.append(await stage.add(COUNT, "Server 1"))
                assert not cable.cut_next_add, "no answer was lost"
                await stage.again()
            frozen = {count: await stage.frozen(count) for count in scale.frozen}
    usual = milliseconds(plain)
    more = milliseconds(refused).median - usual.median
    rows = [
        Row("all is well", usual),
        Row(
            "the first refuses the connection",
            milliseconds(refused),
            [Beside("all is well", usual)],
            goal=at_most(more, 100, "≤ 100 ms more"),
        ),
        Row(
            "the answer to the add is lost, after it was stored",
            milliseconds(lost),
            [Beside("all is well", usual)],
        ),
    ]
    limit = Samples((REQUEST_SECONDS,), "s")
    for count, seconds in frozen.items():
        goal = at_most(seconds, REQUEST_SECONDS + 1, "once, not once a magnet")
        beside = [Beside("the time limit", limit, goal)]
        rows.append(Row(f"the first hangs, {count} magnets", Samples((seconds,), "s"), beside))
    return [Part("Failover in one call, of 10 magnets if nothing else is said", rows)]


class _Stage:
    """What is done to the two servers."""

    def __init__(self, wire: Wire, primary: QBittorrent, cable: Counter, raw: Raw) -> None:
        self._wire, self._primary, self._cable, self._raw = wire, primary, cable, raw
        self._magnets = Magnets(seed=3)

    async def add(self, count: int, instance: str) -> float:
        """Add new magnets, all of which have to end up there; return the seconds."""
        links = list(self._magnets.new(count).values())
        begun = time.perf_counter()
        response = await self._wire.call(DOMAIN, "add_magnets", {"magnets": links})
        seconds = time.perf_counter() - begun
        assert [one["instance"] for one in response["added"]] == [instance] * count, response
        return seconds

    async def frozen(self, count: int) -> float:
        """Add while the first server hangs."""
        self._primary.freeze()
        try:
            return await self.add(count, "Server 2")
        finally:
            self._primary.thaw()
            await self.again()

    async def again(self) -> None:
        """Have both servers up, and known to be."""
        if not self._primary.running:
            self._primary.start()
        await healthy(self._wire)
        await self._raw.clear()
