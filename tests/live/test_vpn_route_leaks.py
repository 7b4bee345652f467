"""Real clients that announce themselves by the home line: seen, and given nothing any more.

What the tracker noted is the truth. The VPN is up all the time.
"""

import time

from tests.live.common import configure, until
from tests.live.route_stage import hand, leak_though_bound, new_magnet, until_heard, until_told
from tests.live.route_watch import (
    AT_HOME,
    AT_HOME_IPV6,
    NAME,
    NEIGHBOUR_IPV6,
    PATIENCE_SECONDS,
    SELDOM_SECONDS,
    Watch,
)
from tests.live.vpn_stage import makes_tunnels
from tests.support.actions import again
from tests.support.harness.home_client import TO_TUNNEL, UNBOUND, HomeClient
from tests.support.harness.vpn import Vpn
from tests.support.harness.world import World, announced_at
from tests.support.harness.world_places import TRACKER_IPV6

pytestmark = makes_tunnels

LOOK_COUNTS_SECONDS = 5
"""A look that is older is made once more before magnets are handed over."""


async def leak(world: World, client: HomeClient) -> None:
    """Hand the client a magnet, past the integration, and wait until it knows its home address."""
    leaked, magnet = new_magnet(announced_at())
    hand(client, magnet)
    await until_told(client, AT_HOME)
    assert AT_HOME in world.sources(leaked)


async def test_unbound_then_bound_again(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """It holds over a restart of Home Assistant, until the client is bound."""
    client.renew(UNBOUND)
    await watch.begin(client, vpn_target)
    await watch.until_route("exposed")
    assert watch.status == "ok"
    assert watch.repairs.keys() == {"exposed"}
    await leak(world, client)
    since = time.monotonic()
    await watch.until_status("leaking")
    print(f"{client.version}: leaking {time.monotonic() - since:.1f} s after it knew its address")
    assert watch.route == "leaking"
    assert "leaking" in watch.repairs
    assert watch.leaks == [NAME]
    later, magnet = new_magnet(announced_at())
    await watch.is_kept_back(later, magnet)
    await again(watch.hass, watch.entry)
    await watch.until_status("leaking", seconds=PATIENCE_SECONDS)
    await watch.is_still_kept_back(later)
    configure(client, current_network_interface=TO_TUNNEL)
    await watch.until_status("ok", seconds=PATIENCE_SECONDS)
    await watch.arrives(later)
    # Its field goes on telling the home address: that is forgiven.
    assert await watch.check() == "ok"
    assert watch.route == "unproven"
    assert watch.repairs == {}
    assert watch.leaks == [NAME]


async def test_unbound_while_running(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """Between two looks: the delivery itself looks, and stops. Nothing else is asked for here."""
    client.renew()
    await watch.begin(client, vpn_target, scan_seconds=SELDOM_SECONDS)
    running, magnet = new_magnet(announced_at())
    await watch.deliver(magnet)
    await watch.arrives(running)
    looked = time.monotonic()
    configure(client, current_network_interface=UNBOUND)
    await leak(world, client)
    await until(lambda: time.monotonic() - looked > LOOK_COUNTS_SECONDS + 1)
    assert watch.status == "ok"
    later, magnet = new_magnet(announced_at())
    await watch.is_kept_back(later, magnet)
    assert watch.status == "leaking"
    assert watch.leaks == [NAME]


async def test_unbound_while_running_and_looked_at(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """The next look sees it, without any delivery; a new binding is seen as well."""
    client.renew()
    await watch.begin(client, vpn_target)
    running, magnet = new_magnet(announced_at())
    await watch.deliver(magnet)
    await watch.arrives(running)
    configure(client, current_network_interface=UNBOUND)
    await watch.until_route("exposed")
    await leak(world, client)
    await watch.until_status("leaking")
    later, magnet = new_magnet(announced_at())
    await watch.is_kept_back(later, magnet)
    configure(client, current_network_interface=TO_TUNNEL)
    await watch.until_status("ok", seconds=PATIENCE_SECONDS)
    await watch.arrives(later)


async def test_bound_but_leaking(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """By a tracker's name with several addresses: that it is bound is no proof."""
    world.prefer_home_line()
    client.renew()
    await watch.begin(client, vpn_target)
    await leak_though_bound(world, client)
    await watch.until_status("leaking")
    later, magnet = new_magnet(announced_at())
    await watch.is_kept_back(later, magnet)
    await watch.say_mended()
    await watch.until_status("ok")
    await watch.arrives(later)
    assert watch.leaks == [NAME]


async def test_ipv6_past_an_ipv4_tunnel(
    watch: Watch, world: World, vpn_target: Vpn, client: HomeClient
) -> None:
    """The home is known by another of its hosts. A new process that stays inside ends it."""
    client.renew(UNBOUND)
    await watch.begin(client, vpn_target, home=NEIGHBOUR_IPV6)
    leaked, magnet = new_magnet(announced_at(TRACKER_IPV6))
    hand(client, magnet)
    await until_heard(world, leaked, AT_HOME_IPV6)
    await until_told(client, AT_HOME_IPV6)
    await watch.until_status("leaking")
    later, magnet = new_magnet(announced_at())
    await watch.is_kept_back(later, magnet)
    client.renew()
    await watch.until_status("ok", seconds=PATIENCE_SECONDS)
    await watch.arrives(later)
