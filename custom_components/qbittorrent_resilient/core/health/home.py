"""The addresses that this home has outside: what nobody may see of a torrent behind a VPN.

Several sources tell them, such as a router's sensor. An address that a source tells no more counts
for another day: a client may have been seen with it before. They are in memory only.
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from ..clock import Clock
from ..listeners import Listeners

REMEMBERED_SECONDS = 86_400.0
_MOST_REMEMBERED = 1000
_PREFIX_BITS = 64
"""Of an IPv6 address, these belong to the home; the rest changes from host to host and by day."""
_NOT_OUTSIDE = tuple(
    ip_network(block)
    for block in (
        # private, shared (CGNAT), loopback, link-local, multicast, reserved; not those for
        # documentation, as tests use them in place of real ones
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"),
        *("::/127", "fc00::/7", "fe80::/9", "ff00::/8"),
    )
)

type Place = tuple[int, int]
"""IP version, and the number of an IPv4 address or of the first 64 bits of an IPv6 address."""


def place_of(address: str | None) -> Place | None:
    """Return what two addresses of one home have in common; None if it is nowhere outside."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address((address or "").strip())
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if any(parsed.version == block.version and parsed in block for block in _NOT_OUTSIDE):
        return None
    if parsed.version == 4:
        return 4, int(parsed)
    return 6, int(parsed) >> (128 - _PREFIX_BITS)


class HomeAddresses:
    """What the sources tell, and what they told within the last day."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Know of no address."""
        self._clock = clock or Clock()
        self._told: dict[str, frozenset[Place]] = {}
        self._until: dict[Place, float] = {}
        """Places that no source tells any more, and until when they count (steady seconds)."""
        self._listeners = Listeners[()]()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when an address has come; return how to unsubscribe."""
        return self._listeners.subscribe(callback)

    def tell(self, source: str, addresses: Iterable[str]) -> None:
        """Replace what a source tells; what is no address outside is left out."""
        before = self._told.get(source, frozenset())
        now = self._told[source] = frozenset(
            place for address in addresses if (place := place_of(address)) is not None
        )
        end = self._clock.monotonic() + REMEMBERED_SECONDS
        for place in before - now:
            self._until.pop(place, None)
            self._until[place] = end
        for place in list(self._until)[:-_MOST_REMEMBERED]:
            del self._until[place]
        if now - before:
            self._listeners.notify()

    def is_home(self, place: Place | None) -> bool:
        """Tell whether a place is this home."""
        return place is not None and place in self._places()

    def knows(self, version: int) -> bool:
        """Tell whether any home address of this IP version is known."""
        return any(known == version for known, _ in self._places())

    def addresses(self) -> list[str]:
        """Return what is known, for the eyes of the user: IPv4 addresses, then IPv6 networks."""
        return [
            str(IPv4Address(number))
            if version == 4
            else str(IPv6Network((number << (128 - _PREFIX_BITS), _PREFIX_BITS)))
            for version, number in sorted(self._places())
        ]

    def _places(self) -> set[Place]:
        now = self._clock.monotonic()
        return {place for place, end in self._until.items() if end > now}.union(
            *self._told.values()
        )
