"""The soak as a program."""

import argparse
import asyncio
from pathlib import Path
import random
import signal
import sys

from tests.harness.home_assistant import default_program
from tests.harness.process import StartError

from .soak import soak

STOPPED = 130


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="script/soak", description="Kill Home Assistant at random moments; count the cost."
    )
    parser.add_argument("--kills", type=int, default=100, help="how often (default: 100)")
    parser.add_argument("--seed", type=int, help="the seed of all that is random (default: any)")
    parser.add_argument("--log", type=Path, help="keep Home Assistant's log in this file")
    return parser.parse_args()


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


async def run(options: argparse.Namespace, seed: int) -> int:
    """Run it until a signal or the end; return the exit status."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    say(f"seed {seed}")
    result = await soak(options.kills, seed, say, log=options.log)
    say(f"{result} (seed {seed})")
    return 0 if result.books.good else 1


def main() -> int:
    """Run the soak as a program."""
    options = arguments()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    try:
        default_program()
        return asyncio.run(run(options, seed))
    except asyncio.CancelledError, KeyboardInterrupt:
        print("\nStopped, and cleaned up.")
        return STOPPED
    except StartError as err:
        print(f"Error: {err}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
