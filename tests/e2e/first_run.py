"""What a user does first: from "Add integration" to a dashboard that takes a pasted magnet."""

from playwright.async_api import expect

from tools.demo.magnets import ONE

from .dashboard import add_dashboard, paste, result, tile
from .fixtures import House
from .user import User
from .words import word


async def set_up(house: House, user: User) -> None:
    """Add the integration with two servers, of which the first one requires the VPN."""
    await user.open("/config/integrations/dashboard")
    await user.page.get_by_role("button", name="Add integration").click()
    await user.titled("Set up a new integration")
    await user.dialog.locator("input").fill("qbittorrent resil")
    await user.choose("qBittorrent Resilient")
    await user.titled(word("config.step.user.title"))
    await user.add_line(word("config.step.user.data.vpn_targets"), house.vpn.target)
    await user.submit()
    await user.titled(word("config.step.instance.title"))
    await user.enter(house.seedbox, "Seedbox")
    await user.submit()
    await user.titled(word("config.step.more.title"))
    await user.choose(word("config.step.more.menu_options.instance"))
    await user.titled(word("config.step.instance.title"))
    await user.enter(house.attic, "Attic")
    await user.switch(word("config.step.instance.data.requires_vpn")).click()
    await user.submit()
    await user.titled(word("config.step.more.title"))
    await user.choose(word("config.step.more.menu_options.finish"))
    await expect(user.dialog).to_contain_text("reload this page")
    await user.press("Skip and finish")
    await user.no_dialog()


async def add_and_use_dashboard(house: House, user: User) -> None:
    """Add the dashboard, and paste a magnet there."""
    await add_dashboard(user)
    for server in ("Seedbox", "Attic"):
        await expect(tile(user, server)).to_contain_text("OK")
    await paste(user, ONE.link)
    await expect(result(user)).to_have_text("Added to Seedbox: 1")
    assert [one["hash"] for one in house.seedbox.client.torrents()] == [ONE.info_hash]
