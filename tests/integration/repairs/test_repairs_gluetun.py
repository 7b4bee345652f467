"""A gluetun that gives no information until the user mends the address or the credentials."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from tests.support.actions import status_of
from tests.support.common import FakeVpn, Start, instance, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import PUBLIC_IP, STATUS, FakeGluetun, Fault

DOMAIN = "qbittorrent_resilient"
ABOUT_FIRST = "gluetun_auth_first"


def issues(hass: HomeAssistant) -> dict[str, dict[str, str] | None]:
    """Return what is said, with what stands in the texts."""
    return {
        one.issue_id: one.translation_placeholders
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN and one.active
    }


@pytest.mark.parametrize("path", [STATUS, PUBLIC_IP])
async def test_key_is_refused(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    path: str,
) -> None:
    """Raised where one of the two routes refuses the key, and cleared when neither does."""
    gluetun.api_key = "key"
    gluetun.keyless = {path}
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert issues(hass) == {ABOUT_FIRST: {"name": "First"}}
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ABOUT_FIRST)
    assert issue is not None
    assert (issue.severity, issue.is_fixable) == (ir.IssueSeverity.WARNING, False)
    assert str(issue.learn_more_url).startswith("https://")
    gluetun.keyless = set()
    await poll(hass)
    assert issues(hass) == {}
    assert status_of(hass, "first") == "ok"


@pytest.mark.parametrize("fault", ["html", "redirect", "garbage"])
async def test_something_else_answers(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    fault: Fault,
) -> None:
    gluetun.faults["*"] = fault
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert issues(hass).keys() == {ABOUT_FIRST}
    gluetun.faults.clear()
    gluetun.say("stopped")  # which proves as well that it is the right one
    await poll(hass)
    assert issues(hass) == {}


async def test_old_and_new_versions_without_credentials(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    """An update of gluetun closes what was open."""
    await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert issues(hass) == {}
    gluetun.version = "latest"
    await poll(hass)
    assert issues(hass).keys() == {ABOUT_FIRST}


async def test_silence_proves_nothing(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    """What the user ignores stays ignored until its cause is known to be gone."""
    gluetun.api_key = "key"
    fields = gluetun.fields | {"gluetun_api_key": "wrong"}
    await start(instance("first", primary, requires_vpn=True, gluetun=fields))
    ir.async_ignore_issue(hass, DOMAIN, ABOUT_FIRST, ignore=True)
    await gluetun.refuse()
    for _ in range(4):
        await poll(hass)
    assert issues(hass).keys() == {ABOUT_FIRST}
    await gluetun.listen()
    await poll(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ABOUT_FIRST)
    assert issue is not None
    assert issue.dismissed_version is not None


@pytest.mark.parametrize("requires_vpn", [True, False])
async def test_gluetun_is_removed(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
    vpn: FakeVpn,
    *,
    requires_vpn: bool,
) -> None:
    """An instance that does not require the VPN has no witness, so nothing to say of it."""
    gluetun.version = "latest"
    entry = await start(instance("first", primary, requires_vpn=True, gluetun=gluetun.fields))
    assert issues(hass).keys() == {ABOUT_FIRST}
    (subentry,) = entry.subentries.values()
    data = {**subentry.data, "requires_vpn": requires_vpn}
    if requires_vpn:
        data["gluetun"] = {"gluetun_url": ""}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()  # it is reloaded
    asked = len(gluetun.requests)
    await poll(hass)
    assert issues(hass) == {}
    assert len(gluetun.requests) == asked
