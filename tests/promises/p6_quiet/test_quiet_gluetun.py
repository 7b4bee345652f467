"""What is logged of a gluetun: down and up once each, nothing at every poll."""

import logging

from homeassistant.core import HomeAssistant
import pytest

from tests.support.common import FakeClock, Start, instance, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, PUBLIC_IP, STATUS, FakeGluetun

OURS = "custom_components.qbittorrent_resilient"
POLLS = 50


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged by us since the last time."""
    found = [
        one.getMessage()
        for one in caplog.records
        if one.name.startswith(OURS) and one.levelno >= logging.INFO
    ]
    caplog.clear()
    return found


async def polls(hass: HomeAssistant, clock: FakeClock, number: int = POLLS) -> None:
    for _ in range(number):
        clock.tick(30)
        await poll(hass)


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        ("stopped", "The VPN of First is down: gluetun says stopped"),
        ("refused", "The VPN of First is not known to be up: gluetun refuses the credentials"),
        ("html", "The VPN of First is not known to be up: what answers is not gluetun's"),
        ("silent", "The VPN of First is not known to be up: gluetun does not answer"),
    ],
)
async def test_logged_once(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    trouble: str,
    line: str,
) -> None:
    fields = gluetun.fields
    await start(instance("first", primary, requires_vpn=True, gluetun=fields))
    assert sorted(said(caplog)) == ["First is ok", "The VPN of First is up"]
    if trouble == "stopped":
        gluetun.say("stopped")
    elif trouble == "refused":
        gluetun.api_key = "another"
    else:
        gluetun.faults["*"] = "html" if trouble == "html" else "error"
    await polls(hass, clock, 5)
    (told,) = said(caplog)
    assert told.startswith(line)
    await polls(hass, clock)
    assert said(caplog) == []
    gluetun.say("running", EXIT)
    gluetun.api_key = ""
    gluetun.faults.clear()
    await polls(hass, clock)
    assert sorted(said(caplog)) == ["First is ok", "The VPN of First is up"]


@pytest.mark.parametrize("fault", [None, "error"])
async def test_no_verdict_from_the_start_is_told(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    fault: str | None,
) -> None:
    """The user has to hear why nothing works, though the verdict never changes."""
    gluetun.say("running")
    if fault:
        gluetun.faults["*"] = "error"
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    await polls(hass, clock)
    (line,) = said(caplog)
    assert line.startswith("The VPN of First is not known to be up: gluetun ")


async def test_what_is_asked_in_an_hour(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two small requests every half minute, to two routes only."""
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    gluetun.requests.clear()
    await polls(hass, clock, 120)
    assert set(gluetun.paths) == {STATUS, PUBLIC_IP}
    assert len(gluetun.requests) == 240
    assert {one.method for one in gluetun.requests} == {"GET"}
