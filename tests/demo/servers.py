"""The two qBittorrent servers of the demo: real ones, or stand-ins where there are none."""

from pathlib import Path
from typing import Protocol

from tests.harness.process import UnavailableError
from tests.harness.qbittorrent import VERSIONS, QBittorrent, binary

PASSWORD = "correct horse"


class Server(Protocol):
    """What the demo needs of a server, real or not."""

    name: str
    what: str
    stand_in: bool
    username: str

    @property
    def url(self) -> str:
        """Its address."""
        ...

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
    """A real qBittorrent of its own, on loopback."""

    stand_in = False

    def __init__(self, name: str, folder: Path, suite: str) -> None:
        """Prepare its profile."""
        self.name = name
        self.what = f"qBittorrent {VERSIONS[suite]} of Debian {suite}"
        self._server = QBittorrent(folder, suite, password=PASSWORD)
        self.username, self.url = self._server.username, self._server.url

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


def make_servers(folder: Path) -> tuple[Server, Server, str]:
    """Return primary, secondary and, where they are stand-ins, the reason."""
    suites, reason = [], ""
    for suite in VERSIONS:
        try:
            binary(suite)
            suites.append(suite)
        except UnavailableError as err:
            reason = str(err)
    if not suites:
        from .fake_server import FakeServer  # not needed where there are real ones

        primary = FakeServer("Primary", VERSIONS["forky"])
        return primary, FakeServer("Secondary", VERSIONS["bookworm"]), reason
    real = RealServer("Primary", folder / "primary", suites[-1])
    return real, RealServer("Secondary", folder / "secondary", suites[0]), ""
