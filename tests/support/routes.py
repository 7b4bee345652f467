"""Servers that say which addresses they have outside, without a server."""

from typing import Any

from custom_components.qbittorrent_resilient.core.health.home import HomeAddresses
from custom_components.qbittorrent_resilient.core.health.route import RouteMonitor
from custom_components.qbittorrent_resilient.core.health.route_record import RouteRecord
from custom_components.qbittorrent_resilient.core.qbittorrent import Binding, Vitals
from custom_components.qbittorrent_resilient.core.qbittorrent.log import ExternalAddress
from custom_components.qbittorrent_resilient.core.qbittorrent.network import Interface
from tests.support.core import Time

HOME, HOME_V6 = "203.0.113.5", "2001:db8::5"
TUNNEL, EXIT = "198.51.100.7", "198.51.100.99"


def vitals(*addresses: tuple[int, str], **fields: Any) -> Vitals:
    """Return what a look brings: messages with addresses, and more."""
    known: dict[str, Any] = {"from_the_beginning": False, "log_began": (3, 100.0)}
    told = tuple(ExternalAddress(number, address) for number, address in addresses)
    return Vitals("connected", (), **(known | {"addresses": told} | fields))


def binding(interface: str = "", *, names: tuple[str, ...] = (), **fields: Any) -> Binding:
    """Return how a server is bound, by default with a home line and a tunnel."""
    known: dict[str, Any] = {
        "network_interface": interface,
        "interface_address": "",
        "listen_port": 6881,
        "port_mapping": False,
        "proxy_type": "None",
        "proxies_peers": False,
        "proxies_torrents": True,
        "interfaces": tuple(Interface(one, one) for one in names or ("lo", "eth0", "tun0")),
    }
    return Binding(**(known | fields))


class Route:
    """A route in time that passes only when told to, and the home that it must not show."""

    def __init__(
        self, time: Time, *home: str, exit_address: str | None = None, gluetun: bool = False
    ) -> None:
        self.time = time
        self.home = HomeAddresses(time.clock)
        self.home.tell("router", home)
        self.exit_address = exit_address
        self._gluetun = gluetun or exit_address is not None
        self.monitor = self.begin()

    def begin(self, record: RouteRecord | None = None) -> RouteMonitor:
        """Begin with what is stored, as after a restart of Home Assistant."""
        self.monitor = RouteMonitor(
            self.home,
            self.time.clock,
            exit_address=(lambda: self.exit_address) if self._gluetun else None,
            record=record,
        )
        return self.monitor

    def look(self, *addresses: tuple[int, str], bound: Binding | None = None, **more: Any) -> str:
        """Look once, and at the settings if they are given; return the verdict."""
        self.monitor.observe(vitals(*addresses, **more))
        if bound is not None:
            self.monitor.observe_binding(bound)
        self.monitor.settle()
        return self.monitor.state.value
