"""The queue and the failed list as to-do lists, used as a user does: by dialogs, ticks and bins."""

import asyncio
from collections.abc import AsyncGenerator
import re

from playwright.async_api import expect
import pytest
import pytest_asyncio
import pytest_socket

from tests.support.fake.server import FakeQBittorrent
from tools.demo.magnets import FIVE, FOUR, ONE, SIX, THREE, TWO

from .failing import SHED, fail, shed
from .fixtures import House
from .todo_list import EMPTY, List, checked, enable_lists, queued, wait_for_the_vpn
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lists(ready: House) -> dict[str, str]:
    """Enable both lists; give their entity ids."""
    return await enable_lists(ready)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(ready: House, lists: dict[str, str]) -> AsyncGenerator[FakeQBittorrent]:
    """Give a server on which magnets fail."""
    pytest_socket.enable_socket()
    async with shed(ready) as one:
        yield one


@pytest.fixture
def todo(user: User) -> List:
    return List(user)


async def failed(house: House) -> set[str]:
    response = await house.call("get_queue")
    return {one["info_hash"] for one in response["failed"]}


async def test_add_by_the_dialog(
    ready: House, user: User, todo: List, lists: dict[str, str]
) -> None:
    """One link in the name, another in the description; both are shown as done at once."""
    await todo.open(lists["queue"])
    await user.page.get_by_role("button", name="Add item").last.click()
    await user.titled("Add item")
    await user.dialog.locator("ha-input.summary input").fill("Buy milk")
    await user.press("Add item")
    await user.fault("No valid magnet link was given")
    await user.dialog.locator("ha-input.summary input").fill(ONE.link)
    await user.dialog.locator("textarea").fill(f"and the other:\n{TWO.link}")
    await user.press("Add item")
    await user.no_dialog()
    for magnet in (ONE, TWO):
        await expect(todo.item(magnet)).to_contain_text("Delivered to Seedbox")
        await expect(todo.item(magnet)).to_have_class(re.compile("completed"))
    assert ready.seedbox.hashes() == {ONE.info_hash, TWO.info_hash}


async def test_delivered_cannot_wait_again(
    ready: House, user: User, todo: List, lists: dict[str, str]
) -> None:
    """Neither in the dialog nor in the list, where its box is ticked again."""
    said = word("exceptions.item_delivered.message").rstrip(".")
    await todo.open(lists["queue"])
    await todo.edit(ONE)
    await user.dialog.locator("ha-checkbox").click()
    await user.press("Save item")
    await user.fault(said)
    await user.dialog.get_by_role("button", name="Close").first.click()
    await user.no_dialog()
    await expect(todo.box(ONE)).to_have_js_property("checked", True)
    await todo.tick(ONE)
    await expect(user.page.get_by_text(said).last).to_be_visible()
    await expect(todo.box(ONE)).to_have_js_property("checked", True)
    # Whatever is refused, the page itself does not catch its error.
    assert user.complaints.found == ["script: Object"]
    user.complaints.found.clear()


async def test_completed_items_are_cleared(
    ready: House, user: User, todo: List, lists: dict[str, str]
) -> None:
    await todo.open(lists["queue"])
    await todo.delete(ONE)
    await expect(todo.item(ONE)).to_have_count(0)
    await todo.card.locator("ha-dropdown ha-icon-button").click()
    await user.page.get_by_text("Remove completed items", exact=True).click()
    await user.page.get_by_role("button", name="Delete", exact=True).click()
    await expect(todo.item(TWO)).to_have_count(0)
    await expect(todo.card).to_contain_text(EMPTY)
    assert ready.seedbox.hashes() == {ONE.info_hash, TWO.info_hash}


async def test_what_waits_is_ticked_and_deleted(
    ready: House, user: User, todo: List, lists: dict[str, str]
) -> None:
    await todo.open(lists["queue"])
    await wait_for_the_vpn(ready, THREE, FOUR, FIVE)
    await expect(todo.item(FIVE)).to_contain_text("VPN down")
    await todo.tick(THREE)
    await expect(todo.item(THREE)).to_have_count(0)
    await todo.delete(FOUR)
    await expect(todo.item(FOUR)).to_have_count(0)
    assert await queued(ready) == {FIVE.info_hash}


async def test_items_are_not_renamed(
    ready: House, user: User, todo: List, lists: dict[str, str]
) -> None:
    await todo.open(lists["queue"])
    await todo.edit(FIVE)
    await user.dialog.locator("ha-input.summary input").fill("mine")
    await user.press("Save item")
    await user.fault(word("exceptions.item_not_editable.message").rstrip("."))
    await user.dialog.locator("ha-input.summary input").fill(FIVE.name)
    await user.dialog.locator("ha-checkbox").click()
    await user.press("Save item")
    await user.no_dialog()
    await expect(todo.item(FIVE)).to_have_count(0)
    assert await queued(ready) == set()


async def test_what_failed_is_tried_again_and_discarded(
    ready: House, user: User, todo: List, lists: dict[str, str], server: FakeQBittorrent
) -> None:
    await fail(ready, server, [THREE, FOUR, SIX])
    await todo.open(lists["failed"])
    await expect(todo.item(SIX)).to_contain_text("Refused by the server")
    await expect(user.page.get_by_role("button", name="Add item")).to_have_count(0)
    await todo.delete(FOUR)
    await expect(todo.item(FOUR)).to_have_count(0)
    sent = len(server.requests_to("torrents/add"))
    await todo.tick(SIX)
    while len(server.requests_to("torrents/add")) == sent or len(await failed(ready)) < 2:
        await asyncio.sleep(0.1)  # until it has failed again
    await expect(todo.item(SIX)).to_contain_text("Refused by the server")
    server.torrents.never_listed.clear()
    await todo.tick(THREE)
    await expect(todo.item(THREE)).to_have_count(0)
    await todo.open(lists["queue"])
    await expect(todo.item(THREE)).to_contain_text(f"Delivered to {SHED}")
    assert server.hashes == {THREE.info_hash}
    assert await failed(ready) == {SIX.info_hash}


async def test_add_by_the_field(
    ready: House, user: User, todo: List, lists: dict[str, str]
) -> None:
    """What a server has is named, too: nobody who adds a link reads that there is nothing."""
    ready.vpn.up()
    await checked(ready, "ok")
    await todo.open(lists["queue"])
    await todo.card.locator(".addRow input").fill(ONE.link)
    await user.page.keyboard.press("Enter")
    await expect(todo.item(ONE)).to_contain_text("Already on Seedbox")
