"""Reads the figures back from the tables of docs/benchmark.md, so that no plot has others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
import re

_FIGURE = re.compile(
    r"^(?:(?P<name>.+): )?(?P<middle>[\d.,]+) (?P<unit>ms|s)"
    r"(?: \((?P<low>[\d.,]+)–(?P<high>[\d.,]+)\))?$"
)
_SECONDS = {"s": 1.0, "ms": 0.001}


@dataclass(frozen=True, slots=True)
class Figure:
    """A time that was measured, in seconds: the median, and the spread around it."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: what was measured, our figure, and those beside it by their names."""

    what: str
    ours: Figure
    beside: Mapping[str, Figure]


def figure(text: str) -> tuple[str, Figure] | None:
    """Return the name (or nothing) and the time that a cell tells; None if it tells no time."""
    if (match := _FIGURE.match(text.strip())) is None:
        return None
    scale = _SECONDS[match["unit"]]
    middle, low, high = (
        float(match[part].replace(",", "")) * scale if match[part] else None
        for part in ("middle", "low", "high")
    )
    assert middle is not None
    found = Figure(middle, middle if low is None else low, middle if high is None else high)
    return match["name"] or "", found


def tables(page: str) -> dict[str, list[Line]]:
    """Return the lines of each table that tell times, by the table's title."""
    found: dict[str, list[Line]] = {}
    for part in re.split(r"^\*\*", page, flags=re.MULTILINE)[1:]:
        title, _, rest = part.partition("**\n")
        rows = [one.strip("|").split("|") for one in rest.splitlines() if one.startswith("|")]
        found[title] = list(_lines(rows[2:]))
    return found


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[Line]:
    """Yield the lines; a row without a name goes on with what stands beside the one before."""
    beside: dict[str, Figure] = {}
    for what, ours, other, *_ in rows:
        told, told_beside = figure(ours), figure(other)
        if what.strip():
            beside = {}
            if told is not None:
                yield Line(what.strip(), told[1], beside)
        if told_beside is not None:
            name, time = told_beside
            beside[name] = time
