"""What was given up must not arrive: the network fails right before an add, and comes back."""

import asyncio
from collections.abc import Iterator
import contextlib

import aiohttp
import pytest
import pytest_socket

from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection, client
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import ServerError
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.live.conftest import StartServer
from tests.live.vpn_stage import makes_tunnels, tunnel
from tests.support.common import link
from tests.support.harness.vpn import Vpn

pytestmark = makes_tunnels

GIVEN_UP_AFTER = 3.0
FORGOTTEN_AFTER = 4.0
"""A kernel that looks for a neighbour in vain keeps packets for it for 3 s; nobody can take those
back (docs/reliability.md, promise 3)."""
RETRANSMITTED_BY = 14.0
"""A kernel tries again after 0.2, 0.6, 1.4, 3.0, 6.2, 12.6 s and so on."""


@pytest.fixture
def reachable() -> Iterator[Vpn]:
    """Give a VPN that the test may send more to than echoes."""
    with tunnel() as vpn:
        pytest_socket.socket_allow_hosts(["127.0.0.1", vpn.target], allow_unix_socket=True)
        yield vpn
        pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


async def test_add_that_was_given_up_is_not_delivered(
    reachable: Vpn, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ADD_SECONDS", GIVEN_UP_AFTER)
    server = start_server("trixie", address=reachable.target, netns=reachable.netns)
    settings = InstanceSettings(
        key="one",
        name="One",
        url=server.url,
        username=server.username,
        password=server.password,
    )
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        asked = Client(Connection(http, settings))
        await asked.vitals()
        reachable.down()
        with pytest.raises(ServerError) as caught:
            await asked.add([link(1)], AddOptions())
        assert caught.value.maybe_done
        await asyncio.sleep(FORGOTTEN_AFTER)
        reachable.up()
        await asyncio.sleep(RETRANSMITTED_BY - GIVEN_UP_AFTER - FORGOTTEN_AFTER)
        with contextlib.suppress(ServerError):  # the connection that was kept open is gone
            await asked.vitals()
        assert not server.hashes()
        await asked.add([link(2)], AddOptions())
