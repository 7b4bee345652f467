"""The two real servers, and what can happen to them."""

import asyncio
from collections.abc import Collection
import contextlib
from pathlib import Path
import random
import time

from tests.support.harness.qbittorrent import QBittorrent

from .cable import Cable, Trap, Wiring, Witness
from .disk import saved

_SERVER_SECONDS = 1.1
"""A server tells its start by the second: two starts within one cannot be told apart."""
_STOP_SECONDS = 15.0


class Pair:
    """The first and the second in line, each at the end of a cable."""

    def __init__(self, folder: Path, witness: Witness) -> None:
        """Prepare them: the newest version that is tested, and the oldest."""
        self.primary = QBittorrent(folder / "primary", "forky")
        self.secondary = QBittorrent(folder / "secondary", "bookworm")
        self.both = (self.primary, self.secondary)
        self._wiring = Wiring()
        self._cables = {server.url: Cable(server.url, witness) for server in self.both}
        self._frozen = False
        self._started: dict[str, float] = {}

    def end(self) -> None:
        """End both."""
        for server in self.both:
            server.kill()
            self.cut(server)
        self._wiring.end()

    def address(self, server: QBittorrent) -> str:
        """Return the URL at which Home Assistant reaches a server."""
        return self._cables[server.url].url

    @property
    def is_down(self) -> bool:
        """Return whether one of them is dead, hangs or cannot be reached."""
        if self._frozen or any(cable.is_cut for cable in self._cables.values()):
            return True
        return not all(server.running for server in self.both)

    def freeze_primary(self) -> None:
        """Let the first server hang until the servers are started again."""
        self._frozen = True
        self.primary.freeze()

    def start(self) -> None:
        """Have both servers up, awake and within reach."""
        self._frozen = False
        for server in self.both:
            if server.running:
                server.thaw()
            else:
                since = time.monotonic() - self._started.get(server.url, 0.0)
                time.sleep(max(0.0, _SERVER_SECONDS - since))
                server.start()
                self._started[server.url] = time.monotonic()
            self.mend(server)

    def take_down(self, server: QBittorrent, rng: random.Random) -> str:
        """Kill or stop a server; return which."""
        how = rng.choice(("kill", "stop", "shutdown"))
        if how == "shutdown":
            with contextlib.suppress(OSError):
                server.client.call("app/shutdown", {})
            server.process.wait(_STOP_SECONDS)
        if how == "stop":
            server.stop(_STOP_SECONDS)
        server.kill()
        self.cut(server)
        return how

    def cut(self, server: QBittorrent) -> None:
        """Put a server out of reach, whether it runs or not, until the servers are started."""
        self._wiring.do(self._cables[server.url].cut())

    def mend(self, server: QBittorrent) -> None:
        """Bring a server that runs within reach again."""
        self._wiring.do(self._cables[server.url].__aenter__())

    def is_away(self, server: QBittorrent) -> bool:
        """Return whether a server cannot be reached."""
        return self._cables[server.url].is_cut

    def lay_trap(self, server: QBittorrent, *, freezes: bool = False) -> Trap:
        """Keep the answer to the next add back; or freeze the first server before the add."""
        trap = Trap(self.freeze_primary if freezes else None)
        self._cables[server.url].trap = trap
        return trap

    async def sprung(self, trap: Trap, seconds: float = 10.0) -> bool:
        """Wait until a trap has caught an add, though not for ever; tell whether it has."""
        end = time.monotonic() + seconds
        while not trap.sprung.done() and time.monotonic() < end:
            await asyncio.sleep(0.001)
        for cable in self._cables.values():
            cable.trap = None
        return trap.sprung.done()

    async def saved(self, server: QBittorrent, keys: Collection[str], seconds: float = 8.0) -> None:
        """Wait until a server has saved some of these, though not for ever."""
        end = time.monotonic() + seconds
        while not saved(server.profile, keys) and time.monotonic() < end:
            await asyncio.sleep(0.02)

    def forget_some(self, server: QBittorrent, keys: Collection[str], rng: random.Random) -> int:
        """Let a dead server lose some that it has just been given; return how many.

        As if it had not yet saved them.
        """
        files = saved(server.profile, keys)
        lost = rng.sample(files, rng.randint(len(files) // 2, len(files)))
        for path in lost:
            path.unlink()
        return len(keys) - len(files) + len(lost)
