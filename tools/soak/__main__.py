"""The soak as a program."""

import argparse
import asyncio
from pathlib import Path
import random
import shutil
import signal
import sys

from tests.support.harness.home_assistant import ROOT, default_program
from tests.support.harness.process import StartError
from tests.support.harness.workspace import workspace

from .sabotage import SABOTAGES, SabotageError
from .soak import KINDS, Result, soak

STOPPED = 130
KILLS, SABOTAGED_KILLS = 100, 30


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="script/soak", description="Kill Home Assistant at random moments; count the cost."
    )
    parser.add_argument("--kills", type=int, help=f"how often (default: {KILLS})")
    parser.add_argument("--seed", type=int, help="the seed of all that is random (default: any)")
    parser.add_argument("--log", type=Path, help="keep Home Assistant's log in this file")
    parser.add_argument("--components", type=Path, help="try another copy of custom_components")
    parser.add_argument(
        "--rounds",
        nargs="+",
        choices=[kind.__name__ for kind in KINDS],
        default=[],
        metavar="KIND",
        help="play only these, one after the other: %(choices)s",
    )
    parser.add_argument(
        "--sabotage",
        choices=SABOTAGES,
        help="take a safeguard out and see whether that is noticed "
        f"(within {SABOTAGED_KILLS} kills)",
    )
    return parser.parse_args()


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


async def run(options: argparse.Namespace, seed: int, components: Path | None = None) -> Result:
    """Run it until a signal or the end."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    say(f"seed {seed}")
    result = await soak(
        options.kills or (SABOTAGED_KILLS if options.sabotage else KILLS),
        seed,
        say,
        to_the_end=not options.sabotage,
        log=options.log,
        components=components or options.components,
        kinds=[kind for name in options.rounds for kind in KINDS if kind.__name__ == name],
        until_harm=bool(options.sabotage),
    )
    say(f"{result} (seed {seed})")
    return result


def sabotaged(options: argparse.Namespace, seed: int) -> int:
    """Take a safeguard out of a copy, and return 0 if the soak shows what it is good for."""
    sabotage = SABOTAGES[options.sabotage]
    with workspace("sabotage") as folder:
        ignored = shutil.ignore_patterns("__pycache__")
        source = options.components or ROOT / "custom_components"
        components = shutil.copytree(source, folder / "components", ignore=ignored)
        sabotage.spoil(components)
        result = asyncio.run(run(options, seed, components))
    seen = ", ".join(
        f"{what} after {kills} kills" for what, kills in result.books.first_wrong.items()
    )
    say(f"{options.sabotage} ({sabotage.why}): {seen or 'not noticed'}")
    return 0 if result.books.harm else 1


def main() -> int:
    """Run the soak as a program."""
    options = arguments()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    try:
        default_program()
        if options.sabotage:
            return sabotaged(options, seed)
        return 0 if asyncio.run(run(options, seed)).books.good else 1
    except asyncio.CancelledError, KeyboardInterrupt:
        print("\nStopped, and cleaned up.")
        return STOPPED
    except (StartError, SabotageError) as err:
        print(f"Error: {err}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
