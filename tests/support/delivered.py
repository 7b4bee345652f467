"""What servers read in the links that they were handed: hash, name, and every tracker."""

from tests.support.fake import magnets
from tests.support.fake.server import FakeQBittorrent

type Torrent = tuple[str, str, tuple[str, ...]]


def torrent(link: str) -> Torrent:
    """Return what a server reads in a link."""
    magnet = magnets.parse(link, strict_hex=True)
    assert magnet is not None
    return magnet.v1 or magnet.v2, magnet.name, magnet.trackers


def delivered(server: FakeQBittorrent) -> set[Torrent]:
    """Return all torrents that a server was handed."""
    adds = server.requests_to("torrents/add")
    return {torrent(source) for one in adds for source in one.magnets}
