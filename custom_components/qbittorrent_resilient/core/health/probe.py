"""What one round finds out about one VPN target, and which kind of probe asks it."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ..errors import InvalidTargetError
from .target import parse_target

ECHO_SECONDS = 1.2
"""How long to wait for one answer: far longer than a tunnel takes, within ROUND_SECONDS."""
ROUND_SECONDS = 1.6
"""Time limit of a round: the echoes (1.4 s) and the look-up of a name.

Three silent rounds and the two pauses between them take 9 s; an outage must show within 10 s after
the first check that meets it.
"""


class NoAnswer(StrEnum):
    """Why a target did not answer."""

    NOT_RESOLVED = "not_resolved"
    SILENT = "silent"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Echoes:
    """What came back from one target: round-trip times in ms, of `sent` echoes or connections.

    `fault` says why nothing did, if more is known than that.
    """

    sent: int
    round_trips: tuple[float, ...]
    fault: NoAnswer | None = None

    @property
    def answered(self) -> bool:
        """Tell whether an answer came; loss does not tell, as it is 0 if no echo was sent."""
        return bool(self.round_trips)

    @property
    def no_answer(self) -> NoAnswer | None:
        """Return why no answer came, or None if one did."""
        return None if self.answered else self.fault or NoAnswer.SILENT


class Probe(Protocol):
    """Asks one target in one round; raises PingNotPermittedError."""

    async def __call__(self, target: str) -> Echoes:
        """Return what came back within ROUND_SECONDS."""


class TcpProbe(Protocol):
    """Asks one TCP port in one round."""

    async def __call__(self, host: str, port: int) -> Echoes:
        """Return what came back within ROUND_SECONDS."""


class TargetProbe:
    """Asks a target by TCP where it names a port, else by ICMP."""

    def __init__(self, icmp: Probe, tcp: TcpProbe) -> None:
        """Ask through these two; `icmp` is not used for targets with a port."""
        self._icmp = icmp
        self._tcp = tcp

    async def __call__(self, target: str) -> Echoes:
        """Ask one target; a text that is none is a name that nobody knows.

        Raises PingNotPermittedError, only for a target without a port.
        """
        try:
            parsed = parse_target(target)
        except InvalidTargetError:
            return Echoes(0, (), NoAnswer.NOT_RESOLVED)
        if parsed.port is None:
            return await self._icmp(parsed.host)
        return await self._tcp(parsed.host, parsed.port)


async def all_of[T](waits: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for all at the same time; raise the first error only when all are done."""
    results = await asyncio.gather(*waits, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
