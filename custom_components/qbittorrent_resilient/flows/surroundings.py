"""What a VPN target must not be, or had better not be: this host, its gateway, a public address."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
import struct

import ifaddr

type Address = IPv4Address | IPv6Address

PROC = Path("/proc/net")
_ROUTE_GATEWAY = 0x2
"""Flag of a route by a gateway (RTF_GATEWAY in linux/route.h)."""
_TUNNELS = ("tun", "tap", "wg")
"""How the interfaces of a VPN are called: the gateway behind one answers through the VPN only."""

_OPERATORS = {
    "AdGuard": "94.140.14.14 94.140.15.15 2a10:50c0::ad1:ff 2a10:50c0::ad2:ff",
    "CleanBrowsing": "185.228.168.9 185.228.169.9",
    "Cloudflare": "1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3"
    " 2606:4700:4700::1111 2606:4700:4700::1001",
    "Control D": "76.76.2.0 76.76.10.0",
    "Google": "8.8.8.8 8.8.4.4 2001:4860:4860::8888 2001:4860:4860::8844",
    "Level 3": "4.2.2.1 4.2.2.2",
    "OpenDNS": "208.67.222.222 208.67.220.220 2620:119:35::35 2620:119:53::53",
    "Quad9": "9.9.9.9 9.9.9.10 9.9.9.11 149.112.112.112 149.112.112.10 149.112.112.11"
    " 2620:fe::fe 2620:fe::9",
}
PUBLIC_RESOLVERS = frozenset(
    ip_address(address) for addresses in _OPERATORS.values() for address in addresses.split()
)
"""Resolvers that anybody may ask, from everywhere; the addresses are as their operators say."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The addresses of this host, and the default gateways by which it reaches the internet."""

    own: frozenset[Address] = frozenset()
    gateways: frozenset[Address] = frozenset()

    def is_own(self, address: Address) -> bool:
        """Tell whether an address is this host's, so that it always answers."""
        plain = _plain(address)
        return plain.is_loopback or plain.is_unspecified or plain in self.own

    def is_gateway(self, address: Address) -> bool:
        """Tell whether an address is a default gateway."""
        return _plain(address) in self.gateways


def is_public_resolver(address: Address) -> bool:
    """Tell whether an address is a well-known resolver, which answers without the VPN, too."""
    return _plain(address) in PUBLIC_RESOLVERS


def look_around() -> Surroundings:
    """Return this host's surroundings as they are now; blocks for a moment."""
    own = {
        _plain(ip_address(ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip))
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    }
    gateways = {*_gateways_v4(_lines("route")), *_gateways_v6(_lines("ipv6_route"))}
    return Surroundings(frozenset(own), frozenset(gateways))


def _plain(address: Address) -> Address:
    """Return an address without its interface, and as IPv4 if it is one in the dress of IPv6."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _lines(name: str) -> list[str]:
    """Return the lines of one of the kernel's tables, none where it has none."""
    try:
        return (PROC / name).read_text(encoding="ascii").splitlines()
    except OSError, UnicodeError:
        return []


def _gateways_v4(lines: Iterable[str]) -> Iterable[Address]:
    """Yield the default gateways: hexadecimal, in the byte order of this host."""
    for line in lines:
        match line.split():
            case [name, "00000000", gateway, flags, _, _, _, "00000000", *_] if _leads_out(
                name, flags
            ):
                yield IPv4Address(struct.pack("=I", int(gateway, 16)))


def _gateways_v6(lines: Iterable[str]) -> Iterable[Address]:
    """Yield the default gateways: hexadecimal, the length of the prefix after each address."""
    for line in lines:
        match line.split():
            case [destination, "00", _, _, gateway, _, _, _, flags, name] if _leads_out(
                name, flags
            ) and not int(destination, 16):
                yield IPv6Address(int(gateway, 16))


def _leads_out(interface: str, flags: str) -> bool:
    return bool(int(flags, 16) & _ROUTE_GATEWAY) and not interface.startswith(_TUNNELS)
