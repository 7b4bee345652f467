"""A home with a line of its own and a tunnel, and the world at the far end of both.

The client's namespace has `eth0`, the home line, and `tun0`, the VPN; a default route leads into
each, the tunnel's first. In the world there are a tracker and a peer, which tell each client the
address that they see and note it: what they noted is what tests go by. Loopback outside reaches
a server in there by a published port. Nothing is left behind, even after SIGKILL.
"""

import json
from typing import Any

from .namespace_holder import NamespaceHolder
from .world_peer import PORT as PEER_PORT
from .world_places import HOME, TRACKER, TUNNEL
from .world_tracker import PORT as TRACKER_PORT, Announce

HOLDER = f"{__package__}.world_holder"


class World(NamespaceHolder):
    """The two namespaces and what is in them."""

    def __init__(self) -> None:
        """Build it, or raise UnavailableError where the kernel does not permit it."""
        super().__init__(HOLDER, wanted="a home with a VPN")

    def publish(self, port: int) -> None:
        """Let a port of loopback out here lead to the same port of loopback at the client's."""
        self._order("publish", port)

    def delete_tunnel(self) -> None:
        """Take the VPN's interface away, as its program does when it ends."""
        self._order("delete", TUNNEL.name)

    def make_tunnel(self) -> None:
        """Make the VPN's interface anew."""
        self._order("make", TUNNEL.name)

    def prefer_home_line(self) -> None:
        """Split the tunnel: what is not bound to it goes by the home line."""
        self._order("prefer", HOME.name)

    def reset(self) -> None:
        """Make everything as it was in the beginning; what was noted stays noted."""
        self._order("reset")

    def claim(self, **external: str) -> None:
        """Let the tracker tell clients that come by these lines (home, tunnel) other addresses.

        A line that is not named is told the truth.
        """
        lines = {"home": HOME, "tunnel": TUNNEL}
        self._order("claim", {lines[name].near[0]: told for name, told in external.items()})

    def map_ports(self, *, offered: bool) -> None:
        """Let the home's router take requests for port mappings, or take them no longer."""
        self._order("port mapping", offered)

    def heard(self, info_hash: str = "") -> list[Announce]:
        """Return what the tracker has noted so far, of one hash or of all."""
        return self._notes("heard", info_hash)

    def met(self, info_hash: str = "") -> list[Announce]:
        """Return what the peer has noted so far, of one hash or of all."""
        return self._notes("met", info_hash)

    def sources(self, info_hash: str) -> set[str]:
        """Return the addresses from which a hash was announced."""
        return {one.source for one in self.heard(info_hash)}

    def _notes(self, order: str, info_hash: str) -> list[Announce]:
        notes = [Announce(**one) for one in self._order(order)]
        return [one for one in notes if info_hash in ("", one.info_hash)]

    def _order(self, *words: Any) -> Any:
        """Have the holder do something, and return its answer when it is done."""
        return self._send(json.dumps(words))["answer"]


def announced_at(host: str = TRACKER) -> str:
    """Return the parameter of a magnet link that names the tracker."""
    shown = f"[{host}]" if ":" in host else host
    return f"&tr=http%3A%2F%2F{shown}%3A{TRACKER_PORT}%2Fannounce"


def shared_by(host: str) -> str:
    """Return the parameter of a magnet link that names the peer, at an address of the world."""
    return f"&x.pe={host}:{PEER_PORT}"
