"""The VPN's interface goes while real clients are bound to it: nothing leaks, and it is seen."""

import pytest

from custom_components.qbittorrent_resilient.core.health import instance as core_health
from tests.live.common import configure
from tests.live.route_stage import new_magnet
from tests.live.route_watch import PATIENCE_SECONDS, Watch
from tests.live.vpn_stage import makes_tunnels
from tests.support.harness.home_client import HomeClient
from tests.support.harness.process import free_port
from tests.support.harness.vpn import Vpn
from tests.support.harness.world import World, announced_at

pytestmark = makes_tunnels


async def test_interface_deleted(
    watch: Watch,
    world: World,
    vpn_target: Vpn,
    client: HomeClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """4.5.2 says it nowhere but in its log, and comes back only when it is told to listen anew."""
    monkeypatch.setattr(core_health, "START_GRACE_SECONDS", 1.0)
    client.renew()
    await watch.begin(client, vpn_target)
    first, magnet = new_magnet(announced_at())
    await watch.deliver(magnet)
    await watch.arrives(first)
    world.delete_tunnel()
    await watch.until_status("disconnected", seconds=PATIENCE_SECONDS)
    later, magnet = new_magnet(announced_at())
    await watch.is_kept_back(later, magnet, reason="disconnected")
    world.make_tunnel()
    if client.version.startswith("4."):
        configure(client, listen_port=free_port())
    await watch.until_status("ok", seconds=PATIENCE_SECONDS)
    await watch.arrives(later)
    assert watch.repairs == {}
    assert watch.leaks == []
