"""The blueprint that tells of the VPN and of servers being down."""

from pathlib import Path

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest

from tests.support.actions import call, check, status_of
from tests.support.automations import Calls
from tests.support.blueprints import rounds, run, run_with_defaults, runs, texts, timed
from tests.support.common import (
    TARGET,
    FakeVpn,
    Start,
    eventually,
    instance,
    pass_time,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, FakeGluetun
from tests.support.states import bring_up, take_down, vpn_state

NONE_LOST = "Magnets that require the VPN wait; none is lost."
WHY = "The action check_health says why."
VPN_DOWN = "The VPN is down: No VPN target answers, for 10 minutes. " + NONE_LOST
VPN_BACK = "The VPN is back: Servers that require it are checked now."


def down(name: str, status: str = "Unreachable") -> str:
    return f"{name} is down: Its status: {status}, for 10 minutes. {WHY}"


async def test_vpn_down_and_back(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    phone: Calls,
    primary: FakeQBittorrent,
    tmp_path: Path,
) -> None:
    """The server that only waits for it is not told of; a short outage is not either."""
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    calls = await run(hass, tmp_path, "notify_health", minutes=10)
    await take_down(hass, vpn)
    await bring_up(hass, vpn)
    await poll(hass, 700)
    assert not calls
    await take_down(hass, vpn)
    pass_time(hass, 601)
    await eventually(lambda: calls)
    await rounds(hass, vpn, 2, up=True)
    await eventually(lambda: len(calls) == 2)
    assert texts(calls) == [
        VPN_DOWN,
        VPN_BACK,
    ]
    assert [one.data["title"] for one in phone] == ["The VPN is down", "The VPN is back"]


async def test_servers_down_and_back(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    tmp_path: Path,
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    calls = await run(hass, tmp_path, "notify_health", minutes=0)
    await primary.refuse()
    await secondary.refuse()
    await call(hass, "check_health")
    await eventually(lambda: len(calls) == 2)
    assert sorted(texts(calls)) == [
        f"First is down: Its status: Unreachable. {WHY}",
        f"Second is down: Its status: Unreachable. {WHY}",
    ]
    calls.clear()
    await secondary.listen()
    await call(hass, "check_health")
    await eventually(lambda: calls)
    assert texts(calls) == ["Second is back: Magnets that wait are delivered now."]
    await primary.listen()
    await call(hass, "check_health")
    await settled(hass)
    assert texts(calls)[1:] == ["First is back: Magnets that wait are delivered now."]


async def test_chosen_servers_and_those_that_wait(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    tmp_path: Path,
) -> None:
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    servers = {"entity_id": ["sensor.first_status"]}
    calls = await run(hass, tmp_path, "notify_health", minutes=0, servers=servers, waiting=True)
    await secondary.refuse()
    await check(hass)
    assert not calls
    await rounds(hass, vpn, 3, up=False)
    await eventually(lambda: len(calls) == 2)
    assert sorted(texts(calls)) == [
        f"First is down: Its status: VPN down. {WHY}",
        "The VPN is down: No VPN target answers. " + NONE_LOST,
    ]
    await rounds(hass, vpn, 2, up=True)
    await settled(hass)
    assert len(calls) == 4


@pytest.mark.parametrize("minutes", [0, 10])
async def test_only_gluetun_watches(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    tmp_path: Path,
    minutes: int,
) -> None:
    """There is no sensor of a VPN that would tell of it."""
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    calls = await run(hass, tmp_path, "notify_health", minutes=minutes)
    gluetun.say("stopped")
    for _ in range(4):
        await call(hass, "check_health")
    assert status_of(hass, "first") == "vpn_down"
    if minutes:
        pass_time(hass, 601)
    await eventually(lambda: runs(hass))
    assert not calls  # the sensor of the VPN might follow
    pass_time(hass, 6)
    await eventually(lambda: calls)
    gluetun.say("running", EXIT)
    for _ in range(3):
        await call(hass, "check_health")
    await eventually(lambda: len(calls) == 2)
    assert [text.split(":")[0] for text in texts(calls)] == ["First is down", "First is back"]
    assert "VPN down" in texts(calls)[0]


async def test_server_turns_out_to_be_down_when_the_vpn_is_back(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    calls = await run(hass, tmp_path, "notify_health", minutes=10)
    await take_down(hass, vpn)
    pass_time(hass, 601)
    await eventually(lambda: calls)
    await eventually(lambda: runs(hass) == 2)
    await primary.refuse()
    await rounds(hass, vpn, 2, up=True)
    await eventually(lambda: status_of(hass, "first") == "unreachable" and len(calls) == 2)
    assert texts(calls) == [VPN_DOWN, VPN_BACK]
    await eventually(lambda: timed(hass, 10) == 1)
    pass_time(hass, 601)
    await eventually(lambda: len(calls) == 3)
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: len(calls) == 4 and not runs(hass))
    assert texts(calls)[2:] == [
        down("First"),
        "First is back: Magnets that wait are delivered now.",
    ]


async def test_server_is_fine_when_the_vpn_is_back(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """The VPN may fall again before the server has told how it is."""
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    calls = await run(hass, tmp_path, "notify_health", minutes=10)
    await take_down(hass, vpn)
    pass_time(hass, 601)
    await eventually(lambda: len(calls) == 1 and runs(hass) == 2)
    await primary.refuse()
    await rounds(hass, vpn, 2, up=True)
    await eventually(lambda: status_of(hass, "first") == "unreachable")
    await rounds(hass, vpn, 3, up=False)
    await eventually(lambda: status_of(hass, "first") == "vpn_down")
    await primary.listen()
    await rounds(hass, vpn, 2, up=True)
    await eventually(lambda: not runs(hass))
    assert texts(calls) == [VPN_DOWN, VPN_BACK]


@pytest.mark.parametrize("waiting", [False, True])
async def test_down_since_before_a_start(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    tmp_path: Path,
    waiting: bool,
) -> None:
    """All is told of once, and of its end."""
    vpn.up = False
    await secondary.refuse()
    hass.set_state(CoreState.starting)
    calls = await run(hass, tmp_path, "notify_health", minutes=10, waiting=waiting)
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await eventually(lambda: timed(hass, 1))
    await rounds(hass, vpn, 3, up=False)
    assert vpn_state(hass) == "off"
    pass_time(hass, 61)
    await eventually(lambda: runs(hass) == 3)
    await eventually(lambda: timed(hass, 10) == 2 + waiting)
    assert not calls
    pass_time(hass, 601)
    await eventually(lambda: len(calls) == 2 + waiting)
    assert sorted(texts(calls)) == sorted(
        [VPN_DOWN, down("Second"), *([down("First", "VPN down")] if waiting else [])]
    )
    calls.clear()
    await rounds(hass, vpn, 2, up=True)
    await secondary.listen()
    await call(hass, "check_health")
    await eventually(lambda: not runs(hass))
    assert {text.split(":")[0] for text in texts(calls)} == {
        "The VPN is back",
        "Second is back",
        *(["First is back"] if waiting else []),
    }


async def test_all_is_well_at_a_start_and_a_reload(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    hass.set_state(CoreState.starting)
    calls = await run(hass, tmp_path, "notify_health", minutes=10)
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await eventually(lambda: timed(hass, 1) == 1)
    pass_time(hass, 61)
    await eventually(lambda: not runs(hass))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: timed(hass, 1) == 1)
    pass_time(hass, 61)
    await eventually(lambda: not runs(hass))
    assert not calls


async def test_down_since_before_a_reload(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    tmp_path: Path,
) -> None:
    """Only what was chosen, by whichever of its names, and the VPN; runs of before end."""
    entry = await start(
        instance("first", primary), instance("second", secondary, priority=2), targets=(TARGET,)
    )
    devices = dr.async_get(hass)
    device = devices.async_get_device_by_identifier((entry.domain, "first"), entry.entry_id)
    assert device is not None
    calls = await run(hass, tmp_path, "notify_health", minutes=10, servers={"device_id": device.id})
    await primary.refuse()
    await secondary.refuse()
    await take_down(hass, vpn)
    pass_time(hass, 601)
    await eventually(lambda: len(calls) == 2)
    calls.clear()
    assert runs(hass) == 2
    assert await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: runs(hass) == timed(hass, 1) == 1)
    await rounds(hass, vpn, 3, up=False)
    pass_time(hass, 61)
    await eventually(lambda: runs(hass) == timed(hass, 10) == 2)
    assert not calls
    pass_time(hass, 601)
    await eventually(lambda: len(calls) == 2)
    assert sorted(texts(calls)) == sorted([down("First"), VPN_DOWN])


@pytest.mark.parametrize(
    ("minutes", "lasting"),
    [
        (0, ""),
        (1, ", for 1 minute"),
        (59, ", for 59 minutes"),
        (60, ", for 1 hour"),
        (90, ", for 90 minutes"),
        (120, ", for 2 hours"),
    ],
)
async def test_in_home_assistant_by_default(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    minutes: int,
    lasting: str,
) -> None:
    """Without a phone and an action. One notification of each server says how it is now."""
    await start(instance("first", primary))
    await run_with_defaults(hass, tmp_path, "notify_health", minutes=minutes)
    await primary.refuse()
    await call(hass, "check_health")
    if minutes:
        await eventually(lambda: timed(hass, minutes) == 1)
        pass_time(hass, 60 * minutes + 1)
    notes = hass.data.setdefault("persistent_notification", {})
    await eventually(lambda: notes)
    (note,) = notes.values()
    assert note["title"] == "First is down"
    assert note["message"] == f"Its status: Unreachable{lasting}. {WHY}"
    await eventually(lambda: runs(hass) == 1)
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: not runs(hass))
    (note,) = notes.values()
    assert note["title"] == "First is back"
