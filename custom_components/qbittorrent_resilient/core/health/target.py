"""One VPN target as the user writes it: a host for ICMP echoes, or a host and a port for TCP."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
import re
from typing import override

from ..errors import InvalidTargetError

_NAME_CHARACTERS = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII | re.IGNORECASE)
"""One part of a host name; names of containers may have an underscore."""
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Target:
    """A host name (lower case) or an IP address in its usual form, and a TCP port or None."""

    host: str
    port: int | None = None

    @override
    def __str__(self) -> str:
        """Return the target as `host`, `host:port` or `[v6]:port`."""
        if self.port is None:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_target(text: str) -> Target:
    """Read `host`, `host:port`, an IPv6 address, or `[v6]:port`; raises InvalidTargetError."""
    text = text.strip()
    if (address := _address(text)) is not None:
        return Target(address)
    if text.startswith("["):
        inside, bracket, after = text[1:].partition("]")
        address = _address(inside)
        if not bracket or address is None or ":" not in address:
            raise InvalidTargetError("brackets are for an IPv6 address")
        if after and not after.startswith(":"):
            raise InvalidTargetError("after the brackets only a port may follow")
        return Target(address, _port(after[1:]) if after else None)
    host, colon, port = text.partition(":")
    return Target(_address(host) or _name(host), _port(port) if colon else None)


def _address(text: str) -> str | None:
    """Return an IP address in its usual form, or None for another text."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # The interface of a link-local address (`%eth0`) is kept as it is written.
    return str(address) if isinstance(address, IPv6Address) else address.exploded


def _name(text: str) -> str:
    """Return a host name in lower case; one of digits and dots only is a mistyped address."""
    labels = text.removesuffix(".").split(".")
    well_formed = len(text) <= _NAME_CHARACTERS and all(_LABEL.fullmatch(one) for one in labels)
    if not well_formed or all(label.isdigit() for label in labels):
        raise InvalidTargetError("neither a host name nor an IP address")
    return text.lower()


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 0 < int(text) <= _LAST_PORT:
        raise InvalidTargetError(f"a port is a number from 1 to {_LAST_PORT}")
    return int(text)
