"""What was given up must not arrive: the network fails right before an add, and comes back."""

import asyncio
from collections.abc import Iterator
import contextlib

import aiohttp
import pytest
import pytest_socket

from custom_components.qbittorrent_resilient.core.errors import InstanceError
from custom_components.qbittorrent_resilient.core.models import AddOptions, InstanceSettings
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection, client
from tests.common import link
from tests.harness.vpn import Vpn
from tests.live.conftest import StartServer
from tests.live.vpn_stage import makes_tunnels, tunnel

pytestmark = makes_tunnels

GIVEN_UP_AFTER = 3.0
RETRANSMITTED_BY = 8.0
"""A kernel tries again after 0.2, 0.6, 1.4, 3.0, 6.2 s and so on."""


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
        with pytest.raises(InstanceError) as caught:
            await asked.add([link(1)], AddOptions())
        assert caught.value.maybe_done
        reachable.up()
        await asyncio.sleep(RETRANSMITTED_BY - GIVEN_UP_AFTER)
        with contextlib.suppress(InstanceError):  # the connection that was kept open is gone
            await asked.vitals()
        assert not server.hashes()
        await asked.add([link(2)], AddOptions())
