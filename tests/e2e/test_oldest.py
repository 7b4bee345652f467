"""The oldest Home Assistant supported: a user's way through all that its pages could break.

All else is tried in the pages of the newest. One Home Assistant goes through the whole way, so
each test begins where the one before it has ended.
"""

import asyncio
from importlib.util import find_spec
import os
from pathlib import Path
import sys

from homeassistant.const import __version__ as version
from playwright.async_api import expect
import pytest

from tools.demo.magnets import FIVE, FOUR, ONE, SIX, THREE, TWO

from .dashboard import open_dashboard, tile
from .failing import fail, shed
from .first_run import add_and_use_dashboard, set_up
from .fixtures import House
from .look import look
from .repairs import keep_then_delete, remove_with_one_queued, try_failed_again
from .todo_list import List, checked, enable_lists, queued, wait_for_the_vpn
from .user import PHONE, User
from .words import word

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def hass_program() -> Path:
    """Return the program of the Home Assistant that all tests run on."""
    if find_spec("hass_frontend") is None:
        missing = "no pages of Home Assistant here: run script/setup tests"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return Path(sys.executable).with_name("hass")


async def test_from_nothing_to_a_living_dashboard(house: House, user: User) -> None:
    assert (await house.home.api.get("/api/config"))["version"] == version
    await set_up(house, user)
    await add_and_use_dashboard(house, user)


async def test_to_do_lists(house: House, user: User) -> None:
    """What is added by the dialog, ticked, deleted, and refused."""
    lists = await enable_lists(house)
    todo = List(user)
    await todo.open(lists["queue"])
    await user.page.get_by_role("button", name="Add item").last.click()
    await user.titled("Add item")
    await user.dialog.locator("ha-input.summary input").fill("Buy milk")
    await user.press("Add item")
    await user.fault("No valid magnet link was given")
    await user.dialog.locator("ha-input.summary input").fill(TWO.link)
    await user.press("Add item")
    await user.no_dialog()
    await expect(todo.item(TWO)).to_contain_text("Delivered to Seedbox")
    await wait_for_the_vpn(house, THREE, FOUR, FIVE)
    await expect(todo.item(FIVE)).to_contain_text("VPN down")
    await todo.tick(THREE)
    await expect(todo.item(THREE)).to_have_count(0)
    await todo.delete(FOUR)
    await expect(todo.item(FOUR)).to_have_count(0)
    await todo.edit(FIVE)
    await user.dialog.locator("ha-input.summary input").fill("mine")
    await user.press("Save item")
    await user.fault(word("exceptions.item_not_editable.message").rstrip("."))
    assert await queued(house) == {FIVE.info_hash}


async def test_the_dashboard_tells_of_the_vpn(house: House, user: User) -> None:
    """On a phone, with what can be done about it."""
    await user.page.set_viewport_size(PHONE)
    view = await open_dashboard(user)
    alert = user.page.get_by_text(word("config_panel.dashboard.vpn_is_down"))
    await expect(alert).to_be_visible()
    retry = tile(user, word("entity.button.retry_queue.name"))
    await expect(retry).to_be_visible()
    await expect(user.page.locator("hui-todo-list-card:visible")).to_contain_text(FIVE.name)
    await look(view, reach=1)
    house.vpn.up()
    await checked(house, "ok")
    await expect(alert).to_have_count(0)
    await expect(retry).to_have_count(0)
    assert house.seedbox.hashes() == {ONE.info_hash, TWO.info_hash, FIVE.info_hash}


async def test_repairs(house: House, user: User) -> None:
    """What their menus do: try again; keep, and think again."""
    async with shed(house) as server:
        await fail(house, server, [THREE, SIX])
        server.torrents.never_listed.clear()
        entry = await try_failed_again(user, [THREE, SIX])
        await expect(entry).to_have_count(0)
        while server.hashes != {THREE.info_hash, SIX.info_hash}:
            await asyncio.sleep(0.1)
    await remove_with_one_queued(house)
    await keep_then_delete(user)
