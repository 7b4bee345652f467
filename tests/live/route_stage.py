"""What the live tests of the route share: real clients in a home with a line and a tunnel."""

from collections.abc import Iterator
import contextlib
import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.live.common import until
from tests.support.common import info_hash, link
from tests.support.harness.home_client import SEVERAL_ADDRESSES, HomeClient
from tests.support.harness.process import UnavailableError
from tests.support.harness.qbittorrent import VERSIONS, binary
from tests.support.harness.world import World, announced_at
from tests.support.harness.world_places import HOME

_numbers = itertools.count(1000)


@contextlib.contextmanager
def a_world() -> Iterator[World]:
    """Give a world, or skip where there can be none."""
    try:
        world = World()
    except UnavailableError as err:
        pytest.skip(str(err))
    with world:
        yield world


@contextlib.contextmanager
def home_clients(world: World, folder: Path) -> Iterator[list[HomeClient]]:
    """Give a client of each version, not started yet; skip where there is none."""
    try:
        for suite in VERSIONS:
            binary(suite)
    except UnavailableError as err:
        if os.environ.get("CI") == "true":
            pytest.fail(str(err), pytrace=False)
        pytest.skip(str(err))
    clients = [HomeClient(world, folder / suite, suite) for suite in VERSIONS]
    try:
        yield clients
    finally:
        for client in clients:
            client.kill()


def new_magnet(*parameters: str) -> tuple[str, str]:
    """Return the hash and the link of a magnet that there has not been yet."""
    number = next(_numbers)
    return info_hash(number), link(number, extra="".join(parameters))


def hand(client: HomeClient, *links: str) -> None:
    """Give magnets to a client past the integration, as its own page does."""
    client.client.call("torrents/add", {"urls": "\n".join(links)})


def use_proxy(client: HomeClient, address: str, port: int, *, for_peers: bool) -> None:
    """Set a SOCKS5 proxy, for trackers in any case, until the client is renewed."""
    old = client.version.startswith("4.")
    changes: dict[str, Any] = {
        "proxy_type": 2 if old else "SOCKS5",
        "proxy_ip": address,
        "proxy_port": port,
        "proxy_peer_connections": for_peers,
        "proxy_torrents_only" if old else "proxy_bittorrent": not old,
    }
    client.client.call("app/setPreferences", {"json": json.dumps(changes)})


def told(client: HomeClient) -> set[str]:
    """Return the addresses that a client has been told it has outside, by its log."""
    messages = [str(one["message"]) for one in client.client.json("log/main")]
    found = [one for one in messages if one.startswith("Detected external IP")]
    return {one.split('"')[1] for one in found}


async def until_told(client: HomeClient, *addresses: str, seconds: float = 60) -> None:
    """Wait until a client has been told that these are its addresses, among others maybe."""
    await until(lambda: told(client) >= set(addresses), seconds)


async def until_heard(
    world: World, of_hash: str, *sources: str, times: int = 1, seconds: float = 60
) -> None:
    """Wait until the tracker has heard a hash from each of these addresses, so many times."""

    def enough() -> bool:
        heard = [one.source for one in world.heard(of_hash)]
        return all(heard.count(source) >= times for source in sources)

    await until(enough, seconds)


async def leak_though_bound(world: World, client: HomeClient) -> None:
    """Hand a bound client a magnet that it announces past the tunnel, and wait until it knows.

    The tracker's name has several addresses: where the first that is tried does not answer, the
    next is tried by a socket that is bound no more. A client that tried the tracker first begins
    anew, as it now believes that it is where the tunnel ends.
    """
    for name in SEVERAL_ADDRESSES:
        one, magnet = new_magnet(announced_at(name))
        hand(client, magnet)
        await until(lambda one=one: world.heard(one), 60)  # type: ignore[misc]
        if HOME.near[0] in world.sources(one):
            await until_told(client, HOME.near[0])
            return
        client.renew()
    pytest.fail(f"{client.version} tried the tracker first each time")
