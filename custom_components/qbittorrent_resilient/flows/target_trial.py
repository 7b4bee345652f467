"""Tries VPN targets before they are accepted: does each answer, and only through the VPN?"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_address

from homeassistant.core import HomeAssistant

from ..core.health.look_up import NameLookUps
from ..core.health.ping import IcmpPing
from ..core.health.probe import Echoes, TargetProbe, all_of
from ..core.health.target import parse_target
from ..core.health.tcp import TcpConnect
from .surroundings import Surroundings, is_public_resolver, look_around
from .words import async_words


class Finding(StrEnum):
    """What was seen of a target; the value is the key of its text."""

    ANSWERS = "answers"
    OWN = "own"
    """It is this host, which always answers."""
    GATEWAY = "gateway"
    RESOLVER = "resolver"
    PUBLIC = "public"
    """It has an address of the internet, so most likely it answers without the VPN, too."""
    NOT_RESOLVED = "not_resolved"
    SILENT = "silent"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


async def async_try_targets(hass: HomeAssistant, targets: Sequence[str]) -> dict[str, Finding]:
    """Ask all targets at the same time, once; nothing is asked where some are this host.

    Raises PingNotPermittedError.
    """
    surroundings = await hass.async_add_executor_job(look_around)
    look_ups = NameLookUps()
    addresses = await all_of(look_ups.address(parse_target(target).host) for target in targets)
    places: dict[str, Finding | None] = {
        target: Finding.OWN if _is_local_name(target) else _place(address, surroundings)
        for target, address in zip(targets, addresses, strict=True)
    }
    if own := [target for target, place in places.items() if place is Finding.OWN]:
        return dict.fromkeys(own, Finding.OWN)
    probe = TargetProbe(IcmpPing(look_ups), TcpConnect(look_ups))
    answers = await all_of(probe(target) for target in targets)
    return {
        target: _finding(places[target], answer)
        for target, answer in zip(targets, answers, strict=True)
    }


async def async_findings_text(hass: HomeAssistant, findings: Mapping[str, Finding]) -> str:
    """Return what was seen of each target, as a list in Home Assistant's language."""
    words = await async_words(hass, "vpn_target")
    return "\n".join(
        f"- {words[finding].format(target=target)}" for target, finding in findings.items()
    )


def _is_local_name(target: str) -> bool:
    """Tell whether a name is this host's, whatever a resolver says of it (RFC 6761)."""
    host = parse_target(target).host.removesuffix(".")
    return host == "localhost" or host.endswith(".localhost")


def _place(address: str | None, surroundings: Surroundings) -> Finding | None:
    """Return what makes an address a bad target, wherever the VPN leads; None if nothing does."""
    if address is None:
        return None
    found = ip_address(address)
    if surroundings.is_own(found):
        return Finding.OWN
    if surroundings.is_gateway(found):
        return Finding.GATEWAY
    if is_public_resolver(found):
        return Finding.RESOLVER
    return Finding.PUBLIC if found.is_global and not found.is_multicast else None


def _finding(place: Finding | None, answer: Echoes) -> Finding:
    if answer.no_answer is not None:
        return Finding(answer.no_answer.value)
    return place or Finding.ANSWERS
