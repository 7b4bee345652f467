"""Nothing is handed over through a VPN that is not up, whenever it falls."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.support.actions import add, call, hashes, on_request, work
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    settled,
)
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent


async def test_nothing_goes_to_the_vpn_instance_without_vpn(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    clock: FakeClock,
) -> None:
    vpn.up = False
    entry = await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    await add(hass, link(1))
    await secondary.refuse()
    await add(hass, link(2), wait_for_vpn=30)
    await call(hass, "retry_queue")
    await call(hass, "check_health")
    clock.tick(1000)
    await work(entry)
    assert not primary.requests
    assert primary.record.connections == 0


async def test_vpn_falls_in_the_middle_of_a_delivery(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "ADD_MAGNETS", (10, 10))
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )

    def look(received: Received) -> None:
        if len(primary.requests_to("torrents/add")) == 2:
            vpn.up = False
            clock.tick(6)  # the last round is no proof any more

    on_request(primary, look)
    response = await add(hass, *(link(one) for one in range(1, 51)))
    assert response["health"]["vpn"] == "off"
    assert [one["instance"] for one in response["added"]] == ["First"] * 20 + ["Second"] * 30
    assert len(primary.adds) == 2
    after = len(primary.requests)
    await call(hass, "check_health")
    await add(hass, link(99))
    assert len(primary.requests) == after


@pytest.mark.parametrize("comes_back", [False, True])
async def test_vpn_in_doubt_at_the_moment_of_sending(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    clock: FakeClock,
    *,
    comes_back: bool,
) -> None:
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    vpn.up = False
    assert (await call(hass, "check_health"))["vpn"] == "on"  # one round is no verdict
    vpn.up = comes_back
    response = await add(hass, link(1))
    assert hashes(response["added"]) == [info_hash(1)]
    assert response["added"][0]["instance"] == ("First" if comes_back else "Second")
    assert bool(primary.adds) is comes_back
    assert response["health"]["vpn"] == ("on" if comes_back else "off")


async def test_vpn_falls_while_the_answer_is_awaited(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    clock: FakeClock,
    impatient: None,
) -> None:
    """The server may have it and cannot be asked: nobody else gets it for now."""
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    fault = primary.faults.hang("torrents/add", after=True)
    adding = hass.async_create_task(add(hass, link(1)))
    await eventually(lambda: fault.hits)
    vpn.up = False
    for _ in range(3):
        await call(hass, "check_health")
    response = await adding
    assert response["queued"][0]["reason"] == "uncertain"
    assert not secondary.adds
    requests = len(primary.requests)
    await call(hass, "retry_queue")
    assert len(primary.requests) == requests
    primary.faults.clear()
    vpn.up = True
    for _ in range(2):
        await call(hass, "check_health")
    await settled(hass)
    await eventually(
        lambda: hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")
    )
    assert len(primary.adds) == 1
    assert not secondary.adds


async def test_instance_that_does_not_say_requires_the_vpn(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    """No form leaves the field out, but an entry that was made by hand may."""
    unsaid = instance("first", primary)
    del unsaid["data"]["requires_vpn"]  # type: ignore[attr-defined]
    vpn.up = False
    await start(unsaid, targets=(TARGET,))
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "vpn_down"
    assert not primary.record.connections
