"""The parts: servers, and Home Assistants with this integration or others, all of them real."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
import os
from pathlib import Path
import random
import shutil
from typing import Self

import aiohttp

from tests.support.harness.home_assistant import DOMAIN, ROOT, HomeAssistant
from tests.support.harness.home_sensor import make_home_sensor
from tests.support.harness.qbittorrent import QBittorrent

from .wire import Wire

HERE = Path(__file__).parent
TRACKERS = "".join(f"&tr=udp%3A%2F%2Ftracker{one}.example%3A6969%2Fannounce" for one in range(3))
FILL = 1000
"""How many torrents a server is given at a time that is to have many."""
QUEUED = "sensor.qbittorrent_resilient_queued_magnets"


class Magnets:
    """Makes magnet links of usual length, all alike but for their hashes: 281 bytes each."""

    def __init__(self, seed: int) -> None:
        """Make the same ones for the same seed."""
        self._dice = random.Random(seed)

    def new(self, count: int) -> dict[str, str]:
        """Return so many links that nobody has seen, by info-hash."""
        hashes = [f"{self._dice.getrandbits(160):040x}" for _ in range(count)]
        name = "A.name.of+usual+length+with+a+year+and+the+like"
        return {one: f"magnet:?xt=urn:btih:{one}&dn={name}+{one[:8]}{TRACKERS}" for one in hashes}


class Raw:
    """The bare wire to a server: what is asked is sent, and nothing else."""

    def __init__(self, server: QBittorrent) -> None:
        """Talk to this server; use it as `async with`."""
        self._server = server
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        """Log in."""
        await self.log_in()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Hang up."""
        await self._session.close()

    async def log_in(self) -> None:
        """Open a session, anew after a restart."""
        form = {"username": self._server.username, "password": self._server.password}
        await self.post("auth/login", form)

    async def post(self, path: str, form: dict[str, str]) -> bytes:
        """Post a form and return the answer."""
        url = f"{self._server.url}/api/v2/{path}"
        async with self._session.post(url, data=form) as response:
            body = await response.read()
        if not response.ok:
            raise RuntimeError(f"{path}: {response.status} {body[:200].decode()}")
        return body

    async def add(self, links: Sequence[str]) -> None:
        """Post links in one request."""
        stopped = {"stopped": "true", "paused": "true"}
        await self.post("torrents/add", {"urls": "\n".join(links)} | stopped)

    async def listed(self, hashes: Sequence[str]) -> int:
        """Return how many of these are listed; each is an object in the JSON that comes."""
        answer = await self.post("torrents/info", {"hashes": "|".join(hashes)})
        return answer.count(b'"magnet_uri"')

    async def add_and_look(self, magnets: Mapping[str, str]) -> None:
        """Post links in one request, and look until all are listed."""
        await self.add(list(magnets.values()))
        while await self.listed(list(magnets)) < len(magnets):
            pass

    async def look(self, hashes: Sequence[str]) -> None:
        """Look twice for what is there: by these hashes, and at the torrents with a v2 hash."""
        await self.listed(hashes)
        await self.post("torrents/info", {"sort": "infohash_v2", "reverse": "true", "limit": "200"})

    async def fill(self, magnets: Magnets, count: int) -> None:
        """Have so many more torrents on the server."""
        for start in range(0, count, FILL):
            await self.add_and_look(magnets.new(min(FILL, count - start)))

    async def clear(self) -> None:
        """Remove all torrents, also those that are yet to come, and let the server come to rest."""
        async with asyncio.timeout(30):
            left = b""
            while left != b"[]":
                await self.post("torrents/delete", {"hashes": "all", "deleteFiles": "false"})
                await asyncio.sleep(0.2)
                left = await self.post("torrents/info", {"limit": "1"})


async def bare_steps(
    wire: Wire, servers: Sequence[Raw], magnets: Mapping[str, str], scratch: Path
) -> None:
    """Do what has to be done to add magnets to the first server, without any of our code.

    That is an action that does nothing; a synced write, and two looks at each server meanwhile; one
    POST, and a look until all are listed.
    """
    await wire.call(DOMAIN, "get_queue")
    text = "".join(magnets.values()).encode()
    looks = [server.look(list(magnets)) for server in servers]
    await asyncio.gather(asyncio.to_thread(_write_synced, scratch, text), *looks)
    await servers[0].add_and_look(magnets)


def _write_synced(file: Path, text: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())


def start_server(folder: Path, suite: str) -> QBittorrent:
    """Start a sealed server that takes any name for its own, as it is asked through counters."""
    settings = {"Preferences/WebUI/HostHeaderValidation": "false"}
    server = QBittorrent(folder, suite, settings=settings)
    server.start()
    return server


@asynccontextmanager
async def servers(folder: Path, *suites: str) -> AsyncIterator[list[QBittorrent]]:
    """Give one server of each suite; the same may be asked for more than once."""
    started: list[QBittorrent] = []
    try:
        for number, suite in enumerate(suites):
            started.append(start_server(folder / f"qbittorrent-{number}", suite))
        yield started
    finally:
        for server in started:
            server.kill()


@asynccontextmanager
async def home_assistant(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Give a running Home Assistant with the integration at hand, not set up, and the probe."""
    components = folder / "components"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "custom_components", components, ignore=ignored)
    probe = components / "bench_probe"
    shutil.copytree(HERE / "probe" / "bench_probe", probe, ignore=ignored)
    shutil.copy(HERE.parent / "watch.py", probe)
    home = HomeAssistant(folder / "home", components=components)
    configuration = home.folder / "configuration.yaml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(f"{text}bench_probe:\n", encoding="utf-8")
    try:
        await home.start()
        yield home
    finally:
        await home.kill()


async def set_up(
    home: HomeAssistant,
    *addresses: tuple[str, QBittorrent],
    target: str = "",
    gluetun: str = "",
    scan_interval: int = 30,
) -> None:
    """Set this integration up with servers at these URLs; the first requires a VPN there may be.

    If that has a `gluetun`, at this URL, the home's own address is known as well.
    """
    flow = await home.api.config_flow(DOMAIN)
    flow.expect("form", "user")
    if gluetun:
        sensor = await make_home_sensor(home.api)
        await flow.submit(vpn_targets=[], home_address=[sensor])
    else:
        await flow.watch(*filter(None, [target]))
    for number, (url, server) in enumerate(addresses, 1):
        is_guarded = number == 1 and bool(target or gluetun)
        section = flow.expect("form", "instance").form["gluetun"]
        await flow.submit(
            name=f"Server {number}",
            url=url,
            username=server.username,
            password=server.password,
            requires_vpn=is_guarded,
            priority=number,
            defaults={"stopped": "stop"},
            gluetun=section | ({"gluetun_url": gluetun} if is_guarded else {}),
        )
        flow.expect("menu", "more")
        await flow.choose("finish" if number == len(addresses) else "instance")
    flow.expect("create_entry")
    if scan_interval != 30:
        (entry,) = await home.api.entries(DOMAIN)
        options = await home.api.options_flow(entry["entry_id"])
        await options.expect("form", "init").submit(scan_interval=scan_interval)
    async with asyncio.timeout(30):  # changed options load it anew
        while (await home.api.entries(DOMAIN))[0]["state"] != "loaded":
            await asyncio.sleep(0.05)


async def set_up_core(home: HomeAssistant, domain: str, **fields: object) -> str:
    """Set an integration of Home Assistant's own up, and return the id of its entry."""
    flow = await home.api.config_flow(domain)
    await flow.expect("form", "user").submit(**fields)
    flow.expect("create_entry")
    return str(flow.result["result"]["entry_id"])


async def healthy(wire: Wire, *, vpn: bool = False, seconds: float = 60) -> None:
    """Wait until every server is ok, and the VPN up where there is one."""
    async with asyncio.timeout(seconds):
        while True:
            health = await wire.call(DOMAIN, "check_health")
            up = health["vpn"] == "on" or not vpn
            if up and set(health["instances"].values()) == {"ok"}:
                return
            await asyncio.sleep(0.2)
