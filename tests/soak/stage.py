"""The parts: one Home Assistant that keeps its folder, and two real servers."""

import asyncio
from collections.abc import Sequence
import contextlib
import json
from pathlib import Path
import random
import shutil
import time
from typing import Any

import aiohttp

from tests.harness.home_assistant import DOMAIN, ROOT, HomeAssistant
from tests.harness.home_assistant_api import ApiError
from tests.harness.process import StartError
from tests.harness.qbittorrent import QBittorrent

from .books import Books, Look, link

SCAN_INTERVAL = 10
SETTLED_SECONDS = 90.0
"""Time for all that has to happen: polls, second looks, deliveries after a server's restart."""
OFF_THE_BOOKS_SECONDS = 150.0
_SERVER_SECONDS = 1.1
"""A server tells its start by the second: two starts within one cannot be told apart."""


class Stage:
    """What a round plays with."""

    def __init__(self, folder: Path, books: Books) -> None:
        """Copy the integration, so that it stays the same, and prepare the parts."""
        components = folder / "components"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "custom_components", components, ignore=ignored)
        self.books = books
        self.kills = 0
        self.home_assistant = HomeAssistant(
            folder / "home-assistant", components=components, log_level="debug"
        )
        self.primary = QBittorrent(folder / "primary", "forky")
        self.secondary = QBittorrent(folder / "secondary", "bookworm")
        self.servers = (self.primary, self.secondary)
        self._frozen = False
        self._started: dict[str, float] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def set_up(self) -> None:
        """Start everything and set the integration up through its flows."""
        self.start_servers()
        await self.home_assistant.start()
        api = self.home_assistant.api
        flow = await api.config_flow(DOMAIN)
        await flow.expect("form", "user").submit(vpn_targets=[])
        for number, server in enumerate(self.servers, 1):
            await flow.expect("form", "instance").submit(
                name=f"Server {number}",
                url=server.url,
                username=server.username,
                password=server.password,
                priority=number,
            )
            flow.expect("menu", "more")
            await flow.choose("instance" if server is self.primary else "finish")
        flow.expect("create_entry")
        (entry,) = await api.entries(DOMAIN)
        options = await api.options_flow(entry["entry_id"])
        await options.expect("form", "init").submit(scan_interval=SCAN_INTERVAL)
        options.expect("create_entry")
        # New config entries are saved late: in order once, before the first kill.
        await self.home_assistant.restart()

    async def end(self) -> None:
        """End it all."""
        await self.kill(count=False)
        for server in self.servers:
            server.kill()

    @property
    def server_is_down(self) -> bool:
        """Return whether a server is dead or hangs."""
        return self._frozen or not all(server.running for server in self.servers)

    def freeze_primary(self) -> None:
        """Let the first server hang until the servers are started again."""
        self.primary.freeze()
        self._frozen = True

    def start_servers(self) -> None:
        """Have both servers up and awake."""
        self._frozen = False
        for server in self.servers:
            if server.running:
                server.thaw()
                continue
            since = time.monotonic() - self._started.get(server.url, 0.0)
            time.sleep(max(0.0, _SERVER_SECONDS - since))
            server.start()
            self._started[server.url] = time.monotonic()

    def take_down(self, server: QBittorrent, rng: random.Random) -> str:
        """Kill or stop a server; return which."""
        how = rng.choice(("kill", "stop"))
        if how == "kill":
            server.kill()
        else:
            server.stop()
        return how

    def call(self, action: str, keys: Sequence[str] = (), **fields: Any) -> asyncio.Task[None]:
        """Call an action, and note what it accepts if an answer comes."""

        async def run() -> None:
            data = {"magnets": [link(key) for key in keys], **fields} if keys else fields
            try:
                answer = await self.home_assistant.api.call_service(DOMAIN, action, data)
            except ApiError, aiohttp.ClientError, OSError, TypeError, RuntimeError:
                return  # killed, or on its way down
            lists = (answer.get(name, ()) for name in ("added", "queued", "failed"))
            self.books.accept([one["info_hash"] for some in lists for one in some])

        task = asyncio.create_task(run())
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    async def kill(self, *, count: bool = True) -> None:
        """End Home Assistant as a power cut does, and note what is on disk."""
        with contextlib.suppress(StartError):
            self.kills += count and self.home_assistant.process.running
            self.home_assistant.process.kill()
            self.books.accept(list(self.stored()))
        if self._calls:
            await asyncio.wait(self._calls, timeout=5)
        await self.home_assistant.kill()

    def stored(self) -> dict[str, dict[str, Any]]:
        """Return the books as they are on disk."""
        for path in (self.home_assistant.folder / ".storage").glob(f"{DOMAIN}.*"):
            if "corrupt" not in path.name:
                magnets: dict[str, dict[str, Any]] = json.loads(path.read_bytes())["data"][
                    "magnets"
                ]
                return magnets
        return {}

    async def noted(self, keys: Sequence[str], seconds: float = 2.0) -> None:
        """Wait until it is on disk where one of these is about to be sent, though not for ever."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stored = self.stored()
            if any(stored.get(key, {}).get("sent_to") for key in keys):
                return
            await asyncio.sleep(0.001)

    async def killed_starting(self, seconds: float) -> None:
        """Start Home Assistant and kill it some time after it has found the integration."""
        seen = self.log_size()
        starting = asyncio.create_task(self.home_assistant.start())
        while not starting.done() and DOMAIN.encode() not in self.log_since(seen):
            await asyncio.sleep(0.02)
        await asyncio.sleep(seconds)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await self.kill()

    def log_size(self) -> int:
        """Return how much is logged so far."""
        path = self.home_assistant.folder / "output.log"
        return path.stat().st_size if path.exists() else 0

    def log_since(self, size: int) -> bytes:
        """Return what was logged after that."""
        with (self.home_assistant.folder / "output.log").open("rb") as file:
            file.seek(size)
            return file.read()

    async def look(self) -> Look:
        """Look where everything is; the queue first, as magnets move from there to the servers."""
        queue = await self.home_assistant.api.call_service(DOMAIN, "get_queue")
        queued, failed = (
            {one["info_hash"] for one in queue[name]} for name in ("queued", "failed")
        )
        return Look(queued, failed, self.primary.hashes(), self.secondary.hashes())

    async def settled(self) -> Look:
        """Wait until nothing waits and nothing is missing, or it has taken too long."""
        end = time.monotonic() + SETTLED_SECONDS
        while True:
            look = await self.look()
            done = not (look.queued or self.books.missing(look)) and await self._all_ok()
            if done or time.monotonic() > end:
                return look
            await asyncio.sleep(0.2)

    async def _all_ok(self) -> bool:
        """Return whether Home Assistant knows that both servers are up."""
        health = await self.home_assistant.api.call_service(DOMAIN, "check_health")
        return set(health["instances"].values()) == {"ok"}

    async def off_the_books(self) -> None:
        """Wait until every delivery has had its time to be saved."""
        end = time.monotonic() + OFF_THE_BOOKS_SECONDS
        while any(one["stage"] == "settling" for one in self.stored().values()):
            if time.monotonic() > end:
                msg = "deliveries stay on the books for too long"
                raise StartError(msg)
            await asyncio.sleep(0.5)
