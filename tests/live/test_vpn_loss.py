"""Real rounds through a tunnel that loses a fifth of the echoes."""

import os

import pytest

from tests.live.vpn_stage import allowed_ping, makes_tunnels, tunnel
from tools.bench.vpn_loss import Tally, measure

pytestmark = makes_tunnels

SECONDS = float(os.environ.get("VPN_LOSS_SECONDS", "30"))
"""A sample; `python -m tools.bench.vpn_loss --minutes 5` takes longer."""
PERCENT = 20


@pytest.mark.timeout(60 + SECONDS)
async def test_loss_is_no_outage() -> None:
    await allowed_ping()
    tally = Tally()
    with tunnel() as vpn:
        vpn.lose(PERCENT, 7)
        await measure(vpn, SECONDS, 10, tally)
    print(tally)
    share = PERCENT / 100
    deviation = 100 * (share * (1 - share) / tally.echoes) ** 0.5
    assert abs(tally.lost_percent - PERCENT) < 5 * deviation
    assert not tally.verdicts


async def test_loss_is_real() -> None:
    """The same tunnel, with far more loss, does take the verdict down."""
    await allowed_ping()
    tally = Tally()
    with tunnel() as vpn:
        vpn.lose(95, 7)
        await measure(vpn, 8, 10, tally)
    assert tally.silent_rounds > tally.rounds / 2
