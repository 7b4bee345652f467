"""The queue or the failed list in the page of Home Assistant's to-do lists."""

from playwright.async_api import Locator, expect

from tests.support.harness.home_assistant import DOMAIN
from tools.demo.magnets import Magnet

from .fixtures import House
from .user import User

EMPTY = "You have no to-do items!"


class List:
    """One list, open in the page of Home Assistant's to-do lists."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.card = user.page.locator("hui-todo-list-card")

    async def open(self, entity_id: str) -> None:
        """Go to it."""
        await self.user.open(f"/todo?entity_id={entity_id}")
        await expect(self.card).to_be_visible()

    def item(self, magnet: Magnet) -> Locator:
        """Return the item of a magnet."""
        return self.card.locator("ha-check-list-item").filter(
            has=self.user.page.get_by_text(magnet.name, exact=True)
        )

    def box(self, magnet: Magnet) -> Locator:
        """Return the box before an item."""
        return self.item(magnet).locator("ha-checkbox").first

    async def tick(self, magnet: Magnet) -> None:
        """Click the box before an item."""
        await self.box(magnet).click()

    async def edit(self, magnet: Magnet) -> None:
        """Open the dialog of an item."""
        await self.item(magnet).locator(".summary").click()
        await self.user.titled("Edit item")

    async def delete(self, magnet: Magnet) -> None:
        """Delete an item by the button in its dialog, and confirm that."""
        await self.edit(magnet)
        await self.user.press("Delete item")
        await self.user.page.get_by_role("button", name="Delete", exact=True).click()
        await self.user.no_dialog()


async def enable_lists(house: House) -> dict[str, str]:
    """Enable both lists, and return their entity ids.

    Home Assistant would load the entry again 30 s later, in the middle of a test; a restart is
    quicker, and it is the only one.
    """
    api = house.home.api
    (entry,) = await api.entries(DOMAIN)
    ids = await api.entity_ids(DOMAIN)
    found = {key: ids[f"{entry['entry_id']}_{key}"] for key in ("queue", "failed")}
    for entity_id in found.values():
        await api.command("config/entity_registry/update", entity_id=entity_id, disabled_by=None)
    await house.home.restart()
    await house.health()
    return found


async def checked(house: House, status: str) -> None:
    """Check health until the VPN's verdict is certain."""
    for _ in range(4):
        health = await house.health()
    assert health["Seedbox"] == status


async def wait_for_the_vpn(house: House, *magnets: Magnet) -> None:
    """Queue some magnets."""
    house.vpn.down()
    await checked(house, "vpn_down")
    data = {"magnets": [one.link for one in magnets], "require_vpn": True}
    await house.call("add_magnets", data)


async def queued(house: House) -> set[str]:
    response = await house.call("get_queue")
    return {one["info_hash"] for one in response["queued"]}
