"""How a server is bound to the network, as its settings and its list of interfaces tell.

The settings hold passwords and keys in the clear: a few fields are kept, and nothing of the answer
is part of an error.
"""

from dataclasses import dataclass, field
from typing import Any

from .dialect import Answer, json_of
from .errors import ProtocolError

PREFERENCES = "app/preferences"
INTERFACES = "app/networkInterfaceList"
_ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104
_SOCKS = frozenset({"SOCKS4", "SOCKS5", "2", "4", "5"})
"""The types of SOCKS proxies; 4.5 has numbers for them (4 is SOCKS5 with a password)."""
_TUNNELS = (
    *("tun", "tap", "wg", "utun", "ppp", "nordlynx", "proton", "mullvad", "vpn", "ipsec"),
    *("wintun", "wireguard", "openvpn"),
)
_WINDOWS_TUNNELS = ("wintun", "tap", "wireguard", "openvpn")
_LOOPBACK = ("lo", "lo0", "loopback")
_MOST_INTERFACES = 200
_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface with an address: the name that is shown, and the one it is bound by."""

    name: str
    value: str

    @property
    def is_loopback(self) -> bool:
        """Tell whether it leads nowhere."""
        return self.value.lower() in _LOOPBACK or "loopback" in self.name.lower()

    @property
    def is_tunnel(self) -> bool:
        """Tell whether its name is one that VPNs have."""
        names = (self.name.lower(), self.value.lower())
        if any(name.startswith(_TUNNELS) for name in names):
            return True
        return any(tunnel in name for tunnel in _WINDOWS_TUNNELS for name in names)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a server's torrents may use: seven of its settings, and the interfaces it has.

    `network_interface` is "" for any, `interface_address` "" for all of them; `listen_port` is 0
    for a random one. `proxy_type` is a name, or up to 4.5 a number, as text.
    """

    network_interface: str
    interface_address: str = field(repr=False)
    listen_port: int
    port_mapping: bool
    proxy_type: str
    proxies_peers: bool
    proxies_torrents: bool
    interfaces: tuple[Interface, ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Return what it is bound to: interface and address."""
        return self.network_interface, self.interface_address

    @property
    def is_bound(self) -> bool:
        """Tell whether it is bound to an interface or to an address."""
        return self.network_interface != "" or self.interface_address not in _ANY_ADDRESS

    @property
    def lacks_its_interface(self) -> bool:
        """Tell whether it is bound to an interface that is not there."""
        names = {name for one in self.interfaces for name in (one.name, one.value)}
        return self.network_interface != "" and self.network_interface not in names

    @property
    def has_one_way(self) -> bool:
        """Tell whether there is a single interface beside the loopback."""
        return sum(not one.is_loopback for one in self.interfaces) == 1

    @property
    def has_tunnel_and_other(self) -> bool:
        """Tell whether there is a VPN's interface, and another one that torrents could take."""
        outside = [one.is_tunnel for one in self.interfaces if not one.is_loopback]
        return any(outside) and not all(outside)

    @property
    def hides_trackers_only(self) -> bool:
        """Tell whether a SOCKS proxy is asked for trackers, but peers see past it."""
        return self.proxies_torrents and self.proxy_type in _SOCKS and not self.proxies_peers

    @property
    def is_open_to_peers(self) -> bool:
        """Tell whether that is so, and what it is bound to, if it is, is not the VPN's either."""
        bound = self.network_interface
        if not bound:
            return self.hides_trackers_only and not self.is_bound
        known = [one for one in self.interfaces if bound in (one.name, one.value)]
        is_tunnel = any(one.is_tunnel for one in known or [Interface(bound, bound)])
        return self.hides_trackers_only and not is_tunnel


def read_binding(preferences: Answer, interfaces: Answer) -> Binding:
    """Return how a server is bound; raises ProtocolError."""
    values = json_of(preferences, dict)
    rows = json_of(interfaces, list)
    try:
        return Binding(
            network_interface=_text(values["current_network_interface"]),
            interface_address=_text(values["current_interface_address"]),
            listen_port=int(values.get("listen_port", 0)),
            port_mapping=values.get("upnp") is True,
            proxy_type=_text(str(values.get("proxy_type", "None"))),
            proxies_peers=values.get("proxy_peer_connections") is True,
            proxies_torrents=values.get("proxy_bittorrent", True) is True,
            interfaces=tuple(_interface(row) for row in rows[:_MOST_INTERFACES]),
        )
    except LookupError, TypeError, ValueError, OverflowError, AttributeError:
        pass
    raise ProtocolError("the settings have another form")


def _interface(row: dict[str, Any]) -> Interface:
    return Interface(_text(row["name"]), _text(row["value"]))


def _text(value: Any) -> str:
    """Return a text of a length that names of interfaces have; raises ValueError."""
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        raise ValueError("no name")
    return value
