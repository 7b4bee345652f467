"""The parts: one Home Assistant that keeps its folder, and two real servers."""

import asyncio
from collections.abc import Sequence
import contextlib
from pathlib import Path
import random
import shutil
import time
from typing import Any

import aiohttp

from tests.support.harness.home_assistant import ROOT, HomeAssistant
from tests.support.harness.home_assistant_api import ApiError
from tests.support.harness.home_assistant_flow import FlowError
from tests.support.harness.process import StartError

from .books import Books, Look, link
from .disk import DOMAIN, Records, read_books
from .pair import Pair
from .witness import Witness

SCAN_INTERVAL = 10
_RENAMED = " renamed"
SETTLED_SECONDS = 90.0
"""Time for all that has to happen: polls, second looks, deliveries after a server's restart."""
OFF_THE_BOOKS_SECONDS = 150.0
_BALLAST = 150
"""Magnets that stay, so that there always is something to lose beside the journal."""
_FAILURES = (ApiError, FlowError, aiohttp.ClientError, OSError, TypeError, RuntimeError)
"""What a call meets when Home Assistant is killed, on its way down, or reloads the entry."""


class Stage:
    """What a round plays with."""

    def __init__(self, folder: Path, books: Books, components: Path | None = None) -> None:
        """Copy the integration, so that it stays the same, and prepare the parts."""
        copied = folder / "components"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(components or ROOT / "custom_components", copied, ignore=ignored)
        self.books = books
        self.kills = 0
        self.home_assistant = HomeAssistant(
            folder / "home-assistant", components=copied, log_level="debug"
        )
        self._storage = self.home_assistant.folder / ".storage"
        self._witness = Witness(self._storage, books)
        self.pair = Pair(folder, self._witness)
        self.ballast: set[str] = set()  # what may go nowhere, and so stays queued
        self._calls: set[asyncio.Task[None]] = set()

    async def set_up(self) -> None:
        """Start everything and set the integration up through its flows."""
        self.pair.start()
        await self.home_assistant.start()
        api = self.home_assistant.api
        flow = await api.config_flow(DOMAIN)
        await flow.expect("form", "user").watch()
        for number, server in enumerate(self.pair.both, 1):
            await flow.expect("form", "instance").submit(
                name=f"Server {number}",
                url=self.pair.address(server),
                username=server.username,
                password=server.password,
                priority=number,
            )
            flow.expect("menu", "more")
            await flow.choose("instance" if number == 1 else "finish")
        flow.expect("create_entry")
        (entry,) = await api.entries(DOMAIN)
        options = await api.options_flow(entry["entry_id"])
        await options.expect("form", "init").submit(scan_interval=SCAN_INTERVAL)
        options.expect("create_entry")
        # New config entries are saved late: in order once, before the first kill.
        await self.home_assistant.restart()

    async def take_ballast(self) -> None:
        """Queue some that may go nowhere, as they require a VPN."""
        if not self.ballast:
            self.ballast = set(keys := self.books.new(_BALLAST))
            await self.call("add_magnets", keys, require_vpn=True)

    async def end(self) -> None:
        """End it all."""
        await self.kill(count=False)
        self.pair.end()

    @property
    def is_up(self) -> bool:
        """Return whether Home Assistant runs."""
        return self.home_assistant.process.running

    def call(self, action: str, keys: Sequence[str] = (), **fields: Any) -> asyncio.Task[None]:
        """Call an action, and note what it accepts if an answer comes."""

        async def run() -> None:
            data = {"magnets": [link(key) for key in keys], **fields} if keys else fields
            try:
                answer = await self.home_assistant.api.call_service(DOMAIN, action, data)
            except _FAILURES:
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

    async def disturb(self, rng: random.Random) -> str:
        """Reload, disable and enable, or change the entry; return which, and how that went."""
        kind = rng.choice(("reload", "disable", "options", "instance"))
        try:
            await self._disturb(kind, rng)
        except _FAILURES as err:
            return f"{kind} refused ({err})"
        return kind

    async def _disturb(self, kind: str, rng: random.Random) -> None:
        api = self.home_assistant.api
        (entry,) = await api.entries(DOMAIN)
        key = entry["entry_id"]
        if kind == "reload":
            await api.post(f"/api/config/config_entries/entry/{key}/reload", {})
        elif kind == "disable":
            await api.command("config_entries/disable", entry_id=key, disabled_by="user")
            await self._enable()
        elif kind == "options":
            flow = await api.options_flow(key)
            interval = SCAN_INTERVAL + (int(flow.form["scan_interval"]) + 1) % 2
            (await flow.submit(scan_interval=interval)).expect("create_entry")
        else:
            subentries = await api.subentries(key)
            title = rng.choice(sorted(subentries))
            renamed = title.removesuffix(_RENAMED) if _RENAMED in title else title + _RENAMED
            flow = await api.subentry_flow(key, "instance", subentries[title])
            (await flow.submit(name=renamed)).expect("abort")

    async def _enable(self) -> None:
        """Enable the entry if it is disabled."""
        api = self.home_assistant.api
        (entry,) = await api.entries(DOMAIN)
        if entry["disabled_by"]:
            key = entry["entry_id"]
            await api.command("config_entries/disable", entry_id=key, disabled_by=None)

    async def start(self) -> None:
        """Start Home Assistant."""
        await self.home_assistant.start()
        await self._enable()

    def stored(self) -> Records:
        """Return the books as they are on disk."""
        return read_books(self._storage)

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
        return Look(queued, failed, self.pair.primary.hashes(), self.pair.secondary.hashes())

    def judge(self, look: Look) -> str:
        """Count what is wrong, and return it in words."""
        if self._witness.trouble is not None:
            msg = "the books on disk cannot be read"
            raise StartError(msg) from self._witness.trouble
        self.books.accept(self._witness.on_disk.copy())
        return self.books.judge(
            look, self.kills, early=self._witness.early, unnoted=self._witness.unnoted
        )

    async def settled(self) -> Look:
        """Wait until nothing waits and nothing is missing, or it has taken too long."""
        end = time.monotonic() + SETTLED_SECONDS
        while True:
            look = await self.look()
            waits = set(look.queued) - self.ballast or self.books.missing(look)
            done = not waits and await self._all_ok()
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
