"""A server that a user adds, and on which magnets fail: it takes them and never lists them."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager

from tests.support.fake.server import FakeQBittorrent
from tests.support.harness.home_assistant import DOMAIN
from tools.demo.magnets import Magnet

from .fixtures import House

SHED = "Shed"


@asynccontextmanager
async def shed(house: House) -> AsyncGenerator[FakeQBittorrent]:
    """Add the server, the last in line."""
    async with FakeQBittorrent() as server:
        api = house.home.api
        (entry,) = await api.entries(DOMAIN)
        flow = await api.subentry_flow(entry["entry_id"], "instance")
        await flow.submit(
            name=SHED,
            url=server.url,
            username=server.settings.username,
            password=server.settings.password,
            requires_vpn=False,
        )
        assert (await house.health())[SHED] == "ok"
        yield server


async def fail(house: House, server: FakeQBittorrent, magnets: Collection[Magnet]) -> None:
    """Have some magnets fail."""
    server.torrents.never_listed |= {magnet.info_hash for magnet in magnets}
    links = [magnet.link for magnet in magnets]
    data = {"magnets": links, "instances": [SHED]}
    response = await house.call("add_magnets", data)
    assert len(response["failed"]) == len(magnets), response
