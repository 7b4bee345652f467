"""A real qBittorrent in the home of a `World`: it talks to trackers and peers, as at a user's."""

from pathlib import Path
import shutil
from typing import Any

from .private_hosts import wrapper
from .qbittorrent import QBittorrent
from .qbittorrent_profile import parse_extra, write_profile
from .world import World
from .world_places import DEAD_TRACKERS, HOME, TRACKER, TUNNEL

# No proxy that swallows all; BitTorrent in the plain, by TCP, as the peer out there speaks it.
OPEN = {
    "Network/Proxy/Type": "None",
    "BitTorrent/Session/InterfaceAddress": "",
    "BitTorrent/Session/ProxyPeerConnections": "false",
    "BitTorrent/Session/BTProtocol": "TCP",
    "BitTorrent/Session/Encryption": "2",
    "BitTorrent/Session/QueueingSystemEnabled": "false",
}
SEVERAL_ADDRESSES = [f"several-addresses-{number}.test" for number in range(8)]
"""Names of which the client knows several addresses: that of the tracker and dead ones.

It tries them in an order that it draws, and keeps for a name.
"""
HOSTS = "127.0.0.1 localhost\n" + "".join(
    f"{address} {' '.join(SEVERAL_ADDRESSES)}\n" for address in (*DEAD_TRACKERS, TRACKER)
)
UNBOUND, TO_TUNNEL, TO_HOME_LINE = "", TUNNEL.name, HOME.name


class HomeClient(QBittorrent):
    """One server; its web interface is at loopback outside the home, too."""

    def __init__(
        self, world: World, folder: Path, suite: str, *, own_names: bool = True, **options: Any
    ) -> None:
        """Write its profile, bound to the tunnel; the options are those of QBittorrent.

        Without `own_names` it knows none of SEVERAL_ADDRESSES, and needs no right to mount.
        """
        hosts = folder / "hosts"
        folder.mkdir(parents=True, exist_ok=True)
        hosts.write_text(HOSTS, encoding="ascii")
        options["settings"] = OPEN | _bound_to(TO_TUNNEL)
        if own_names:
            options["wrapper"] = wrapper(hosts)
        super().__init__(folder, suite, netns=world.netns, **options)
        world.publish(self.port)

    def renew(self, interface: str = TO_TUNNEL, **settings: str) -> None:
        """Start it as a new process, bound to this interface (or to none), without a torrent.

        `settings` change its profile for good; a name has double underlines where a slash is meant.
        """
        self.kill()
        shutil.rmtree(self.profile / "qBittorrent" / "data" / "BT_backup", ignore_errors=True)
        more = {name.replace("__", "/"): value for name, value in settings.items()}
        write_profile(self.profile, parse_extra(OPEN | _bound_to(interface) | more))
        self.start()


def _bound_to(interface: str) -> dict[str, str]:
    return {
        "BitTorrent/Session/Interface": interface,
        "BitTorrent/Session/InterfaceName": interface,
    }
