"""The repairs with a choice, as a user opens them and chooses."""

from collections.abc import Collection

from playwright.async_api import Locator, expect

from tests.support.harness.home_assistant import DOMAIN
from tools.demo.magnets import ONE, Magnet

from .fixtures import House
from .user import User
from .words import word

FAILED = "issues.failed_magnets"
KEPT = "issues.magnets_kept"


async def try_failed_again(user: User, magnets: Collection[Magnet]) -> Locator:
    """Try what has failed again; return the repair in the list of the page."""
    count = str(len(magnets))
    title = word(f"{FAILED}.title", count=count)
    await user.open("/config/repairs")
    entry = user.page.get_by_text(title, exact=True)
    await entry.click()
    await user.titled(title)
    rejected = word("entity.event.magnets.state_attributes.reason.state.rejected")
    for magnet in magnets:
        line = user.dialog.get_by_text(f"{magnet.name}: {rejected}", exact=True)
        await expect(line).to_be_visible()
    await user.look()
    await user.choose(word(f"{FAILED}.fix_flow.step.init.menu_options.retry"))
    said = word(f"{FAILED}.fix_flow.create_entry.retried", count=count, minutes="10")
    await expect(user.dialog).to_contain_text(said)
    await user.look()
    await _close(user)
    return entry


async def discard_failed(user: User, count: int) -> None:
    """Discard what has failed, in the page that shows the repair already."""
    title = word(f"{FAILED}.title", count=str(count))
    await user.page.get_by_text(title, exact=True).click()
    await user.choose(word(f"{FAILED}.fix_flow.step.init.menu_options.discard"))
    said = word(f"{FAILED}.fix_flow.create_entry.discarded", count=str(count))
    await expect(user.dialog).to_contain_text(said)
    await _close(user)
    await expect(user.page.get_by_text(title, exact=True)).to_have_count(0)


async def remove_with_one_queued(house: House) -> None:
    """Remove the integration while a magnet waits."""
    house.vpn.down()
    for _ in range(4):
        await house.health()
    data = {"magnets": [ONE.link], "require_vpn": True}
    assert (await house.call("add_magnets", data))["queued"]
    (entry,) = await house.home.api.entries(DOMAIN)
    await house.home.api.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")


async def keep_then_delete(user: User) -> None:
    """Keep the magnet that outlived the integration; think again, and delete it."""
    title = word(f"{KEPT}.title", count="1")
    await user.open("/config/repairs")
    repair = user.page.get_by_text(title, exact=True)
    await repair.click()
    await user.titled(title)
    await user.look()
    await user.choose(word(f"{KEPT}.fix_flow.step.init.menu_options.keep"))
    await expect(user.dialog).to_contain_text(word(f"{KEPT}.fix_flow.abort.kept"))
    await user.look()
    await _close(user)
    await expect(repair).to_have_count(0)

    await user.page.locator("[slot=toolbar-icon] ha-icon-button").click()
    await user.page.get_by_text("Show ignored", exact=False).click()
    await repair.click()
    await user.choose(word(f"{KEPT}.fix_flow.step.init.menu_options.delete"))
    await expect(user.dialog).to_contain_text(word(f"{KEPT}.fix_flow.create_entry.deleted"))
    await _close(user)
    await expect(repair).to_have_count(0)


async def _close(user: User) -> None:
    """Close the dialog by the button at its end, whatever that is called."""
    await user.dialog.locator("ha-dialog-footer ha-button").last.click()
    await user.no_dialog()
