"""The two qBittorrent servers of the demo: real ones, or stand-ins where there are none."""

import asyncio
import json
from pathlib import Path
from typing import Protocol

from tests.support.harness.home_client import TO_TUNNEL, UNBOUND, HomeClient
from tests.support.harness.process import UnavailableError
from tests.support.harness.qbittorrent import VERSIONS, QBittorrent, binary
from tests.support.harness.world import World

PASSWORD = "correct horse"


class Server(Protocol):
    """What the demo needs of a server, real or not."""

    name: str
    what: str
    stand_in: bool
    username: str

    can_leak: bool
    """Whether it has a home line beside the VPN."""

    @property
    def url(self) -> str:
        """Its address."""
        ...

    async def bind(self, *, to_vpn: bool) -> None:
        """Let its torrents use the VPN only, or every line there is, as its user may set it."""

    async def start(self) -> None:
        """Start it, for the first time or again."""

    async def stop(self) -> None:
        """Stop it in order."""

    async def end(self) -> None:
        """End it for good."""

    def hashes(self) -> set[str] | None:
        """Return what it lists, or None while it is down."""
        ...


class RealServer:
    """A real qBittorrent of its own: on loopback, or in a home with a VPN and a line of its own."""

    stand_in = False

    def __init__(self, name: str, folder: Path, suite: str, world: World | None = None) -> None:
        """Prepare its profile."""
        self.name = name
        self.what = f"qBittorrent {VERSIONS[suite]} of Debian {suite}"
        self.can_leak = world is not None
        self._server = (
            HomeClient(world, folder, suite, own_names=False, password=PASSWORD)
            if world
            else QBittorrent(folder, suite, password=PASSWORD)
        )
        self.username, self.url = self._server.username, self._server.url

    async def bind(self, *, to_vpn: bool) -> None:
        """Change what it is bound to, and have it announce what it has to its trackers."""
        client = self._server.client
        wanted = {"current_network_interface": TO_TUNNEL if to_vpn else UNBOUND}
        client.call("app/setPreferences", {"json": json.dumps(wanted)})
        await asyncio.sleep(1)  # it listens anew
        client.call("torrents/reannounce", {"hashes": "all"})

    async def start(self) -> None:
        """Start it."""
        self._server.start()

    async def stop(self) -> None:
        """Stop it in order."""
        self._server.stop()

    async def end(self) -> None:
        """End it for good."""
        self._server.kill()

    def hashes(self) -> set[str] | None:
        """Return what it lists, or None while it is down."""
        return self._server.hashes() if self._server.running else None


def make_servers(folder: Path, world: World | None) -> tuple[Server, Server, str]:
    """Return primary, secondary and, where they are stand-ins, the reason.

    The primary lives in the world, if there is one.
    """
    suites, reason = [], ""
    for suite in VERSIONS:
        try:
            binary(suite)
            suites.append(suite)
        except UnavailableError as err:
            reason = str(err)
    if not suites:
        from .fake_server import FakeServer  # not needed where there are real ones

        primary = FakeServer("Primary", VERSIONS["forky"], PASSWORD)
        return primary, FakeServer("Secondary", VERSIONS["bookworm"], PASSWORD), reason
    real = RealServer("Primary", folder / "primary", suites[-1], world)
    return real, RealServer("Secondary", folder / "secondary", suites[0]), ""
