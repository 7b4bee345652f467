"""Measure, print the table, and write it: `python -m tools.bench.side_by_side --help`."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterable
import json
from pathlib import Path
import sys
import time

from tests.support.harness.process import StartError, UnavailableError
from tests.support.harness.workspace import workspace
from tools.bench.plots import write_plots

from .adding import adding
from .compare import Report, comparison, read
from .crowding import crowding
from .detecting import detecting
from .failing import failing
from .figures import Part
from .flooding import flooding
from .idling import idling
from .instances import instances
from .leaking import leaking
from .machine import about
from .many import many
from .queueing import queueing
from .report import as_json, markdown, missed, put_into
from .scale import FULL, QUICK, TINY, Scale
from .starting import starting
from .waking import waking

ROOT = Path(__file__).parents[3]

type Measure = Callable[[Path, Scale], Awaitable[list[Part]]]

MEASURES: dict[str, Measure] = {
    "adding": adding,
    "waking": waking,
    "failing": failing,
    "crowding": crowding,
    "queueing": queueing,
    "instances": instances,
    "starting": starting,
    "detecting": detecting,
    "leaking": leaking,
    "idling": idling,
    "many": many,
    "flooding": flooding,
}
ALONE = ("adding", "waking", "failing", "crowding", "queueing", "instances")
"""These want the machine to themselves, one after the other."""
TOGETHER = (("detecting", "starting"), ("leaking",), ("idling",), ("many", "flooding"))
"""These mostly wait, and count their own: four rows side by side, each one after the other."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="a look, in under 3 minutes")
    sizes.add_argument("--tiny", action="store_true", help="just enough to see that it works")
    names = list(MEASURES)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="measure just this")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench", help="where to write")
    parser.add_argument(
        "--docs", action="store_true", help="put table and plots into docs/benchmark.md, too"
    )
    parser.add_argument(
        "--compare",
        type=_report,
        metavar="FILE",
        help="an earlier benchmark.json: what changed since, by ratio within each run",
    )
    return parser.parse_args()


def _report(name: str) -> Report:
    try:
        return read(Path(name))
    except (OSError, ValueError) as err:
        raise argparse.ArgumentTypeError(str(err)) from err


async def measure(scale: Scale, names: list[str]) -> list[Part]:
    """Measure what is asked for, in the order of the table."""
    begun = time.monotonic()
    parts: dict[str, list[Part]] = {}

    def say(what: str) -> None:
        print(f"{time.monotonic() - begun:5.0f} s  {what}", file=sys.stderr)

    async def one_by_one(folder: Path, row: Iterable[str]) -> None:
        for name in row:
            if name not in names:
                continue
            say(f"{name} …")
            since = time.monotonic()
            try:
                parts[name] = await MEASURES[name](folder, scale)
            except UnavailableError as err:
                say(f"{name} is left out: {err}")
            else:
                say(f"{name} done, in {time.monotonic() - since:.0f} s")

    before, rows = ((), (ALONE, *TOGETHER)) if scale.all_at_once else (ALONE, TOGETHER)
    with workspace("bench") as folder:
        await one_by_one(folder, before)
        await asyncio.gather(*(one_by_one(folder, row) for row in rows))
    say("all done")
    return [part for name in MEASURES for part in parts.get(name, ())]


def main() -> None:
    """Measure and write."""
    arguments = _arguments()
    scale = QUICK if arguments.quick else TINY if arguments.tiny else FULL
    try:
        parts = asyncio.run(measure(scale, arguments.only))
    except StartError as err:
        sys.exit(f"Error: {err}")
    ran_on = about("transmission-daemon of Debian trixie")
    table = markdown(parts, ran_on)
    print(table)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "benchmark.md").write_text(table, encoding="utf-8")
    report = as_json(parts, ran_on)
    (arguments.out / "benchmark.json").write_text(report, encoding="utf-8")
    if arguments.compare is not None:
        compared = comparison(arguments.compare, json.loads(report))
        print(compared)
        (arguments.out / "comparison.md").write_text(compared, encoding="utf-8")
    if arguments.docs:
        page = ROOT / "docs" / "benchmark.md"
        put_into(page, table)
        write_plots(page)
    print(f"Written to {arguments.out}.", file=sys.stderr)
    for goal in missed(parts):
        print(f"Missed: {goal}", file=sys.stderr)


if __name__ == "__main__":
    main()
