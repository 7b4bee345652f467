"""`check_health` says in plain words why something is not up."""

import socket
from unittest.mock import Mock

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.health.words import reason_of
from tests.support.actions import add, call
from tests.support.common import TARGET, FakeVpn, Start, instance, link, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, FakeGluetun


async def test_all_is_well(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    gluetun: FakeGluetun,
) -> None:
    await start(
        instance("first", primary, requires_vpn=True, gluetun=gluetun.fields), targets=(TARGET,)
    )
    assert await call(hass, "check_health") == {
        "vpn": "on",
        "instances": {"First": "ok"},
        "reasons": {},
    }
    assert "reasons" not in (await add(hass, link(1)))["health"]


async def test_reasons(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    gluetun: FakeGluetun,
) -> None:
    """Of every target and witness that is not up, and of every instance that cannot be used."""
    with socket.socket() as bound:  # bound, and not listening
        bound.bind(("127.0.0.1", 0))
        refused = f"127.0.0.1:{bound.getsockname()[1]}"
        vpn.up = False
        gluetun.say("stopped")
        await secondary.refuse()
        await start(
            instance("first", primary, requires_vpn=True, gluetun=gluetun.fields),
            instance("second", secondary, priority=2),
            targets=(TARGET, refused, "127.0.0.1:"),
        )
        found = await call(hass, "check_health")
    assert found["reasons"] == {
        TARGET: "no answer",
        refused: "the connection was refused",
        "127.0.0.1:": "its address is not known",
        "gluetun of First": "gluetun says stopped",
        "First": (
            f"the VPN is not up ({TARGET}: no answer, {refused}: the connection was refused,"
            " 127.0.0.1:: its address is not known, gluetun of First: gluetun says stopped)"
        ),
        "Second": "there is no connection to it (connection refused)",
    }
    vpn.permitted = False
    assert (await call(hass, "check_health"))["reasons"][TARGET] == (
        "this host permits no ICMP socket"
    )


async def test_gluetun_alone(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    """Without targets there is no verdict on the VPN of the hub, and no sensor of it."""
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert await call(hass, "check_health") == {
        "vpn": None,
        "instances": {"First": "ok"},
        "reasons": {},
    }
    assert hass.states.get("binary_sensor.qbittorrent_resilient_vpn") is None
    gluetun.say("running")
    for _ in range(5):
        await poll(hass)
    found = await call(hass, "check_health")
    assert found["instances"] == {"First": "ok"}
    assert found["reasons"] == {"gluetun of First": "gluetun runs, and knows no public address"}
    assert EXIT not in str(found)


async def test_a_check_counts_as_a_round(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    gluetun.say("crashed")
    statuses = [(await call(hass, "check_health"))["instances"]["First"] for _ in range(3)]
    assert statuses == ["ok", "ok", "vpn_down"]


@pytest.mark.parametrize("status", [one for one in InstanceStatus if one != "ok"])
def test_every_status_has_words(status: InstanceStatus) -> None:
    monitor = Mock(status=status, reason=None, vpn=None)
    words = reason_of(monitor)
    assert words is not None
    assert " " in words
