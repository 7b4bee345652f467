"""The simulation: a fixed set of lives keeps every promise, and so do some that nobody has seen."""

import subprocess
import sys
import time

import pytest

from tests.support.harness.home_assistant import ROOT
from tests.support.harness.process import clean_environment

KNOWN, NEW = 8, 2
"""Lives; one takes a second or two."""
UNTIL_NOTICED = 60
"""Lives at most until a sabotage is noticed."""
NOTICED = {
    "lost_is_dropped": 1,
    "no_look": 9,
    "no_waiting": 9,
    "no_look_before": 2,
    "unsaved_is_forgotten": 17,
    "kept_is_dropped": 17,
    "duplicates_unsaid": 12,
    "delivered_is_forgotten": 1,
    "names_are_forgotten": 7,
    "links_are_forgotten": 2,
}
"""Those that only some lives come across, and the seed to begin with: so the tests take seconds.
`--sabotage all` takes out each safeguard in turn, from the first life on."""


def _simulate(*options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.simulation", *options],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("first", [1, 1 + KNOWN])
def test_known_lives(first: int) -> None:
    code, said = _simulate("--lives", str(KNOWN), "--first", str(first))
    assert code == 0, said


def test_new_lives() -> None:
    code, said = _simulate("--lives", str(NEW), "--first", str(int(time.time())))
    assert code == 0, said


def test_life_is_the_same_each_time() -> None:
    first, second = _simulate("--seed", "3"), _simulate("--seed", "3")
    assert first == second
    assert "is sent" in first[1]


@pytest.mark.parametrize("sabotage", NOTICED)
def test_sabotage_is_noticed(sabotage: str) -> None:
    first = str(NOTICED[sabotage])
    code, said = _simulate("--lives", str(UNTIL_NOTICED), "--first", first, "--sabotage", sabotage)
    assert code == 1, said
    assert "Violation" in said
