"""Real clients that stay in the tunnel, and what looks like a leak but is none, or may be one."""

import pytest

from tests.live.common import until
from tests.live.route_stage import hand, new_magnet, until_heard, until_told, use_proxy
from tests.live.route_watch import AT_HOME, BY_TUNNEL, PATIENCE_SECONDS, Watch
from tests.live.vpn_stage import makes_tunnels
from tests.support.harness.home_client import UNBOUND, HomeClient
from tests.support.harness.vpn import Vpn
from tests.support.harness.world import World, announced_at, shared_by
from tests.support.harness.world_places import HOME, OTHER_EXIT, PROXY, PROXY_OUTSIDE
from tests.support.harness.world_socks import PORT as PROXY_PORT

pytestmark = makes_tunnels


async def assert_no_alarm(watch: Watch) -> None:
    """Check once more, and see that nothing is said of the route."""
    assert await watch.check() == "ok"
    assert watch.route == "unproven"
    assert watch.repairs == {}
    assert watch.leaks == []


async def test_bound_and_another_exit(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """All is well; then the tunnel is made anew and ends elsewhere, and all is well as before."""
    client.renew()
    await watch.begin(client, vpn_target)
    first, magnet = new_magnet(announced_at())
    await watch.deliver(magnet)
    await watch.arrives(first)
    await until_told(client, BY_TUNNEL)
    await assert_no_alarm(watch)
    if client.version.startswith("4."):
        return  # it does not come back by itself
    world.delete_tunnel()
    world.claim(tunnel=OTHER_EXIT)
    await until(lambda: client.client.json("transfer/info")["connection_status"] == "disconnected")
    world.make_tunnel()
    hand(client, new_magnet(announced_at())[1])
    await until_told(client, OTHER_EXIT)
    await watch.until_status("ok", seconds=PATIENCE_SECONDS)
    second, magnet = new_magnet(announced_at())
    await watch.deliver(magnet)
    await watch.arrives(second)
    await assert_no_alarm(watch)


async def test_router_that_maps_ports(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """The router itself tells the home address, which only the newest believes.

    It may be a leak and may be none: the repair says that port mapping is on.
    """
    world.map_ports(offered=True)
    client.renew(UNBOUND, Network__PortForwardingEnabled="true")
    if client.version.startswith("5.3"):
        await until_told(client, AT_HOME)
    await watch.begin(client, vpn_target)
    if not client.version.startswith("5.3"):
        assert await watch.check() == "ok"
        assert watch.leaks == []
        return
    await watch.until_status("leaking")
    issue = watch.repairs["leaking"]
    assert "upnp" in f"{issue.translation_key} {issue.translation_placeholders}".lower()
    await watch.say_mended()
    await watch.until_status("ok")
    assert await watch.check() == "ok"


@pytest.mark.parametrize("for_peers", [True, False], ids=["for peers, too", "for trackers only"])
async def test_socks_proxy(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient, for_peers: bool
) -> None:
    """In a home without a tunnel. The tracker sees the proxy in any case, a peer not."""
    world.delete_tunnel()
    client.renew(UNBOUND)
    use_proxy(client, PROXY, PROXY_PORT, for_peers=for_peers)
    await watch.begin(client, vpn_target)
    await watch.until_route("unproven" if for_peers else "exposed")
    assert ("exposed" in watch.repairs) is not for_peers
    first, magnet = new_magnet(announced_at())
    await watch.deliver(magnet)
    await until_heard(world, first, PROXY_OUTSIDE)
    assert world.sources(first) == {PROXY_OUTSIDE}
    met, magnet = new_magnet(shared_by(HOME.far[0]))
    hand(client, magnet)
    await until(lambda: world.met(met), PATIENCE_SECONDS)
    assert {one.source for one in world.met(met)} == {PROXY_OUTSIDE if for_peers else AT_HOME}
    if for_peers:
        await assert_no_alarm(watch)


async def test_socks_proxy_and_a_peer_that_tells(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """Where the proxy is for trackers only, the client learns from peers what these see."""
    world.delete_tunnel()
    client.renew(UNBOUND)
    use_proxy(client, PROXY, PROXY_PORT, for_peers=False)
    await watch.begin(client, vpn_target)
    hand(client, new_magnet(shared_by(HOME.far[0]))[1])
    await until_told(client, AT_HOME)
    await watch.until_status("leaking")
