"""The simulation as a program."""

import argparse
from collections.abc import Sequence
import logging
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

from tests.support.harness.home_assistant import ROOT

from .known import Violation
from .life import DAYS, live
from .sabotage import SABOTAGES

_ALL = "all"
_SPOILT = "SIMULATION_SPOILT"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulation", description=__doc__)
    parser.add_argument("--lives", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--first", type=int, default=1, help="the seed of the first (default: 1)")
    parser.add_argument("--minutes", type=float, help="begin no life after so long")
    parser.add_argument("--seed", type=int, help="replay one life, step by step")
    parser.add_argument(
        "--sabotage",
        choices=[*SABOTAGES, _ALL],
        help="take a safeguard out, and stop at the first life that notices it; or each in turn",
    )
    return parser.parse_args()


def live_all(options: argparse.Namespace) -> int:
    """Live one life after the other; print the seed of each that broke a promise."""
    began, lives, broken, magnets = time.monotonic(), 0, 0, 0
    for seed in range(options.first, options.first + options.lives):
        if options.minutes is not None and time.monotonic() - began > options.minutes * 60:
            break
        lives += 1
        try:
            magnets += live(seed)
        except Exception as err:  # noqa: BLE001 - what breaks a life breaks a promise
            broken += 1
            print(f"seed {seed}: {type(err).__name__}: {err}", flush=True)
            if options.sabotage:
                break
    print(
        f"{lives} lives of {DAYS} days ({lives * DAYS / 365:.1f} years), "
        f"{magnets} magnets, {broken} broke a promise, {time.monotonic() - began:.0f} s"
    )
    return 1 if broken else 0


def main() -> int:
    """Do what the command line says."""
    options = arguments()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore", RuntimeWarning)  # tasks that are killed before their first step
    if options.seed is None:
        return live_all(options)
    try:
        live(options.seed, trace=lambda text: print(text, flush=True))
    except Violation as err:
        print(f"broken: {err}")
        return 1
    return 0


def restart(arguments: Sequence[str], sabotage: str | None = None) -> int:
    """Go on in a process in which the order of a set is fixed, with a spoilt copy if asked for."""
    command = [sys.executable, "-P", "-m", "tools.simulation", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        path = [str(ROOT)]
        if sabotage:
            components = Path(folder) / "custom_components"
            shutil.copytree(ROOT / "custom_components", components)
            SABOTAGES[sabotage].spoil(components)
            path.insert(0, folder)
        environment = {"PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(path), _SPOILT: "1"}
        return subprocess.run(command, env=os.environ | environment, check=False).returncode


def restart_spoilt() -> int:
    """Take one safeguard out after the other; fail if no life notices one of them."""
    unnoticed = []
    for name, sabotage in SABOTAGES.items():
        print(f"{name}: {sabotage.why}", flush=True)
        if not restart([name if one == _ALL else one for one in sys.argv[1:]], name):
            unnoticed.append(name)
    print(f"{len(SABOTAGES)} sabotages, not noticed: {', '.join(unnoticed) or 'none'}")
    return 1 if unnoticed else 0


def begin() -> int:
    """Do what the command line says, in other processes."""
    options = arguments()
    return restart_spoilt() if options.sabotage == _ALL else restart(sys.argv[1:], options.sabotage)


if __name__ == "__main__":
    sys.exit(main() if _SPOILT in os.environ else begin())
