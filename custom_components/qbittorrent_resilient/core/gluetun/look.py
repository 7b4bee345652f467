"""What a control server's two answers say together."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
import json
from typing import Any


class TunnelState(StrEnum):
    """What is known of the tunnel; `down` and the three after it come before `running` and `up`.

    `running` is neither up nor down: gluetun says so from the start of its process on, whether or
    not the tunnel carries anything, and some set-ups never learn a public address.
    """

    UP = "up"
    """Running, and a public address was learnt through the tunnel."""
    DOWN = "down"
    RUNNING = "running"
    """Running, without a public address; a private one, as of a home's network, is none."""
    SILENT = "silent"
    """No answer, or none that means something."""
    REFUSED = "refused"
    """The control server wants other credentials, for at least one of the two routes."""
    FOREIGN = "foreign"
    """Another program answers, or another address than that of a control server."""


_DOWN = frozenset({"stopped", "stopping", "starting", "crashed", "completed"})
_RUNNING = "running"
_LONGEST_ADDRESS = 60
"""Characters; of an IPv6 address with the IPv4 address in it and a zone."""
_EXAMPLES = tuple(
    map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
"""Addresses for documentation count as public, as they do for qBittorrent's own address: the
demonstration has them."""


@dataclass(frozen=True, slots=True)
class GluetunLook:
    """One look: the state, the exit's public address (None: not known), and gluetun's own word.

    `word` is one of the words that gluetun has for its state, never another text; None if it said
    none.
    """

    state: TunnelState
    public_ip: str | None = None
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer that was read to its end, or `fault`: why there is none to read."""

    fault: TunnelState | None = None
    data: Any = None


def reply(status: int, body: bytes) -> Reply:
    """Return what an HTTP answer holds: a JSON object, or what is wrong with it."""
    if status in (401, 403):
        return Reply(TunnelState.REFUSED)
    if status in (408, 429) or status >= 500:
        return Reply(TunnelState.SILENT)
    if status != 200:
        return Reply(TunnelState.FOREIGN)
    try:
        data = json.loads(body)
    except ValueError, RecursionError:
        return Reply(TunnelState.FOREIGN)
    return Reply(data=data) if isinstance(data, dict) else Reply(TunnelState.FOREIGN)


def judge(status: Reply, public_ip: Reply) -> GluetunLook:
    """Put the answers of both routes together: `down` needs only the first, `up` needs both."""
    told = None if status.fault else status.data.get("status")
    word = told if isinstance(told, str) else None
    if word in _DOWN:
        return GluetunLook(TunnelState.DOWN, word=word)
    faults = {status.fault, public_ip.fault}
    if not status.fault and word != _RUNNING:
        faults.add(TunnelState.FOREIGN)
    try:
        address = None if public_ip.fault else _address(public_ip.data.get("public_ip"))
    except ValueError:
        faults.add(TunnelState.FOREIGN)
    for fault in (TunnelState.REFUSED, TunnelState.FOREIGN, TunnelState.SILENT):
        if fault in faults:
            return GluetunLook(fault, word=_RUNNING if word == _RUNNING else None)
    return GluetunLook(TunnelState.UP if address else TunnelState.RUNNING, address, _RUNNING)


def _address(value: Any) -> str | None:
    """Return a public address, or None where gluetun knows none; raises ValueError otherwise."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS:
        raise ValueError("no address")
    address = ip_address(value)
    return str(address) if _is_public(address) else None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether somebody outside can have seen this address; any other proves no tunnel."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.is_site_local:
            return False
    if any(address in network for network in _EXAMPLES):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved)
