"""What of a route outlives a restart of Home Assistant: that it leaks, and what is forgiven."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import math
from typing import Any

from ..qbittorrent.log import EARLY_MESSAGES

START_SECONDS = 60.0
"""How long a start takes at most, with the first EARLY_MESSAGES."""

type Process = tuple[int, float]
"""Id and time (epoch seconds) of the first message in the log of a process of the server."""


class Source(StrEnum):
    """Where a server says which addresses it has outside."""

    LOG = "log"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class Latch:
    """A server was seen with a home address.

    `process` is the one that said so (None: unknown), `address` what it said, `message` the id of
    the last message in its log that did (-1: none). `place` is what it was bound to then, or None
    as long as that is not known. `since` is in epoch seconds.
    """

    since: float
    source: Source
    version: int
    address: str = field(repr=False)
    process: Process | None = None
    message: int = -1
    place: tuple[str, str] | None = field(default=None, repr=False)


def evidence_of(latch: Latch) -> str:
    """Return the kind of evidence, such as `log_ipv4`, which is all that may be shown of it."""
    return f"{latch.source.value}_ipv{latch.version}"


@dataclass(frozen=True, slots=True)
class Forgiven:
    """What a process said before a leak was over; it still says so, and it means nothing now.

    The log keeps its messages, up to the id `message`, and the fields keep their value.
    """

    process: Process | None
    message: int = -1
    v4: str | None = field(default=None, repr=False)
    v6: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """What is stored."""

    latch: Latch | None = None
    forgiven: Forgiven | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        latch, forgiven = self.latch, self.forgiven
        return {
            "latch": latch
            and {
                "since": latch.since,
                "source": latch.source.value,
                "version": latch.version,
                "address": latch.address,
                "process": latch.process and list(latch.process),
                "message": latch.message,
                "place": latch.place and list(latch.place),
            },
            "forgiven": forgiven
            and {
                "process": forgiven.process and list(forgiven.process),
                "message": forgiven.message,
                "v4": forgiven.v4,
                "v6": forgiven.v6,
            },
        }


def record_from(data: Mapping[str, Any]) -> RouteRecord:
    """Return what `to_dict` has written; raises ValueError for anything else."""
    try:
        latch, forgiven = data["latch"], data["forgiven"]
        return RouteRecord(
            latch
            and Latch(
                since=_number(latch["since"]),
                source=Source(latch["source"]),
                version={4: 4, 6: 6}[latch["version"]],
                address=_text(latch["address"]),
                process=_process(latch["process"]),
                message=int(latch["message"]),
                place=latch["place"] and (_text(latch["place"][0]), _text(latch["place"][1])),
            ),
            forgiven
            and Forgiven(
                process=_process(forgiven["process"]),
                message=int(forgiven["message"]),
                v4=forgiven["v4"] and _text(forgiven["v4"]),
                v6=forgiven["v6"] and _text(forgiven["v6"]),
            ),
        )
    except (LookupError, TypeError, AttributeError, OverflowError) as err:
        raise ValueError("the record of a route has another form") from err


def is_another(process: Process | None, before: Process | None) -> bool:
    """Tell whether it is certain that a server was restarted between the two.

    The log of a process loses its first messages with time, and then has no mark of its own. While
    it loses them, the mark is a later message of the same start.
    """
    if process is None or before is None or process[0] >= EARLY_MESSAGES:
        return False
    is_of_same_start = process[0] > before[0] and 0 <= process[1] - before[1] < START_SECONDS
    return process != before and not is_of_same_start


def _process(value: Any) -> Process | None:
    return None if value is None else (int(value[0]), _number(value[1]))


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
