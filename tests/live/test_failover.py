"""Magnets past servers that are killed, hang, or are behind a VPN that is down."""

import asyncio
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.qbittorrent.client import Client
from custom_components.qbittorrent_resilient.core.reconciliation import settling
from tests.live.common import delivered, fields, health, set_up, until
from tests.live.conftest import StartServer
from tests.support.actions import add, call, hashes, status_of
from tests.support.common import TARGET, FakeVpn, info_hash, link
from tests.support.harness.forwarder import Forwarder
from tests.support.harness.qbittorrent import VERSIONS

each_version = pytest.mark.parametrize("suite", VERSIONS, ids=VERSIONS.values())
OTHER = {
    "bookworm": "forky",
    "trixie": "bookworm",
    "forky": "trixie",
    "trixie-backports": "trixie",
}


def numbered(*numbers: int) -> set[str]:
    return {info_hash(number) for number in numbers}


@pytest.mark.usefixtures("often")
@each_version
async def test_killed_and_back(hass: HomeAssistant, start_server: StartServer, suite: str) -> None:
    primary, secondary = start_server(suite), start_server(OTHER[suite])
    await set_up(hass, fields(primary), fields(secondary, "Second"))
    assert (await add(hass, link(1)))["added"][0]["instance"] == "First"

    primary.kill()
    response = await add(hass, link(2), max_retries=1)
    assert response["added"] == [
        {
            "info_hash": info_hash(2),
            "name": "Torrent 2",
            "instance": "Second",
            "status": "added",
        }
    ]
    assert response["health"]["instances"] == {"First": "unreachable", "Second": "ok"}
    assert secondary.hashes() == numbered(2)

    secondary.kill()
    response = await add(hass, link(3), link(4), max_retries=0)
    assert hashes(response["queued"]) == [info_hash(3), info_hash(4)]
    assert {one["reason"] for one in response["queued"]} == {"unreachable"}

    primary.start()
    await until(lambda: numbered(3, 4) <= primary.hashes(), seconds=8)
    assert status_of(hass, "first") == "ok"
    # A crash so soon may have cost it the first one; then it gets it again.
    await until(lambda: primary.hashes() == numbered(1, 3, 4))
    secondary.start()
    await until(lambda: status_of(hass, "second") == "ok")
    await until(lambda: secondary.hashes() == numbered(2))
    await delivered(hass)


@pytest.mark.usefixtures("often", "impatient")
@pytest.mark.parametrize("suite", ["bookworm", "forky"], ids=VERSIONS.get)
async def test_frozen_in_an_add(
    hass: HomeAssistant,
    start_server: StartServer,
    suite: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    primary, secondary = start_server(suite), start_server(OTHER[suite])
    await set_up(hass, fields(primary), fields(secondary, "Second"))
    hand_over = Client.add

    async def frozen(self: Client, *args: Any, **options: Any) -> Any:
        primary.freeze()
        monkeypatch.setattr(Client, "add", hand_over)
        return await self.add(*args, **options)

    monkeypatch.setattr(Client, "add", frozen)
    response = await add(hass, link(1), link(2))
    assert hashes(response["queued"]) == [info_hash(1), info_hash(2)]
    assert {one["reason"] for one in response["queued"]} == {"uncertain"}
    await until(lambda: status_of(hass, "first") == "timeout")
    # What was never sent to the one that hangs need not wait for it.
    assert (await add(hass, link(3)))["added"][0]["instance"] == "Second"
    assert hashes((await call(hass, "retry_queue"))["queued"]) == [info_hash(1), info_hash(2)]
    assert secondary.hashes() == numbered(3)

    primary.thaw()
    await delivered(hass)
    assert primary.hashes() == numbered(1, 2)
    assert len(primary.torrents()) == 2
    assert secondary.hashes() == numbered(3)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("suite", "auth"),
    [
        ("bookworm", "password"),
        ("bookworm", "bypass"),
        ("trixie", "password"),
        ("forky", "password"),
        ("forky", "api_key"),
        ("trixie-backports", "password"),
    ],
)
async def test_killed_right_after_the_answer(
    hass: HomeAssistant,
    start_server: StartServer,
    suite: str,
    auth: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if auth == "api_key":  # no session that ends: only the look after this time finds out
        monkeypatch.setattr(settling, "SETTLE_SECONDS", 2)
    server = start_server(suite, auth=auth)
    started = time.monotonic()
    await set_up(hass, fields(server))
    wanted = numbered(*range(1, 101))
    await asyncio.sleep(max(0, started + 1.1 - time.monotonic()))  # told apart by the second
    response = await add(hass, *(link(number) for number in range(1, 101)))
    server.kill()
    assert {one["status"] for one in response["added"]} == {"added"}
    assert set(hashes(response["added"])) == wanted
    saved = sorted((server.profile / "qBittorrent/data/BT_backup").glob("*.fastresume"))
    for path in saved[:90]:  # so that some are lost on the fastest disk, too
        path.unlink()

    server.start()
    assert len(server.hashes()) <= 10
    await until(lambda: server.hashes() == wanted)
    await delivered(hass)


@each_version
async def test_nothing_without_the_vpn(
    hass: HomeAssistant, start_server: StartServer, suite: str, vpn: FakeVpn
) -> None:
    behind, beside = start_server(suite), start_server(OTHER[suite])
    async with Forwarder(behind.url) as port_mapping:
        entry = await set_up(
            hass,
            fields(behind, url=port_mapping.url),
            fields(beside, "Second", requires_vpn=False),
            targets=(TARGET,),
        )
        sensor = er.async_get(hass).async_get_entity_id(
            "binary_sensor", DOMAIN, f"{entry.entry_id}_vpn"
        )
        assert sensor is not None
        seen: list[str] = []

        def look() -> None:
            state = hass.states.get(sensor)
            seen.append("none" if state is None else state.state)

        port_mapping.listener = look
        assert (await add(hass, link(1)))["added"][0]["instance"] == "First"
        assert set(seen) == {"on"}
        assert behind.hashes() == numbered(1)

        vpn.up = False
        for _ in range(3):
            await health(hass)
        assert hass.states.is_state(sensor, "off")
        port_mapping.forget()
        await _try_all(hass, 2)
        assert await health(hass) == {"First": "vpn_down", "Second": "ok"}
        assert (port_mapping.connections, port_mapping.received) == (0, 0)

        # Set up anew without a verdict on the VPN: that is not `on` either.
        vpn.permitted = False
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert hass.states.is_state(sensor, "unknown")
        await _try_all(hass, 4)
        assert (port_mapping.connections, port_mapping.received) == (0, 0)
        assert set(seen) == {"on"}

        vpn.up = vpn.permitted = True
        assert (await health(hass))["First"] == "ok"
        assert hass.states.is_state(sensor, "on")
        await until(lambda: behind.hashes() == numbered(1, 3, 5))
        assert port_mapping.received > 0
        assert beside.hashes() == numbered(2, 4)


async def _try_all(hass: HomeAssistant, number: int) -> None:
    """Do whatever could send something to the instance that requires the VPN."""
    response = await add(hass, link(number), wait_for_vpn=0.2)
    assert [one["instance"] for one in response["added"]] == ["Second"]
    response = await add(hass, link(number + 1), require_vpn=True)
    assert response["queued"][0]["reason"] == "vpn_down"
    response = await add(hass, link(99), require_vpn=True, queue=False)
    assert response["failed"][0]["reason"] == "vpn_down"
    assert info_hash(number + 1) in hashes((await call(hass, "retry_queue"))["queued"])
