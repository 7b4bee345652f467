"""A stand-in for a qBittorrent of the demo."""

from tests.support.fake import V4_5, V5_3, FakeQBittorrent
from tests.support.harness.qbittorrent import VERSIONS

from .tunnel import HOME_ADDRESS


class FakeServer:
    """A program that answers as qBittorrent does."""

    stand_in = True
    can_leak = True

    def __init__(self, name: str, version: str, password: str) -> None:
        """Prepare it."""
        self.name = name
        self.what = f"a stand-in that answers as qBittorrent {version} does"
        dialect = V5_3 if version == VERSIONS["forky"] else V4_5
        self._server = FakeQBittorrent(dialect, password=password)
        self._started = False
        self.username = self._server.settings.username

    @property
    def url(self) -> str:
        """Its address."""
        return self._server.url

    async def bind(self, *, to_vpn: bool) -> None:
        """Change what it is bound to; what it has is announced by the home line, too, or not."""
        self._server.network.bind("tun0" if to_vpn else "")
        if not to_vpn:
            self._server.network.detect(HOME_ADDRESS)

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
