"""Which addresses a link may lead to.

Whoever writes a link into a feed has Home Assistant connect to where it leads. So nothing is asked
that only answers hosts beside it (a router's link-local pages, the metadata service of a cloud
host), and what comes from outside leads nowhere inside. A link of the user's own may: indexers and
their proxies run at home.
"""

from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
import re
from socket import inet_aton

_METADATA = frozenset(
    map(
        ip_address,
        (
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure
            "192.0.0.192",  # Oracle
            "fd00:ec2::254",  # Amazon
            "fd20:ce::254",  # Google
        ),
    )
)
"""Metadata services that are not link-local, as 169.254.169.254 is."""
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})
_NUMERIC = re.compile(r"[0-9a-fx.]{1,60}")
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("::/96"), ip_network("::ffff:0:0:0/96"))
"""In these an IPv6 address ends with the IPv4 address that is meant."""


class Reach(Enum):
    """From where an address can be reached."""

    OUTSIDE = auto()
    INSIDE = auto()
    """This host, or its networks."""
    NEVER = auto()
    """Nothing of a user's answers there."""


def reach_of(host: str) -> Reach | None:
    """Return from where an IP address can be reached; None for a name, unless it is known."""
    name = host.rstrip(".").lower()
    if name in _METADATA_NAMES:
        return Reach.NEVER
    if name == "localhost" or name.endswith(".localhost"):
        return Reach.INSIDE
    address = _address(name.partition("%")[0])
    return None if address is None else _of_address(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is, if it is one.

    Whoever looks names up, as a proxy does, takes one number, and hexadecimal and octal ones, too.
    """
    try:
        return ip_address(text)
    except ValueError:
        pass
    if _NUMERIC.fullmatch(text) is None:
        return None
    try:
        return IPv4Address(inet_aton(text))
    except OSError:
        return None


def _of_address(address: IPv4Address | IPv6Address) -> Reach:
    for meant in (address, *_meant(address)):
        if meant in _METADATA or meant.is_link_local or meant.is_multicast:
            return Reach.NEVER
    innermost = (*_meant(address), address)[0]
    return Reach.OUTSIDE if innermost.is_global else Reach.INSIDE


def _meant(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return ()
    if (mapped := address.ipv4_mapped or address.sixtofour) is not None:
        return (mapped,)
    if address.teredo is not None:
        return (address.teredo[1],)
    if int(address) > 1 and any(_is_in(address, network) for network in _TRANSLATED):
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()


def _is_in(address: IPv6Address, network: object) -> bool:
    return isinstance(network, IPv6Network) and address in network
