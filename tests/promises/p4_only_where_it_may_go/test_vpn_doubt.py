"""While the VPN is in doubt, no hash and no password goes out, by what a server is really sent."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection
from tests.support.core import Http, Time, TimedServer, failure, magnets


class Tunnel:
    """A VPN that can be silent."""

    def __init__(self) -> None:
        self.is_silent = False

    async def ping(self, target: str) -> Echoes:
        return Echoes(3, () if self.is_silent else (10.0,))


@pytest.mark.parametrize("session", ["lives", "expired"])
@pytest.mark.parametrize("falls", [False, True])
async def test_doubt(
    newest: TimedServer, http: Http, time: Time, session: str, falls: bool
) -> None:
    tunnel = Tunnel()
    vpn = VpnMonitor(["far"], tunnel.ping, clock=time.clock)
    client = Client(Connection(http.session, http.settings(newest), time.clock, gate=vpn.gate))
    await vpn.round()
    await client.open()
    tunnel.is_silent = True
    await vpn.round()
    assert (vpn.state, vpn.in_doubt) == (VpnState.ON, True)
    if session == "expired":
        newest.expire_sessions()
    newest.record.clear()
    if falls:
        assert await failure(client.find(magnets(1))) == ("vpn_down", False)
        assert not newest.requests_to("torrents/info")
        assert not newest.requests_to("auth/login")
        return
    finding = asyncio.create_task(client.find(magnets(1)))
    await asyncio.sleep(0)
    assert not newest.requests
    tunnel.is_silent = False
    assert await finding == set()
    assert vpn.in_doubt is False


async def test_health_check_of_a_server_that_is_up(
    newest: TimedServer, http: Http, time: Time
) -> None:
    """It is asked how it is, with its cookie; the password is kept back."""
    tunnel = Tunnel()
    vpn = VpnMonitor(["far"], tunnel.ping, clock=time.clock)
    client = Client(Connection(http.session, http.settings(newest), time.clock, gate=vpn.gate))
    await vpn.round()
    await client.open()
    tunnel.is_silent = True
    await vpn.round()
    assert (await client.vitals()).connection_status == "connected"
    newest.expire_sessions()
    newest.record.clear()
    assert await failure(client.vitals()) == ("vpn_down", False)
    assert not newest.logins


@pytest.mark.parametrize("kind", ["key", "header"])
async def test_credentials_of_a_server_that_is_not_known(
    newest: TimedServer, http: Http, time: Time, kind: str
) -> None:
    """Not even the first question goes out with a key, or with what a proxy wants."""
    tunnel = Tunnel()
    vpn = VpnMonitor(["far"], tunnel.ping, clock=time.clock)
    fields = {"api_key": newest.new_api_key()} if kind == "key" else {"headers": (("X-Key", "k"),)}
    settings = http.settings(newest, **fields)
    client = Client(Connection(http.session, settings, time.clock, gate=vpn.gate))
    await vpn.round()
    tunnel.is_silent = True
    await vpn.round()
    newest.record.clear()
    assert await failure(client.open()) == ("vpn_down", False)
    assert not newest.requests
