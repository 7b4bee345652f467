"""What is said of routes: leaks, settings that allow them, a home that is the VPN."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.qbittorrent_resilient.repairs import async_create_fix_flow
from tests.support.actions import again, call
from tests.support.common import TARGET, FakeVpn, Start, instance, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, FakeGluetun
from tests.support.leaks import ROUTER, leak, start_at_home
from tests.support.routes import HOME, HOME_V6

DOMAIN = "qbittorrent_resilient"

pytestmark = pytest.mark.usefixtures("vpn")


def issues(hass: HomeAssistant) -> dict[str, Any]:
    """Return what is said, with what stands in the texts."""
    return {
        one.issue_id: one.translation_placeholders
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN and one.active
    }


@pytest.mark.parametrize(
    ("address", "evidence"),
    [
        (HOME, "Its log names the home address (IPv4)"),
        (HOME_V6, "Its log names the home address (IPv6)"),
    ],
)
async def test_leaking(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, address: str, evidence: str
) -> None:
    entry = await start_at_home(hass, start, primary)
    hass.states.async_set(ROUTER, f"{HOME}, {HOME_V6}")
    assert issues(hass) == {}
    await leak(hass, primary, address)
    assert issues(hass) == {
        "leaking_first": {"name": "First", "evidence": evidence, "port_mapping": ""}
    }
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "leaking_first")
    assert issue
    assert (issue.severity, issue.is_fixable) == (ir.IssueSeverity.ERROR, True)
    await again(hass, entry)
    assert "leaking_first" in issues(hass)
    primary.network.bind("tun0")
    await poll(hass)
    assert issues(hass) == {}


async def test_leaking_with_port_mapping(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The router may have told the address, without any traffic: the text says so."""
    await start_at_home(hass, start, primary)
    primary.network.upnp = True
    await leak(hass, primary)
    told = issues(hass)["leaking_first"]["port_mapping"]
    assert told.startswith("\n\nUPnP/NAT-PMP port mapping is on.")
    primary.network.upnp = False
    await call(hass, "check_health")
    assert issues(hass)["leaking_first"]["port_mapping"] == ""


async def test_repair_of_an_integration_that_does_not_run(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start_at_home(hass, start, primary)
    await leak(hass, primary)
    assert await hass.config_entries.async_unload(entry.entry_id)
    flow = await async_create_fix_flow(hass, "leaking_first", None)
    flow.hass, flow.handler, flow.issue_id = hass, DOMAIN, "leaking_first"  # type: ignore[attr-defined]
    result = await flow.async_step_confirm({})  # type: ignore[attr-defined]
    assert (result["type"], result["reason"]) == ("abort", "not_running")


async def test_exposed(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start_at_home(hass, start, primary)
    assert issues(hass) == {}
    primary.network.bind("")
    await poll(hass)
    assert issues(hass) == {"exposed_first": {"name": "First"}}
    primary.faults.cut("app/preferences")
    await call(hass, "check_health")  # not known just now
    assert issues(hass).keys() == {"exposed_first"}
    primary.faults.clear()
    primary.network.bind("tun0")
    await poll(hass)
    assert issues(hass) == {}


async def test_home_is_the_exit(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Home Assistant is behind the VPN of a gluetun: what it takes for its home is no evidence."""
    hass.states.async_set(ROUTER, EXIT)
    async with FakeGluetun() as gluetun:
        behind = {"gluetun_url": f"http://127.0.0.1:{gluetun.port}"}
        first = instance("first", primary, requires_vpn=True, gluetun=behind)
        await start(first, home=(ROUTER,))
        primary.network.detect(EXIT)
        await poll(hass)
        assert hass.states.is_state("sensor.first_status", "ok")
        assert hass.states.is_state("sensor.first_route", "vpn")
        assert issues(hass) == {"home_is_vpn_first": {"name": "First"}}
        hass.states.async_set(ROUTER, HOME)
        await settled(hass)
        await poll(hass)


async def test_gone_with_what_they_are_about(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start_at_home(hass, start, primary)
    await leak(hass, primary)
    subentry = entry.subentries["first"]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "requires_vpn": False}
    )
    await settled(hass)
    assert issues(hass) == {}
    assert TARGET in entry.data["vpn_targets"]


async def test_gone_with_the_entry(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    entry = await start_at_home(hass, start, primary)
    await leak(hass, primary)
    await hass.config_entries.async_remove(entry.entry_id)
    assert issues(hass) == {}
