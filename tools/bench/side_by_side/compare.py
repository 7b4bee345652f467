"""What a change did to each row: the benchmark of before beside that of now.

Machines differ, and so does one machine from hour to hour. What was measured beside something else
in the same run is compared by its ratio to that, and so by nothing but what it takes itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from statistics import quantiles
from typing import Any

from .figures import short

_FEW = 4
"""So many samples have quartiles."""
NOTHING = "This has no row in common with the earlier benchmark."
HEAD = (
    "What changed since {date}: less is better. What has × is compared by its ratio within each "
    "run, whatever the machine; ≈ is within the spread of both runs. What has a unit was "
    "measured beside nothing: it means something only if the machine is the same."
)


@dataclass(frozen=True, slots=True)
class _Figure:
    """One thing that can be compared: its middle, and where half of its samples are."""

    middle: float
    low: float
    high: float
    unit: str

    @property
    def text(self) -> str:
        return f"{short(self.middle)} {self.unit}".strip()

    def overlaps(self, other: _Figure) -> bool:
        return self.low <= other.high and other.low <= self.high


type Report = Mapping[str, Any]
"""What `report.as_json` writes."""


def read(file: Path) -> Report:
    """Return the report in a file; raises ValueError if there is none in it."""
    try:
        report: Report = json.loads(file.read_text(encoding="utf-8"))
        dict(_figures(report))
        str(report["about"]["date"])
    except (ValueError, LookupError, TypeError, AttributeError) as err:
        raise ValueError(f"{file.name} is no benchmark.json") from err
    return report


def comparison(before: Report, now: Report) -> str:
    """Return a table of the rows that both have, in Markdown."""
    earlier = dict(_figures(before))
    rows = [
        f"| {what} | {earlier[what].text} | {figure.text} | {_change(earlier[what], figure)} |"
        for what, figure in _figures(now)
        if what in earlier and earlier[what].unit == figure.unit
    ]
    if not rows:
        return f"{NOTHING}\n"
    head = HEAD.format(date=before["about"]["date"])
    return "\n".join([head, "", "| | before | now | change |", "|---|---|---|---|", *rows, ""])


def _figures(report: Report) -> Iterator[tuple[str, _Figure]]:
    """Yield all that can be compared, by what it is."""
    for part in report["parts"]:
        for row in part["rows"]:
            what, ours = f"{part['title']}: {row['what']}", row["ours"]
            if not row["beside"]:
                yield what, _figure(ours["values"], ours["median"], 1.0, ours["unit"])
            for other in row["beside"]:
                if by := other["median"]:
                    figure = _figure(ours["values"], ours["median"], by, "×")
                    yield f"{what}, beside {other['name']}", figure


def _figure(values: Sequence[float], middle: float, by: float, unit: str) -> _Figure:
    """Return samples, each divided `by` the same."""
    low, high = min(values), max(values)
    if len(values) >= _FEW:
        low, _, high = quantiles(values)
    return _Figure(middle / by, low / by, high / by, unit)


def _change(before: _Figure, now: _Figure) -> str:
    if before.middle <= 0:
        return "–"
    change = f"{100 * (now.middle / before.middle - 1):+.0f} %"
    return f"≈ ({change})" if now.overlaps(before) else change
