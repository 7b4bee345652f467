"""Why a job waits, as its owner is told."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from custom_components.qbittorrent_resilient.core.delivery.failover import InstancePool
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.outbox.crash import Crash
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from tests.support.core import magnets


def _monitor(key: str, *, requires_vpn: bool) -> Any:
    settings = SimpleNamespace(key=key, name=key, priority=1, requires_vpn=requires_vpn)
    return SimpleNamespace(settings=settings, status=InstanceStatus.OK, is_ok=True)


@pytest.mark.parametrize(
    ("crashed", "require_vpn", "reason"),
    [
        ("open", True, "no_instance"),
        ("open", False, "timeout"),
        ("behind", True, "timeout"),
        ("gone", True, "timeout"),
    ],
)
def test_what_crashed_an_instance_that_it_may_not_go_to_waits_for_none(
    crashed: str, reason: str, *, require_vpn: bool
) -> None:
    """It goes to no other one, and was given again as one that goes behind the VPN only."""
    pool = InstancePool(
        cast("Any", [_monitor("open", requires_vpn=False), _monitor("behind", requires_vpn=True)])
    )
    job = Job(
        magnet=magnets(1)[0],
        queued_at=1.0,
        require_vpn=require_vpn,
        reason="timeout",
        crash=Crash(instance=crashed, at=1.0, alone=True, crashes=2),
    )
    assert pool.waiting_reason(job) == reason
