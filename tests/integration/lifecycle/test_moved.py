"""A server that moves to another address is used again within one interval."""

from collections.abc import Callable
import socket
from typing import Any
from unittest.mock import patch

from aiohttp.abc import AbstractResolver, ResolveResult
from homeassistant.core import HomeAssistant
import pytest
from pytest_socket import socket_allow_hosts

from custom_components.qbittorrent_resilient import web_session
from tests.support.actions import add, hashes, status_of
from tests.support.common import Start, info_hash, instance, link, poll
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

OLD, NEW = "127.0.0.2", "127.0.0.1"


def resolver(which: str, addresses: dict[str, str]) -> Callable[..., AbstractResolver]:
    """Return a class of resolvers that answer every name with the address of the moment."""

    class Resolver(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
            return [
                ResolveResult(
                    hostname=host,
                    host=addresses[which],
                    port=port,
                    family=socket.AF_INET,
                    proto=0,
                    flags=0,
                )
            ]

        async def close(self) -> None:
            """Close nothing."""

        async def real_close(self) -> None:
            """Close nothing: Home Assistant's name for it."""

    return lambda *_: Resolver()


@pytest.mark.parametrize("verify_ssl", [True, False])
async def test_server_that_moves(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, *, verify_ssl: bool
) -> None:
    """Home Assistant's resolver remembers the old address for ten minutes; the system does not."""
    addresses = {"usual": OLD, "system": OLD}
    socket_allow_hosts([OLD, NEW])
    with (
        patch(
            "homeassistant.helpers.aiohttp_client._async_make_resolver",
            resolver("usual", addresses),
        ),
        patch.object(web_session, "ThreadedResolver", resolver("system", addresses)),
    ):
        url = f"http://qbit.example:{primary.port}"
        await start(instance("first", primary, url=url, verify_ssl=verify_ssl))
        assert status_of(hass, "first") == "unreachable"
        addresses["system"] = NEW
        await poll(hass)
        assert status_of(hass, "first") == "ok"
        await primary.restart()
        assert hashes((await add(hass, link(1)))["added"]) == [info_hash(1)]
        await hass.async_stop(force=True)
        connectors = hass.data[web_session.DATA_CONNECTORS].values()
        assert [one.closed for one in connectors] == [True]
