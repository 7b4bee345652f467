"""Leaks, in real time: how soon a server that goes past its VPN is seen, and what a gluetun says.

Nothing that people use today looks for this in Home Assistant.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
import json
from operator import eq
from pathlib import Path
import random
import time

from tests.support.gluetun import FakeGluetun
from tests.support.harness.home_assistant import DOMAIN, HomeAssistant
from tests.support.harness.home_client import TO_TUNNEL, UNBOUND, HomeClient
from tests.support.harness.home_sensor import make_home_sensor
from tests.support.harness.world import World, announced_at
from tests.support.harness.world_places import HOME, TUNNEL

from .figures import Part, Row, Samples, at_most
from .parts import healthy, home_assistant
from .scale import Scale
from .wire import Wire

SUITE = "forky"
STATUS = "sensor.server_1_status"
SLACK_SECONDS = 10
"""What either may take beyond the time between two checks."""
MAGNET = f"magnet:?xt=urn:btih:{7:040x}&dn=leaking{announced_at()}"


@dataclass
class _Stage:
    """A server at home that requires the VPN, its gluetun, and who watches."""

    world: World
    server: HomeClient
    gluetun: FakeGluetun
    home: HomeAssistant
    dice: random.Random = field(default_factory=lambda: random.Random(6))

    async def scan_every(self, seconds: int) -> None:
        """Change the time between checks; the entry is loaded anew."""
        (entry,) = await self.home.api.entries(DOMAIN)
        options = await self.home.api.options_flow(entry["entry_id"])
        await options.expect("form", "init").submit(scan_interval=seconds)
        async with asyncio.timeout(30):
            while (await self.home.api.entries(DOMAIN))[0]["state"] != "loaded":
                await asyncio.sleep(0.05)

    def bind(self, interface: str) -> None:
        """Bind the server to an interface, or to none."""
        wanted = {"current_network_interface": interface}
        self.server.client.call("app/setPreferences", {"json": json.dumps(wanted)})

    async def leak(self) -> float:
        """Unbind the server; return when it knew its home address, in steady time."""
        known = self._times_told()
        self.bind(UNBOUND)
        async with asyncio.timeout(60):
            while self._times_told() == known:
                self.server.client.call("torrents/reannounce", {"hashes": "all"})
                await asyncio.sleep(0.1)
        return time.monotonic()

    async def mend(self) -> None:
        """Bind it to the tunnel."""
        self.bind(TO_TUNNEL)

    async def stop(self) -> float:
        """Have the gluetun say that it was stopped; return when."""
        self.gluetun.status, self.gluetun.public_ip = "stopped", ""
        return time.monotonic()

    async def go_on(self) -> None:
        """Undo stop."""
        self.gluetun.status, self.gluetun.public_ip = "running", TUNNEL.near[0]

    def _times_told(self) -> int:
        """Return how often the server was told its home address, by its log."""
        messages = [str(one["message"]) for one in self.server.client.json("log/main")]
        return sum("external IP" in one and HOME.near[0] in one for one in messages)


type _Fall = Callable[[_Stage], Awaitable[float]]
type _Rise = Callable[[_Stage], Awaitable[None]]

KINDS: dict[str, tuple[str, _Fall, _Rise]] = {
    "leaks, and knows its home address": ("leaking", _Stage.leak, _Stage.mend),
    "is behind a gluetun that was stopped": ("vpn_down", _Stage.stop, _Stage.go_on),
}


async def leaking(folder: Path, scale: Scale) -> list[Part]:
    """Let a server leak, and its gluetun stop, some times, at moments of any kind."""
    rows = []
    async with _stage(folder / "leaking") as stage, Wire(stage.home) as wire:
        for interval, times in scale.leaks.items():
            await stage.scan_every(interval)
            await healthy(wire)
            for what, (status, fall, rise) in KINDS.items():
                found = []
                for _ in range(times):
                    await asyncio.sleep(stage.dice.uniform(0, interval))
                    since = await fall(stage)
                    seen = await wire.changed_to(STATUS, partial(eq, status), since)
                    found.append(seen - since)
                    await rise(stage)
                    await healthy(wire)
                limit = interval + SLACK_SECONDS
                title = f"{what} → its status, checked every {interval} s"
                goal = at_most(max(found), limit, f"≤ {limit} s")
                rows.append(Row(title, Samples(tuple(found), "s"), goal=goal))
    return [Part("A server that requires the VPN …", rows)]


@asynccontextmanager
async def _stage(folder: Path) -> AsyncIterator[_Stage]:
    """Start everything, and set the integration up."""
    with World() as world:
        server = HomeClient(world, folder / "client", SUITE, own_names=False)
        try:
            server.start()
            server.client.call("torrents/add", {"urls": MAGNET})
            async with FakeGluetun() as gluetun, home_assistant(folder) as home:
                gluetun.public_ip = TUNNEL.near[0]
                stage = _Stage(world, server, gluetun, home)
                await _set_up(stage)
                yield stage
        finally:
            server.kill()


async def _set_up(stage: _Stage) -> None:
    """Set the integration up as a user does: no target, a gluetun, and the home's own address."""
    sensor = await make_home_sensor(stage.home.api)
    flow = await stage.home.api.config_flow(DOMAIN)
    await flow.expect("form", "user").submit(vpn_targets=[], home_address=[sensor])
    gluetun = flow.expect("form", "instance").form["gluetun"]
    await flow.submit(
        name="Server 1",
        url=stage.server.url,
        username=stage.server.username,
        password=stage.server.password,
        requires_vpn=True,
        gluetun=gluetun | {"gluetun_url": stage.gluetun.url},
    )
    await flow.expect("menu", "more").choose("finish")
    flow.expect("create_entry")
