"""The editor of automations: our triggers are found, and need no target."""

from playwright.async_api import expect
import pytest

from .fixtures import House
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(90)


async def test_a_trigger_is_found_and_is_complete(ready: House, user: User) -> None:
    """By typing the name of the program; an empty field for servers means all of them."""
    assert await ready.health() == {"Seedbox": "ok", "Attic": "ok"}
    await user.open("/config/automation/edit/new")
    await user.page.get_by_role("button", name="Add trigger").first.click()
    search = user.page.locator("ha-automation-add-search")
    await user.page.locator("add-automation-element-dialog input").first.fill("qbittorrent")
    await search.get_by_role("button", name="more triggers").click()
    for key in ("instance_went_down", "vpn_went_down", "magnet_failed", "magnets_posted"):
        await expect(search).to_contain_text(word(f"triggers.{key}.name"))
    await search.get_by_text(word("triggers.instance_went_down.name"), exact=True).first.click()
    row = user.page.locator("ha-automation-trigger-row")
    await expect(row).to_contain_text(word("triggers.instance_went_down.name"))
    editor = user.page.locator("ha-automation-trigger-platform, ha-automation-sidebar").first
    await expect(editor).to_contain_text(
        word("triggers.instance_went_down.fields.devices.description")
    )
    await user.page.keyboard.press("Escape")
    await expect(row).not_to_contain_text("No target set")
