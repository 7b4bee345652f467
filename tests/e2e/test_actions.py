"""An action called in the developer tools, with its response shown."""

from playwright.async_api import expect
import pytest

from tools.demo.magnets import ONE

from .fixtures import House
from .look import look
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(90)


async def test_add_magnets_shows_its_response(ready: House, user: User) -> None:
    await user.open("/config/tools/action")
    await user.page.locator("ha-service-picker").click()
    await user.page.keyboard.type("add magnets")
    # The id comes with the action, and is meant to be read.
    await user.page.get_by_text("qbittorrent_resilient.add_magnets").click()
    control = user.page.locator("ha-service-control")
    await expect(control).to_contain_text(word("services.add_magnets.description"))
    rows = control.locator("ha-settings-row")
    await control.locator("ha-expansion-panel").get_by_role("button").first.click()
    await look(control)
    magnets = rows.filter(has_text=word("services.add_magnets.fields.magnets.name")).first
    await magnets.locator("textarea").fill(ONE.link)
    await user.page.get_by_role("button", name="Perform action").click()
    response = user.page.locator("ha-yaml-editor, ha-code-editor").last
    await expect(response).to_contain_text("status: added")
    for line in (f"info_hash: {ONE.info_hash}", "instance: Seedbox", "name: one"):
        await expect(response).to_contain_text(line)
    assert ready.seedbox.hashes() == {ONE.info_hash}
    assert ready.attic.hashes() == set()
    await response.scroll_into_view_if_needed()
    await user.keep("action")
