"""Who has which address in a `World`: those kept for documentation, so that none is anybody's."""

from dataclasses import dataclass

LENGTHS = (24, 64)
"""Of the networks of a line: IPv4, then IPv6."""


@dataclass(frozen=True)
class Line:
    """A way from the client to the world; addresses of IPv4 first, then of IPv6 if it has any."""

    name: str
    """The interface at the client's end."""
    near: tuple[str, ...]
    far: tuple[str, ...]
    metric: int

    @property
    def far_name(self) -> str:
        """The interface at the world's end."""
        return f"far-{self.name}"


HOME = Line("eth0", ("203.0.113.5", "2001:db8:1::5"), ("203.0.113.1", "2001:db8:1::1"), 100)
TUNNEL = Line("tun0", ("198.51.100.7",), ("198.51.100.1",), 50)
PREFERRED = 10
"""The metric of a line that all takes that is not told otherwise."""
LINES = (HOME, TUNNEL)
BY_NAME = {line.name: line for line in LINES}

TRACKER, TRACKER_IPV6 = "192.0.2.10", "2001:db8:2::10"
DEAD_TRACKERS = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
"""Hosts of the world that refuse every connection."""
PROXY = "192.0.2.20"
"""A host of the world that is a SOCKS proxy."""
PROXY_OUTSIDE = "198.51.100.80"
"""The address from which that proxy connects."""
OTHER_EXIT = "198.51.100.99"
"""Where a VPN may end as well, as the tracker claims on demand."""
OF_THE_WORLD = (
    f"{TRACKER_IPV6}/128",
    *(f"{address}/32" for address in (TRACKER, *DEAD_TRACKERS, PROXY, PROXY_OUTSIDE)),
)
