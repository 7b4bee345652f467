"""The table: in Markdown for docs/benchmark.md, in JSON for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

from .figures import Goal, Part, Row, Samples, short

BEGIN, END = "<!-- benchmark -->", "<!-- end of benchmark -->"


def markdown(parts: Iterable[Part], about: Mapping[str, str]) -> str:
    """Return the table of each part, and what it ran on."""
    blocks = [f"Measured {about['date']} on {about['machine']}, {about['software']}."]
    said: set[str] = set()
    for part in parts:
        lines = [
            f"**{part.title}**",
            "",
            "| | this integration | beside | ratio | goal |",
            "|---|---|---|---|---|",
        ]
        for row in part.rows:
            lines += _lines(row)
        blocks.append("\n".join(lines))
        notes = dict.fromkeys(row.note for row in part.rows if row.note)
        blocks += [note for note in notes if note not in said]
        said |= notes.keys()
    return "\n\n".join(blocks) + "\n"


def _lines(row: Row) -> list[str]:
    first = row.beside[0] if row.beside else None
    what = f"{row.what}<br>*{row.feels}*" if row.feels else row.what
    cells = [what, row.ours.text, "–", "–", _verdict(row.goal)]
    if first is not None:
        cells[2:4] = [f"{first.name}: {first.samples.text}", _ratio(row.ratio(first))]
        cells[4] = "; ".join(filter(None, (_verdict(row.goal), _verdict(first.goal)))) or ""
    lines = [cells]
    for other in row.beside[1:]:
        beside = f"{other.name}: {other.samples.text}"
        lines.append(["", "", beside, _ratio(row.ratio(other)), _verdict(other.goal)])
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _ratio(ratio: float | None) -> str:
    return "–" if ratio is None else f"{short(ratio)} ×"


def _verdict(goal: Goal | None) -> str:
    return "" if goal is None else f"{goal.text} {'✓' if goal.met else '✗'}"


def as_json(parts: Iterable[Part], about: Mapping[str, str]) -> str:
    """Return all samples with their medians and ratios."""
    content = {
        "about": dict(about),
        "parts": [
            {"title": part.title, "rows": [_row(one) for one in part.rows]} for part in parts
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _row(row: Row) -> dict[str, Any]:
    return {
        "what": row.what,
        "ours": _samples(row.ours),
        "goal": row.goal and asdict(row.goal),
        "beside": [
            {
                "name": one.name,
                **_samples(one.samples),
                "ratio": row.ratio(one),
                "goal": one.goal and asdict(one.goal),
            }
            for one in row.beside
        ],
        "note": row.note,
        "feels": row.feels,
    }


def _samples(samples: Samples) -> dict[str, Any]:
    return {"unit": samples.unit, "median": samples.median, "values": list(samples.values)}


def missed(parts: Iterable[Part]) -> list[str]:
    """Return the goals that were not met."""
    found = []
    for part in parts:
        for row in part.rows:
            goals = {row.what: row.goal}
            goals |= {f"{row.what} beside {one.name}": one.goal for one in row.beside}
            found += [f"{what}: {one.text}" for what, one in goals.items() if one and not one.met]
    return found


def put_into(page: Path, table: str) -> None:
    """Replace the table between the two marks of a file; raises ValueError without them."""
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"no place for the benchmark in {page.name}")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")
