"""The lines on the system information page, as Home Assistant itself collects them."""

import json
from pathlib import Path
from typing import Any

from homeassistant.components.system_health import get_info
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.actions import add
from tests.support.common import TARGET, FakeVpn, Start, info_hash, instance, link, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import FakeGluetun

LABELS = json.loads(
    (
        Path(__file__).parents[3] / "custom_components" / DOMAIN / "translations" / "en.json"
    ).read_text()
)["system_health"]["info"]


async def lines(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return what the page shows."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    shown: dict[str, Any] = dict((await get_info(hass))[DOMAIN])
    assert "Error fetching" not in caplog.text
    assert shown.keys() <= LABELS.keys()
    return shown


@pytest.mark.usefixtures("clock")
async def test_all_lines(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    caplog: pytest.LogCaptureFixture,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    secondary.torrents.never_listed = {info_hash(9)}
    shown = await lines(hass, caplog)
    assert shown == {
        "running": True,
        "instances_ok": "2 of 2",
        "vpn": "Up",
        "queued_magnets": 0,
        "failed_magnets": 0,
    }
    assert shown.keys() == LABELS.keys()
    vpn.up = False
    for _ in range(3):
        await poll(hass)
    await add(hass, link(9))
    await secondary.refuse()
    await poll(hass)
    await add(hass, link(1), link(2))
    assert await lines(hass, caplog) == {
        "running": True,
        "instances_ok": "0 of 2",
        "vpn": "Down",
        "queued_magnets": 2,
        "failed_magnets": 1,
    }


async def test_no_vpn_is_watched(
    hass: HomeAssistant,
    start: Start,
    caplog: pytest.LogCaptureFixture,
    primary: FakeQBittorrent,
) -> None:
    await start(instance("first", primary))
    assert (await lines(hass, caplog))["vpn"] == "Not watched"


async def test_nothing_runs(
    hass: HomeAssistant,
    start: Start,
    caplog: pytest.LogCaptureFixture,
    primary: FakeQBittorrent,
) -> None:
    entry = await start(instance("first", primary))
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await lines(hass, caplog) == {"running": False}
    await hass.config_entries.async_remove(entry.entry_id)
    assert await lines(hass, caplog) == {"running": False}


@pytest.mark.usefixtures("clock")
async def test_vpn_that_only_a_gluetun_tells_of(
    hass: HomeAssistant,
    start: Start,
    caplog: pytest.LogCaptureFixture,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
) -> None:
    await start(instance("first", primary, requires_vpn=True, gluetun={"gluetun_url": gluetun.url}))
    assert (await lines(hass, caplog))["vpn"] == "Up"
