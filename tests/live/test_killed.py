"""Home Assistant itself, killed where it hurts; script/soak does it more often."""

import asyncio
import os

import pytest

from tests.support.harness.home_assistant import default_program
from tests.support.harness.process import UnavailableError
from tests.support.harness.qbittorrent import binary
from tools.soak.aimed import in_flight, lost_again, unanswered, unanswered_second
from tools.soak.rounds import disturbed, queued
from tools.soak.soak import soak

ROUNDS = (unanswered, unanswered_second, lost_again, queued, disturbed, in_flight)
"""One that each sabotage of tools/soak/sabotage.py fails in; the slowest, and the one whose fault
another one shows, too, is the last."""
MOST_KILLS = 3 * len(ROUNDS)
SECONDS = 45.0
"""No round starts after these, so that a slow machine is done in time, too."""


@pytest.mark.timeout(200)
def test_nothing_lost_and_nothing_twice() -> None:
    try:
        default_program()
        for suite in ("forky", "bookworm"):
            binary(suite)
    except UnavailableError as err:
        if os.environ.get("CI") == "true":
            pytest.fail(str(err), pytrace=False)
        pytest.skip(str(err))
    lines: list[str] = []
    result = asyncio.run(
        soak(
            MOST_KILLS,
            0,
            lines.append,
            to_the_end=False,
            limit=SECONDS,
            kinds=ROUNDS,
            rounds=len(ROUNDS),
            ballast_after=3,
        )
    )
    assert result.books.good, "\n".join([*lines, str(result)])
    # The wire knows an add as it is sent now; else nothing was killed where it hurts.
    assert any("answer kept back" in line and "never sent" not in line for line in lines), lines
    assert result.kills
    assert result.magnets
