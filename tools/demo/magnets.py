"""The magnets of the demo: made up, so that nobody has what they name."""

from dataclasses import dataclass
import hashlib

from tests.support.harness.world import announced_at


@dataclass(frozen=True)
class Magnet:
    """One made-up torrent."""

    name: str

    @property
    def info_hash(self) -> str:
        """Return a hash that belongs to no torrent."""
        text = f"qBittorrent Resilient demo: {self.name}"
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    @property
    def link(self) -> str:
        """Return the link; its tracker is in the demo's own world, at an address of nobody."""
        return f"magnet:?xt=urn:btih:{self.info_hash}&dn={self.name}{announced_at()}"


ONE, TWO, THREE, FOUR, FIVE, SIX = ALL = [
    Magnet(name) for name in ("one", "two", "three", "four", "five", "six")
]
MALFORMED = "magnet:?xt=urn:btih:this-is-no-hash&dn=malformed"


def names(hashes: set[str]) -> list[str]:
    """Return the names of what a server lists, in their order."""
    known = [magnet.name for magnet in ALL if magnet.info_hash in hashes]
    strangers = hashes - {magnet.info_hash for magnet in ALL}
    return known + sorted(f"?{stranger[:8]}" for stranger in strangers)
