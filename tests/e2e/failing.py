"""A server that a user adds, and on which magnets fail: it takes them and never lists them."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Set as AbstractSet
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
    await house.call("add_magnets", data)
    await until_failed(house, {magnet.info_hash for magnet in magnets})


async def until_failed(house: House, hashes: AbstractSet[str]) -> None:
    """Wait until these are on the failed list: a call that a reload cuts off leaves them queued."""
    async with asyncio.timeout(60):
        while True:
            failed = (await house.call("get_queue"))["failed"]
            if hashes <= {one["info_hash"] for one in failed}:
                return
            await asyncio.sleep(0.2)
