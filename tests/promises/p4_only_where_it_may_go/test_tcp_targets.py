"""Targets with a port: a completed connection is an answer, and no ICMP socket is needed."""

import asyncio
from collections.abc import AsyncGenerator

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, hashes, status_of
from tests.support.common import FakeClock, FakeVpn, Start, info_hash, instance, link, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.states import vpn_state


class Far:
    """A port at the far end of the VPN."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self._server: asyncio.Server | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        assert not await reader.read()
        writer.close()


@pytest.fixture
async def far(socket_enabled: None) -> AsyncGenerator[Far]:
    far = Far()
    await far.listen()
    yield far
    await far.refuse()


async def test_no_icmp_socket_is_needed(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    far: Far,
    clock: FakeClock,
) -> None:
    vpn.permitted = False
    await start(instance("first", primary, requires_vpn=True), targets=(far.target,))
    assert vpn_state(hass) == "on"
    assert hashes((await add(hass, link(1)))["added"]) == [info_hash(1)]
    assert vpn.rounds == 0
    assert far.connections


async def test_refused_is_down(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    far: Far,
    clock: FakeClock,
) -> None:
    """A refusal may come from a firewall at this end of the tunnel."""
    await start(instance("first", primary, requires_vpn=True), targets=(far.target,))
    await far.refuse()
    clock.tick(60)
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "vpn_down"
    assert vpn_state(hass) == "off"
    assert not primary.adds
    await far.listen()
    for _ in range(2):
        await call(hass, "check_health")
    assert vpn_state(hass) == "on"
    assert hashes((await add(hass, link(2)))["added"]) == [info_hash(2)]


async def test_one_connection_a_round(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, far: Far
) -> None:
    await start(instance("first", primary, requires_vpn=True), targets=(far.target,))
    before = far.connections
    for _ in range(5):
        await poll(hass)
    assert far.connections - before == 5
    assert status_of(hass, "first") == "ok"


async def test_beside_pings(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn, far: Far
) -> None:
    """Any target that answers is enough, of whichever kind."""
    vpn.up = False
    await start(instance("first", primary, requires_vpn=True), targets=("192.0.2.7", far.target))
    assert vpn_state(hass) == "on"
    await far.refuse()
    vpn.up = True
    for _ in range(5):
        await poll(hass)
    assert vpn_state(hass) == "on"
