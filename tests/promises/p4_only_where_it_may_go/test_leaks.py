"""Nothing is given to a server whose torrents are seen to leave by the home line."""

from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.qbittorrent_resilient.core.health.route import QUIET_SECONDS
from tests.support.actions import add, again, call, hashes, status_of, work
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent
from tests.support.leaks import ROUTER, leak, start_at_home
from tests.support.routes import EXIT, HOME, HOME_V6, TUNNEL

pytestmark = pytest.mark.usefixtures("vpn")


async def test_leak_found_at_a_check(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The next magnet waits, and nothing of it is sent: neither it nor its hash."""
    await start_at_home(hass, start, primary)
    assert status_of(hass, "first") == "ok"
    await leak(hass, primary)
    assert status_of(hass, "first") == "leaking"
    primary.record.clear()
    response = await add(hass, link(1), max_retries=0)
    assert response["queued"][0]["reason"] == "leaking"
    assert response["health"]["instances"] == {"First": "leaking"}
    health = await call(hass, "check_health")
    assert health["reasons"] == {"First": "its torrents leave by the home line"}
    primary.record.clear()
    await call(hass, "retry_queue")
    assert {one.endpoint for one in primary.requests} == {"transfer/info", "log/main"}


async def test_another_server_gets_it(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    secondary.network.bind("tun0")
    other = instance("second", secondary, priority=2, requires_vpn=True)
    await start_at_home(hass, start, primary, other)
    await leak(hass, primary)
    response = await add(hass, link(1))
    assert response["added"][0]["instance"] == "Second"
    assert not primary.adds


async def test_leak_between_check_and_delivery(
    hass: HomeAssistant, start: Start, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    """The look before a delivery finds it, and nothing goes over the wire."""
    await start_at_home(hass, start, primary)
    assert hashes((await add(hass, link(1)))["added"]) == [info_hash(1)]
    primary.network.detect(HOME)
    clock.tick(6)
    primary.record.clear()
    response = await add(hass, link(2))
    assert response["queued"][0]["reason"] == "leaking"
    assert status_of(hass, "first") == "leaking"
    assert not primary.requests_to("torrents/add")
    assert info_hash(2) not in primary.hashes
    assert len(primary.requests_to("transfer/info")) == 1


async def test_look_before_a_delivery_costs_two_small_questions(
    hass: HomeAssistant, start: Start, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    await start_at_home(hass, start, primary)
    await call(hass, "check_health")
    for ahead, looks in ((0, 0), (6, 1)):
        clock.tick(ahead)
        primary.record.clear()
        await add(hass, link(100 + ahead))
        assert len(primary.requests_to("transfer/info")) == looks
        assert len(primary.requests_to("log/main")) == looks
        assert not primary.requests_to("app/preferences")
        assert len(primary.adds) == 1
        assert not primary.logins


async def test_server_that_cannot_be_looked_at_gets_nothing(
    hass: HomeAssistant, start: Start, clock: FakeClock, primary: FakeQBittorrent
) -> None:
    await start_at_home(hass, start, primary)
    clock.tick(6)
    primary.faults.cut("log/main")
    response = await add(hass, link(1), max_retries=0)
    assert response["queued"][0]["reason"] == "unreachable"
    assert not primary.requests_to("torrents/add")


async def test_it_holds_over_a_reload_and_a_restart(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, hass_storage: dict[str, Any]
) -> None:
    """Even if the router has not told its address yet by then."""
    entry = await start_at_home(hass, start, primary)
    await leak(hass, primary)
    await settled(hass)
    kept = hass_storage["qbittorrent_resilient.hub.routes"]["data"]["routes"]
    assert kept["first"]["latch"]["version"] == 4
    for router in (HOME, "unavailable"):
        hass.states.async_set(ROUTER, router)
        hass.data.pop("qbittorrent_resilient_homes", None)  # in memory only
        await again(hass, entry)
        await poll(hass)
        assert status_of(hass, "first") == "leaking"
        response = await add(hass, link(1))
        assert response["queued"][0]["reason"] == "leaking"
    assert not primary.adds


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", '{"version": 1, "key": "x", "data": {"routes": {"first": 7}}}']
)
async def test_damaged_memory_blocks_nothing(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    storage_folder: Any,
    damaged: str,
) -> None:
    storage_folder.mkdir(exist_ok=True)
    (storage_folder / "qbittorrent_resilient.hub.routes").write_text(damaged)
    await start_at_home(hass, start, primary)
    assert status_of(hass, "first") == "ok"
    await leak(hass, primary)
    assert status_of(hass, "first") == "leaking"


async def test_memory_goes_with_the_entry(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, storage_folder: Any
) -> None:
    entry = await start_at_home(hass, start, primary)
    file = storage_folder / "qbittorrent_resilient.hub.routes"
    assert not file.exists()
    await leak(hass, primary)
    await settled(hass)
    assert file.stat().st_mode & 0o777 == 0o600
    await hass.config_entries.async_remove(entry.entry_id)
    assert not file.exists()


async def _mend(hass: HomeAssistant, _server: FakeQBittorrent, client: Any, _tick: Any) -> None:
    url = "/api/repairs/issues/fix"
    issue = {"handler": "qbittorrent_resilient", "issue_id": "leaking_first"}
    form = await (await client.post(url, json=issue)).json()
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "confirm")
    assert form["description_placeholders"] == {
        "name": "First",
        "evidence": "Its log names the home address (IPv4)",
        "port_mapping": "",
    }
    result = await (await client.post(f"{url}/{form['flow_id']}", json={})).json()
    assert result["type"] == FlowResultType.CREATE_ENTRY
    await settled(hass)


async def _bind(hass: HomeAssistant, server: FakeQBittorrent, _client: Any, _tick: Any) -> None:
    server.network.bind("tun0")
    await poll(hass)


async def _restart(hass: HomeAssistant, server: FakeQBittorrent, _client: Any, tick: Any) -> None:
    tick(1000)
    server.launch_time += 500
    await server.restart()
    await poll(hass)


async def _wait(hass: HomeAssistant, server: FakeQBittorrent, _client: Any, tick: Any) -> None:
    server.network.interfaces.remove("tun0")  # one interface: its router has the VPN
    server.network.detect(EXIT)
    await call(hass, "check_health")
    assert status_of(hass, "first") == "leaking"
    tick(QUIET_SECONDS)
    await call(hass, "check_health")


WAYS: dict[str, Callable[..., Awaitable[None]]] = {
    "the user says so": _mend,
    "another binding": _bind,
    "another process": _restart,
    "another address for a while": _wait,
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_ends_it(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
    way: str,
) -> None:
    """Then what waits is delivered, and the old evidence does not count again."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await start_at_home(hass, start, primary)
    await leak(hass, primary)
    assert (await add(hass, link(1)))["queued"]
    await WAYS[way](hass, primary, await hass_client(), clock.tick)
    await work(entry)
    assert status_of(hass, "first") == "ok"
    await eventually(lambda: info_hash(1) in primary.hashes)
    await settled(hass)
    await again(hass, entry)
    await poll(hass)
    assert status_of(hass, "first") == "ok"


@pytest.mark.parametrize("address", [HOME, TUNNEL, HOME_V6])
async def test_without_a_home_address_nothing_is_blocked(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, address: str
) -> None:
    primary.network.bind("")
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    primary.network.detect(address)
    for _ in range(3):
        await poll(hass)
    assert status_of(hass, "first") == "ok"
    assert hashes((await add(hass, link(1)))["added"]) == [info_hash(1)]


async def test_a_server_that_needs_no_vpn_may_use_the_home_line(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    hass.states.async_set(ROUTER, HOME)
    await start(instance("first", primary), targets=(TARGET,), home=(ROUTER,))
    primary.network.detect(HOME)
    await poll(hass)
    assert status_of(hass, "first") == "ok"
    assert hashes((await add(hass, link(1)))["added"]) == [info_hash(1)]


async def test_home_address_that_comes_later(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The router's integration starts after ours: what was said before counts."""
    hass.states.async_set(ROUTER, "unavailable")
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,), home=(ROUTER,))
    primary.network.detect(HOME)
    await poll(hass)
    assert status_of(hass, "first") == "ok"
    hass.states.async_set(ROUTER, HOME)
    await hass.async_block_till_done()
    assert status_of(hass, "first") == "leaking"


async def test_vpn_down_comes_first(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    await start_at_home(hass, start, primary)
    await leak(hass, primary)
    vpn.up = False
    for _ in range(3):
        await call(hass, "check_health")
    assert status_of(hass, "first") == "vpn_down"
    requests = len(primary.requests)
    await call(hass, "check_health")
    assert len(primary.requests) == requests
    vpn.up = True
    for _ in range(2):
        await call(hass, "check_health")
    assert status_of(hass, "first") == "leaking"
