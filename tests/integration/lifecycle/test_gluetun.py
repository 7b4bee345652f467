"""An instance behind a gluetun: set-up, pace, entries of earlier versions."""

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, status_of
from tests.support.common import TARGET, FakeClock, FakeVpn, Start, eventually, instance, link, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, PUBLIC_IP, STATUS, FakeGluetun


@pytest.mark.parametrize("fields", [None, {}, {"gluetun_url": ""}])
async def test_without_gluetun(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    fields: dict[str, str] | None,
) -> None:
    """Entries of earlier versions have no such field, nor addresses of the home."""
    first = instance("first", primary, requires_vpn=True)
    if fields is not None:
        first = instance("first", primary, requires_vpn=True, gluetun=fields)
    entry = await start(first, targets=(TARGET,))
    hass.config_entries.async_update_entry(entry, data={"vpn_targets": [TARGET]})
    await hass.async_block_till_done()  # it is reloaded
    await eventually(lambda: status_of(hass, "first") == "ok")
    assert status_of(hass, "first") == "ok"
    assert entry.runtime_data.gluetuns == {}


async def test_pace(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    """Two small requests a round; while in doubt the next follows soon."""
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert sorted(gluetun.paths) == [PUBLIC_IP, STATUS]

    async def looks(seconds: float) -> float:
        before = len(gluetun.requests)
        await poll(hass, seconds)
        return (len(gluetun.requests) - before) / 2

    assert await looks(3) == 0  # no doubt: the whole interval
    assert await looks(31) == 1
    gluetun.say("stopped")
    assert await looks(31) == 1
    assert [await looks(3) for _ in range(3)] == [1, 1, 0]
    assert status_of(hass, "first") == "vpn_down"
    gluetun.say("running", EXIT)
    assert await looks(31) == 1
    assert status_of(hass, "first") == "vpn_down"
    assert await looks(3) == 1
    assert status_of(hass, "first") == "ok"  # checked at once, not at the next poll
    gluetun.say("running")
    assert [await looks(31) for _ in range(3)] == [1, 1, 1]
    assert await looks(3) == 0  # no opinion is no doubt
    await gluetun.refuse()
    for _ in range(3):
        assert status_of(hass, "first") == "ok"
        await poll(hass, 31)
    assert status_of(hass, "first") == "vpn_down"


async def test_wait_for_vpn(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    clock: FakeClock,
) -> None:
    """A call waits for a gluetun as it does for targets."""
    gluetun.say("starting")
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    looks = len(gluetun.requests)
    in_vain = await add(hass, link(1), wait_for_vpn=60)
    assert in_vain["queued"][0]["reason"] == "vpn_down"
    assert (len(gluetun.requests) - looks) / 2 > 20
    gluetun.say("running", EXIT)
    waited = await add(hass, link(2), wait_for_vpn=60)
    assert waited["added"][0]["instance"] == "First"


async def test_not_asked_where_the_vpn_is_not_required(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    await start(instance("first", primary, gluetun=gluetun.fields))
    await poll(hass)
    assert status_of(hass, "first") == "ok"
    assert not gluetun.requests


@pytest.mark.parametrize("fault", ["hang", "drip"])
async def test_set_up_does_not_wait_for_it(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    gluetun: FakeGluetun,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    """Nor does an instance that has no gluetun."""
    gluetun.faults["*"] = fault  # type: ignore[assignment]
    await start(
        instance("first", primary, requires_vpn=True, gluetun=gluetun.fields),
        instance("second", secondary, priority=2),
    )
    assert status_of(hass, "second") == "ok"
    assert status_of(hass, "first") == "vpn_down"
    assert primary.record.connections == 0
