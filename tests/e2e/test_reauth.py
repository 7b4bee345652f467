"""A password that was changed at the server: Home Assistant asks, and takes the right one."""

import json

from playwright.async_api import expect
import pytest

from tests.support.harness.home_assistant import DOMAIN

from .fixtures import House
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(90)

NEW = "battery staple 2"


async def test_reauth_from_the_card_to_the_right_password(ready: House, user: User) -> None:
    seedbox = ready.seedbox
    seedbox.client.call("app/setPreferences", {"json": json.dumps({"web_ui_password": NEW})})
    seedbox.restart()  # which ends its sessions
    assert await ready.health() == {"Seedbox": "auth_failed", "Attic": "ok"}

    await user.open("/config/integrations/dashboard")
    card = user.page.locator("ha-config-flow-card")
    await expect(card).to_contain_text("Seedbox")
    await card.get_by_role("button", name="Reconfigure").click()
    await user.titled(word("config.step.reauth_confirm.title", name="Seedbox"))
    await user.look()
    assert await user.field("username").input_value() == seedbox.username
    assert await user.field("password").input_value() == ""

    await user.field("password").fill("wrong again")
    await user.submit()
    await user.fault(word("config.error.invalid_auth"))
    await user.look()
    await user.keep("log-in-again-dark", dark=True)
    assert await user.field("username").input_value() == seedbox.username
    assert await user.field("password").input_value() == "wrong again"

    await user.field("password").fill(NEW)
    await user.submit()
    await expect(user.dialog).to_contain_text(word("config.abort.reauth_successful"))
    await user.look()
    await user.close()
    await expect(card).to_have_count(0)
    assert await ready.health() == {"Seedbox": "ok", "Attic": "ok"}


async def test_the_other_dialog_stays_away(ready: House, user: User) -> None:
    """Nobody is asked about a server that lets us in."""
    assert await ready.home.api.command("config_entries/flow/progress") == []
    (entry,) = await ready.home.api.entries(DOMAIN)
    assert entry["state"] == "loaded"
