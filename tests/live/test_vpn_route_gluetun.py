"""A real client whose VPN a gluetun tells of, in everything that one may answer."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from tests.live.route_stage import new_magnet, until_told
from tests.live.route_watch import BY_TUNNEL, PATIENCE_SECONDS, Watch
from tests.support.actions import add
from tests.support.gluetun import PUBLIC_IP, STATUS, FakeGluetun
from tests.support.harness.home_client import HomeClient
from tests.support.harness.world import announced_at
from tests.support.harness.world_places import OTHER_EXIT

pytestmark = pytest.mark.timeout(180)

KEY = "canary-key-of-gluetun"
REQUESTS_OF_AN_HOUR = 240
"""Two a look, and a look each 30 s."""

type Change = Callable[[FakeGluetun], object]


@pytest.fixture
async def gluetun(socket_enabled: None) -> AsyncGenerator[FakeGluetun]:
    """Yield a gluetun that wants a key, and is at the exit that the tracker sees."""
    async with FakeGluetun() as fake:
        fake.api_key = KEY
        fake.public_ip = BY_TUNNEL
        yield fake


@pytest.fixture
async def watched(watch: Watch, newest_client: HomeClient, gluetun: FakeGluetun) -> Watch:
    """Watch the newest client by its gluetun alone, and believe it at once."""
    newest_client.renew()
    counts: dict[str, Any] = {"failures_before_down": 1, "successes_before_up": 1}
    await watch.begin(newest_client, None, gluetun=access(gluetun), **counts)
    return watch


def access(gluetun: FakeGluetun) -> dict[str, str]:
    """Return what a user enters of a gluetun."""
    return {
        "gluetun_url": gluetun.url,
        "gluetun_api_key": KEY,
        "gluetun_username": "",
        "gluetun_password": "",
    }


def says(status: str, public_ip: str = "") -> Change:
    """Have it say something else."""

    def change(gluetun: FakeGluetun) -> None:
        gluetun.status, gluetun.public_ip = status, public_ip

    return change


def fails(fault: str, *paths: str) -> Change:
    """Have it answer in no way that makes sense."""

    def change(gluetun: FakeGluetun) -> None:
        gluetun.faults = dict.fromkeys(paths or ("*",), fault)  # type: ignore[arg-type]

    return change


def refuses(gluetun: FakeGluetun) -> None:
    """Have it know another key only."""
    gluetun.api_key = "another"


def half_refuses(gluetun: FakeGluetun) -> None:
    """Have a role that may ask for the status only."""
    gluetun.keyless = {PUBLIC_IP}


def mend(gluetun: FakeGluetun) -> None:
    """Undo all of these."""
    gluetun.status, gluetun.public_ip = "running", BY_TUNNEL
    gluetun.faults, gluetun.keyless, gluetun.api_key = {}, set(), KEY


ROWS: dict[str, tuple[Change, bool]] = {
    "stopped": (says("stopped"), False),
    "stopping": (says("stopping", BY_TUNNEL), False),
    "starting": (says("starting"), False),
    "crashed": (says("crashed"), False),
    "completed": (says("completed"), False),
    "hangs": (fails("hang"), False),
    "fails": (fails("error"), False),
    "is cut off": (fails("cut"), False),
    "refuses the key": (refuses, True),
    "refuses it for the address": (half_refuses, True),
    "page of a router": (fails("html"), True),
    "redirects": (fails("redirect"), True),
    "garbage": (fails("garbage", STATUS), True),
}
"""What happens, and whether it is for the user to mend."""


async def test_proven(watched: Watch, gluetun: FakeGluetun) -> None:
    """The client is seen where its gluetun is; elsewhere is no leak, but no proof either."""
    one, magnet = new_magnet(announced_at())
    await watched.deliver(magnet)
    await watched.arrives(one)
    await until_told(watched.client, BY_TUNNEL)
    await watched.until_route("vpn")
    gluetun.public_ip = OTHER_EXIT
    await watched.until_route("unproven")
    assert watched.status == "ok"
    assert watched.repairs == {}
    assert watched.leaks == []


async def test_every_row(watched: Watch, gluetun: FakeGluetun) -> None:
    """Nothing is handed over meanwhile, and it is when all is well again."""
    for what, (change, is_to_be_mended) in ROWS.items():
        print(what)
        change(gluetun)
        await watched.until_status("vpn_down", seconds=PATIENCE_SECONDS)
        waiting, magnet = new_magnet(announced_at())
        answer = await add(watched.hass, magnet)
        assert [one["reason"] for one in answer["queued"]] == ["vpn_down"]
        assert watched.world.heard(waiting) == []
        assert ("gluetun_auth" in watched.repairs) is is_to_be_mended
        mend(gluetun)
        await watched.until_status("ok", seconds=PATIENCE_SECONDS)
        await watched.arrives(waiting)
        assert watched.repairs == {}


async def test_no_address_for_an_hour(watched: Watch, gluetun: FakeGluetun) -> None:
    """It may never learn its address with a good tunnel: no outage, but no hand-over either."""
    gluetun.public_ip = ""
    asked = len(gluetun.requests)
    while len(gluetun.requests) - asked < REQUESTS_OF_AN_HOUR:
        assert await watched.check() == "ok"
    waiting, magnet = new_magnet(announced_at())
    answer = await add(watched.hass, magnet)
    assert [one["reason"] for one in answer["queued"]] == ["vpn_down"]
    assert watched.status == "vpn_down"
    gluetun.public_ip = BY_TUNNEL
    await watched.until_status("ok", seconds=PATIENCE_SECONDS)
    await watched.arrives(waiting)
