"""Nothing is sent to an instance whose gluetun does not say that its tunnel is up."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.support.actions import add, call, hashes, on_request, status_of, work
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
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, PUBLIC_IP, STATUS, FakeGluetun

type Change = Callable[[FakeGluetun], None]


def says(status: str, public_ip: str = "") -> Change:
    return lambda gluetun: gluetun.say(status, public_ip)


def fails(fault: str, path: str = "*") -> Change:
    return lambda gluetun: gluetun.faults.update({path: fault})  # type: ignore[dict-item]


def wants_another_key(gluetun: FakeGluetun) -> None:
    gluetun.api_key = "another"


DOWN = [
    pytest.param(says(word), id=word)
    for word in ("stopped", "stopping", "starting", "crashed", "completed")
]
NOT_KNOWN = [
    pytest.param(says("running"), id="no-address"),
    pytest.param(says("resting", EXIT), id="another-word"),
    pytest.param(wants_another_key, id="refused"),
    pytest.param(fails("html"), id="html"),
    pytest.param(fails("redirect"), id="redirect"),
    pytest.param(fails("error"), id="502"),
    pytest.param(fails("cut"), id="cut"),
    pytest.param(fails("cut", PUBLIC_IP), id="address-cut"),
    pytest.param(fails("html", STATUS), id="status-html"),
]


async def deliver_in_vain(hass: HomeAssistant, clock: FakeClock, entry: object) -> None:
    """Try everything that may lead to a request."""
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "vpn_down"
    await add(hass, link(2), wait_for_vpn=20)
    await call(hass, "retry_queue")
    for _ in range(4):
        await call(hass, "check_health")
    clock.tick(1000)
    await work(entry)  # type: ignore[arg-type]
    for _ in range(4):
        await poll(hass)


@pytest.mark.parametrize("change", [*DOWN, *NOT_KNOWN])
async def test_from_the_start(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
    change: Change,
) -> None:
    """Without targets, the gluetun alone decides; not a single connection is made."""
    fields = gluetun.fields
    change(gluetun)
    entry = await start(instance("first", primary, requires_vpn=True, gluetun=fields))
    await deliver_in_vain(hass, clock, entry)
    assert primary.record.connections == 0
    assert status_of(hass, "first") == "vpn_down"


@pytest.mark.parametrize("change", [*DOWN, *NOT_KNOWN])
async def test_while_it_runs(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
    change: Change,
) -> None:
    """From the moment that gluetun says so, no magnet goes there; after a verdict, nothing does."""
    fields = gluetun.fields
    entry = await start(instance("first", primary, requires_vpn=True, gluetun=fields))
    assert hashes((await add(hass, link(9)))["added"]) == [info_hash(9)]
    change(gluetun)
    clock.tick(60)  # the last look is no proof any more
    assert (await add(hass, link(3)))["queued"][0]["reason"] == "vpn_down"
    assert len(primary.adds) == 1
    requests = len(primary.requests)
    await deliver_in_vain(hass, clock, entry)
    assert len(primary.requests) == requests
    assert status_of(hass, "first") == "vpn_down"


@pytest.mark.parametrize("change", DOWN)
async def test_target_is_up_and_gluetun_is_not(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    gluetun: FakeGluetun,
    clock: FakeClock,
    change: Change,
) -> None:
    """A target may answer by another way than the client's."""
    change(gluetun)
    entry = await start(
        instance("first", primary, requires_vpn=True, gluetun=gluetun.fields), targets=(TARGET,)
    )
    await deliver_in_vain(hass, clock, entry)
    assert primary.record.connections == 0
    assert hass.states.is_state("binary_sensor.qbittorrent_resilient_vpn", "on")


async def test_gluetun_is_up_and_no_target_is(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    gluetun: FakeGluetun,
    clock: FakeClock,
) -> None:
    vpn.up = False
    entry = await start(
        instance("first", primary, requires_vpn=True, gluetun=gluetun.fields), targets=(TARGET,)
    )
    await deliver_in_vain(hass, clock, entry)
    assert primary.record.connections == 0


async def test_target_is_enough_where_gluetun_has_no_opinion(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    gluetun: FakeGluetun,
    clock: FakeClock,
) -> None:
    fields = gluetun.fields
    await start(instance("first", primary, requires_vpn=True, gluetun=fields), targets=(TARGET,))
    await gluetun.refuse()
    clock.tick(60)
    response = await add(hass, link(1))
    assert hashes(response["added"]) == [info_hash(1)]
    for _ in range(5):
        await poll(hass)
    assert status_of(hass, "first") == "ok"
    assert hashes((await add(hass, link(2)))["added"]) == [info_hash(2)]


async def test_tunnel_falls_in_the_middle_of_a_delivery(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "ADD_MAGNETS", (10, 10))
    await start(
        instance("first", primary, requires_vpn=True, gluetun=gluetun.fields),
        instance("second", secondary, priority=2),
    )

    def look(received: Received) -> None:
        if len(primary.requests_to("torrents/add")) == 2:
            gluetun.say("stopping")
            clock.tick(6)

    on_request(primary, look)
    response = await add(hass, *(link(one) for one in range(1, 51)))
    assert [one["instance"] for one in response["added"]] == ["First"] * 20 + ["Second"] * 30
    assert len(primary.adds) == 2
    after = len(primary.requests)
    await call(hass, "check_health")
    await add(hass, link(99))
    assert len(primary.requests) == after


@pytest.mark.parametrize("before", DOWN + NOT_KNOWN[:1])
async def test_delivered_as_soon_as_the_tunnel_is_up(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
    before: Change,
) -> None:
    """One look that sees it up is enough: no further poll is needed for the delivery."""
    before(gluetun)
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert hashes((await add(hass, link(1), link(2)))["queued"])
    gluetun.say("running", EXIT)
    looks = len(gluetun.requests)
    await call(hass, "check_health")
    await eventually(lambda: primary.hashes == {info_hash(1), info_hash(2)})
    await settled(hass)
    assert status_of(hass, "first") == "ok"
    assert len(gluetun.requests) - looks <= 4


async def test_no_address_for_an_hour_changes_nothing_by_itself(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
) -> None:
    """A hand-over wants more; after it the status is steady until the address is back."""
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    gluetun.say("running")
    for _ in range(120):
        clock.tick(30)
        await poll(hass)
        assert status_of(hass, "first") == "ok"
    assert (await add(hass, link(1)))["queued"][0]["reason"] == "vpn_down"
    assert not primary.adds
    requests = len(primary.requests)
    for _ in range(5):
        clock.tick(30)
        await poll(hass)
        assert status_of(hass, "first") == "vpn_down"
    assert len(primary.requests) == requests
    gluetun.say("running", EXIT)
    await poll(hass)
    await eventually(lambda: primary.hashes == {info_hash(1)})


async def test_each_instance_has_its_own(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
) -> None:
    async with FakeGluetun(status="stopped") as other:
        await start(
            instance("first", primary, requires_vpn=True, gluetun=other.fields),
            instance("second", secondary, priority=2, requires_vpn=True, gluetun=gluetun.fields),
        )
        response = await add(hass, link(1))
        assert response["added"][0]["instance"] == "Second"
        assert response["health"] == {
            "vpn": None,
            "instances": {"First": "vpn_down", "Second": "ok"},
        }
        assert primary.record.connections == 0
