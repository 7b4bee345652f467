"""A server that is back: how soon the queue is delivered, and how fast."""

import asyncio
from pathlib import Path
import time

from tests.support.harness.home_assistant import DOMAIN
from tests.support.harness.qbittorrent import VERSIONS

from .counter import Counter
from .figures import Beside, Part, Row, at_most, milliseconds
from .parts import QUEUED, Magnets, Raw, healthy, home_assistant, servers, set_up
from .scale import Scale
from .wire import Wire

SENSOR = "binary_sensor.server_1"


async def waking(folder: Path, scale: Scale) -> list[Part]:
    """Pull the cable to a server, queue magnets, plug it in, and see what happens.

    The server runs on, as what it lost in a restart would be delivered again, too.
    """
    rows = []
    count = max(scale.adds)
    for suite in scale.suites:
        place = folder / f"waking-{suite}"
        async with (
            servers(place, suite) as (server,),
            Counter(server.url) as cable,
            home_assistant(place) as home,
        ):
            await set_up(home, (cable.url, server))
            async with Wire(home) as wire, Raw(server) as raw:
                await healthy(wire)
                stage = _Stage(wire, cable, raw, count)
                for _ in range(scale.drains):
                    await stage.call()
                    await stage.drain()
        version = VERSIONS[suite]
        drained, plain = milliseconds(stage.drained), milliseconds(stage.called)
        goal = at_most(drained.median / plain.median, 1.5, "≤ 1.5 ×")
        rows += [
            Row(
                f"sensor on → first queued magnet listed by {version}",
                milliseconds(stage.first),
                goal=at_most(max(stage.first), 1, "≤ 1 s"),
            ),
            Row(
                f"sensor on → all {count:,} delivered to {version}",
                drained,
                [Beside("as many in a call", plain, goal)],
            ),
        ]
    return [Part("A server is back, and magnets are queued", rows)]


class _Stage:
    """Delivers magnets in a call and from the queue; keeps the seconds of each time."""

    def __init__(self, wire: Wire, cable: Counter, raw: Raw, count: int) -> None:
        self._wire, self._cable, self._raw, self._count = wire, cable, raw, count
        self._magnets = Magnets(seed=2)
        self.called: list[float] = []
        self.first: list[float] = []
        self.drained: list[float] = []

    async def call(self) -> None:
        """Deliver in a call."""
        links = list(self._magnets.new(self._count).values())
        begun = time.monotonic()
        response = await self._wire.call(DOMAIN, "add_magnets", {"magnets": links})
        self.called.append(time.monotonic() - begun)
        assert len(response["added"]) == self._count, response
        await self._raw.clear()

    async def drain(self) -> None:
        """Queue as many, and have them delivered."""
        self._cable.pull()
        await self._wire.call(DOMAIN, "check_health")
        given = self._magnets.new(self._count)
        links = {"magnets": list(given.values())}
        response = await self._wire.call(DOMAIN, "add_magnets", links)
        assert len(response["queued"]) == self._count, response
        await self._wire.changed_to(QUEUED, lambda state: state == str(self._count), 0)
        self._cable.plug_in()
        since = time.monotonic()
        checking = asyncio.create_task(self._wire.call(DOMAIN, "check_health"))
        turned_on = await self._wire.changed_to(SENSOR, lambda state: state == "on", since)
        seen = await self._first_listed()
        emptied = await self._wire.changed_to(QUEUED, lambda state: state == "0", since)
        await checking
        self.first.append(max(seen - turned_on, 0.0))
        self.drained.append(emptied - turned_on)
        assert await self._raw.listed(list(given)) == self._count
        await self._raw.clear()

    async def _first_listed(self) -> float:
        """Wait for the first torrent; return when it was seen, in steady time."""
        async with asyncio.timeout(30):
            while await self._raw.post("torrents/info", {"limit": "1"}) == b"[]":
                await asyncio.sleep(0.005)
        return time.monotonic()
