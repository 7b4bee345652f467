"""Home Assistant itself, killed at random moments; script/soak does it more often."""

import asyncio
import os

import pytest

from tests.harness.home_assistant import default_program
from tests.harness.process import UnavailableError
from tests.harness.qbittorrent import binary
from tests.soak.soak import soak

KILLS = 5
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
    result = asyncio.run(soak(KILLS, 0, lines.append, to_the_end=False, limit=SECONDS))
    assert result.books.good, "\n".join([*lines, str(result)])
    assert result.kills
    assert result.magnets
