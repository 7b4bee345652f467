"""A stand-in for a qBittorrent of the demo."""

from tests.fake import V4_5, V5_3, FakeQBittorrent
from tests.harness.qbittorrent import VERSIONS

from .servers import PASSWORD


class FakeServer:
    """A program that answers as qBittorrent does."""

    stand_in = True

    def __init__(self, name: str, version: str) -> None:
        """Prepare it."""
        self.name = name
        self.what = f"a stand-in that answers as qBittorrent {version} does"
        dialect = V5_3 if version == VERSIONS["forky"] else V4_5
        self._server = FakeQBittorrent(dialect, password=PASSWORD)
        self._started = False
        self.username = self._server.settings.username

    @property
    def url(self) -> str:
        """Its address."""
        return self._server.url

    async def start(self) -> None:
        """Start it."""
        if self._started:
            await self._server.restart()
        else:
            await self._server.start()
        self._started = True

    async def stop(self) -> None:
        """Stop it, for now."""
        await self._server.refuse()

    async def end(self) -> None:
        """End it for good."""
        await self._server.stop()

    def hashes(self) -> set[str] | None:
        """Return what it lists, or None while it is down."""
        return self._server.hashes if self._server.is_listening else None
