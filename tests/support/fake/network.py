"""How a server is bound, and what it believes of its addresses outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from .journal import CRITICAL, INFO, NORMAL

if TYPE_CHECKING:
    from .server import FakeQBittorrent

PROXY_NUMBERS = {"None": 0, "HTTP": 1, "SOCKS5": 2, "SOCKS4": 5}
"""What 4.5 says in place of the name of a proxy's type."""
_SETTINGS = {
    "current_network_interface": "interface",
    "current_interface_address": "address",
    "listen_port": "listen_port",
    "upnp": "upnp",
    "proxy_type": "proxy_type",
    "proxy_peer_connections": "proxy_peer_connections",
}
_SECRETS = ("proxy_password", "mail_notification_password", "dyndns_password")


@dataclass(slots=True)
class Network:
    """Tests may change it at any time; `proxy_type` is the name that 5.x has for it.

    `secret` is what stands in the fields that the preferences tell in the clear. `external` are the
    addresses in transfer/info, by IP version; they end with the process.
    """

    server: FakeQBittorrent
    interface: str = "lo"
    address: str = "127.0.0.1"
    interfaces: list[str] = field(default_factory=lambda: ["lo", "eth0", "tun0"])
    listen_port: int = 6881
    upnp: bool = False
    proxy_type: str = "None"
    proxy_peer_connections: bool = False
    proxy_bittorrent: bool = True
    secret: str = ""
    external: dict[int, str] = field(default_factory=dict)

    def preferences(self) -> dict[str, Any]:
        """Return the part of the preferences that is about the network, secrets included."""
        values: dict[str, Any] = {
            name: getattr(self, attribute) for name, attribute in _SETTINGS.items()
        }
        values |= dict.fromkeys(_SECRETS, self.secret)
        values |= {"proxy_ip": "0.0.0.0", "proxy_port": 8080}
        if self.server.dialect.numbers_proxies:
            values["proxy_type"] = PROXY_NUMBERS[self.proxy_type]
            return values | {"proxy_torrents_only": False}
        return values | {
            "current_interface_name": self.interface,
            "proxy_bittorrent": self.proxy_bittorrent,
        }

    def change(self, values: Mapping[str, Any]) -> bool:
        """Take over what setPreferences brings; tell whether it has to listen anew."""
        before = self.interface, self.address, self.listen_port
        for name, attribute in _SETTINGS.items():
            if name in values:
                setattr(self, attribute, values[name])
        return before != (self.interface, self.address, self.listen_port)

    def detect(self, address: str) -> int:
        """Learn an address outside; return the id of the message."""
        if self.server.dialect.external_address:
            self.external[ip_address(address).version] = address
        return self.server.log(f'Detected external IP. IP: "{address}"', INFO)

    def bind(self, interface: str, address: str = "") -> None:
        """Change the binding, as the user does in the Web UI; empty for any interface."""
        self.interface, self.address = interface, address
        self.listen()

    def listen(self) -> None:
        """Listen anew, as after a change of the binding."""
        log, place = self.server.log, self.address or self.interface or "0.0.0.0"
        places = f'"{place}:{self.listen_port}"'
        log(f"Trying to listen on the following list of IP addresses: {places}", NORMAL)
        if self.interface and self.interface not in self.interfaces:
            self._complain()
            return
        for protocol in ("TCP", "UTP"):
            port = f'Port: "{protocol}/{self.listen_port}"'
            log(f'Successfully listening on IP. IP: "192.0.2.99". {port}', INFO)

    def lose(self, interface: str) -> None:
        """Delete a network interface; a server that is bound to it says so in its own way."""
        self.interfaces = [one for one in self.interfaces if one != interface]
        if self.interface != interface:
            return
        if self.server.dialect.tells_lost_interface:
            self.server.connection_status = "disconnected"
        else:
            self._complain()

    def _complain(self) -> None:
        name = f'Interface: "{self.interface}"'
        self.server.log(f"The configured network interface is invalid. {name}", CRITICAL)
