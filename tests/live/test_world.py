"""The stage on which the route is watched: what clients of each version do there by themselves."""

from pathlib import Path
import socket

from tests.live.common import until
from tests.live.route_stage import (
    a_world,
    hand,
    leak_though_bound,
    new_magnet,
    told,
    until_told,
    use_proxy,
)
from tests.support.harness.home_client import UNBOUND, HomeClient
from tests.support.harness.world import World, announced_at, shared_by
from tests.support.harness.world_places import HOME, PROXY, PROXY_OUTSIDE, TRACKER_IPV6, TUNNEL
from tests.support.harness.world_socks import PORT as PROXY_PORT

AT_HOME, AT_HOME_IPV6 = HOME.near
BY_TUNNEL = TUNNEL.near[0]


async def test_bound(world: World, homes: list[HomeClient]) -> None:
    for client in homes:
        client.renew()
        one, magnet = new_magnet(announced_at())
        hand(client, magnet)
        await until_told(client, BY_TUNNEL)
        assert world.sources(one) == {BY_TUNNEL} == told(client)


async def test_unbound(world: World, homes: list[HomeClient]) -> None:
    """By IPv6, too, where the tunnel has none."""
    for client in homes:
        client.renew(UNBOUND)
        one, magnet = new_magnet(announced_at())
        hand(client, magnet)
        await until_told(client, BY_TUNNEL, AT_HOME)
        assert world.sources(one) == {BY_TUNNEL, AT_HOME}
        one, magnet = new_magnet(announced_at(TRACKER_IPV6))
        hand(client, magnet)
        await until_told(client, AT_HOME_IPV6)
        assert world.sources(one) == {AT_HOME_IPV6}


async def test_name_with_several_addresses(world: World, homes: list[HomeClient]) -> None:
    """A client that is bound goes past the tunnel all the same, where that is split."""
    world.prefer_home_line()
    for client in homes:
        client.renew()
        await leak_though_bound(world, client)


async def test_proxy_for_trackers_only(world: World, homes: list[HomeClient]) -> None:
    """Peers see what the tracker does not."""
    for client in homes:
        client.renew(UNBOUND)
        use_proxy(client, PROXY, PROXY_PORT, for_peers=False)
        one, magnet = new_magnet(announced_at(), shared_by(HOME.far[0]))
        hand(client, magnet)
        await until_told(client, PROXY_OUTSIDE)
        await until(lambda one=one: world.met(one))  # type: ignore[misc]
        assert world.sources(one) == {PROXY_OUTSIDE}
        assert {one.source for one in world.met(one)} == {AT_HOME}


async def test_router_that_maps_ports(world: World, homes: list[HomeClient]) -> None:
    """It tells the home address before there is any torrent; only the newest believes it."""
    world.map_ports(offered=True)
    newest = homes[-1]
    newest.renew(UNBOUND, Network__PortForwardingEnabled="true")
    await until_told(newest, AT_HOME)
    assert newest.torrents() == []
    newest.renew(Network__PortForwardingEnabled="false")


def test_nothing_is_left_behind() -> None:
    before = socket.if_nameindex()
    with a_world() as world:
        namespace = Path(world.netns)
        assert namespace.exists()
        assert socket.if_nameindex() == before
        world.delete_tunnel()
        world.make_tunnel()
    assert not namespace.exists()
    assert socket.if_nameindex() == before
