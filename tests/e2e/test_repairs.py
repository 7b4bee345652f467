"""A trouble that only the user can mend, in the list of repairs; it goes away with its cause."""

import asyncio
import json

from playwright.async_api import expect
import pytest

from tests.support.harness.home_assistant import DOMAIN
from tools.demo.magnets import ONE, THREE, TWO

from .failing import fail, shed
from .fixtures import House
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(90)

FAILED = "issues.failed_magnets"
KEPT = "issues.magnets_kept"


async def closed(user: User) -> None:
    """Close the dialog by the button at its end, whatever that is called."""
    await user.dialog.locator("ha-dialog-footer ha-button").last.click()
    await user.no_dialog()


async def test_a_server_that_rejects_its_host_name(ready: House, user: User) -> None:
    # qBittorrent always lets in who asks for its address; so this one is asked for by a name.
    api, client = ready.home.api, ready.attic.client
    (entry,) = await api.entries(DOMAIN)
    subentries = await api.subentries(entry["entry_id"])
    flow = await api.subentry_flow(entry["entry_id"], "instance", subentries["Attic"])
    await flow.submit(url=ready.attic.url.replace("127.0.0.1", "localhost"))
    assert (await ready.health())["Attic"] == "ok"
    strict = {"web_ui_domain_list": "nas.example", "web_ui_host_header_validation_enabled": True}
    client.call("app/setPreferences", {"json": json.dumps(strict)})
    assert (await ready.health())["Attic"] == "host_rejected"

    await user.open("/config/repairs")
    title = word("issues.host_rejected.title", name="Attic")
    await user.page.get_by_text(title, exact=True).click()
    await user.titled(title)
    await expect(user.dialog).to_contain_text("server domains")
    await user.look()
    await user.dialog.get_by_role("button", name="Close").first.click()

    client.call("app/setPreferences", {"json": json.dumps(strict | {"web_ui_domain_list": "*"})})
    assert (await ready.health())["Attic"] == "ok"
    await expect(user.page.get_by_text(title, exact=True)).to_have_count(0)


async def test_failed_magnets(ready: House, user: User) -> None:
    """They are named with their reasons; tried again in vain, no such repair comes back."""
    title = word(f"{FAILED}.title", count="2")
    async with shed(ready) as server:
        await fail(ready, server, [ONE, TWO])
        await user.open("/config/repairs")
        entry = user.page.get_by_text(title, exact=True)
        await entry.click()
        await user.titled(title)
        rejected = word("entity.event.magnets.state_attributes.reason.state.rejected")
        for magnet in (ONE, TWO):
            line = user.dialog.get_by_text(f"{magnet.name}: {rejected}", exact=True)
            await expect(line).to_be_visible()
        await user.look()
        await user.choose(word(f"{FAILED}.fix_flow.step.init.menu_options.retry"))
        said = word(f"{FAILED}.fix_flow.create_entry.retried", count="2", minutes="10")
        await expect(user.dialog).to_contain_text(said)
        await user.look()
        await closed(user)
        while len((await ready.call("get_queue"))["failed"]) < 2:
            await asyncio.sleep(0.1)  # until they have failed again
        await asyncio.sleep(3)  # a repair would be shown within two
        await expect(user.page.get_by_text("There are currently no repairs")).to_be_visible()
        await expect(entry).to_have_count(0)

        await fail(ready, server, [THREE])
        title = word(f"{FAILED}.title", count="3")
        await user.page.get_by_text(title, exact=True).click()
        await user.choose(word(f"{FAILED}.fix_flow.step.init.menu_options.discard"))
        said = word(f"{FAILED}.fix_flow.create_entry.discarded", count="3")
        await expect(user.dialog).to_contain_text(said)
        await closed(user)
        await expect(user.page.get_by_text(title, exact=True)).to_have_count(0)


async def test_kept_magnets(ready: House, user: User) -> None:
    """The last one, as the integration is removed: what it still owes is kept, or deleted."""
    api, title = ready.home.api, word(f"{KEPT}.title", count="1")
    ready.vpn.down()
    for _ in range(4):
        await ready.health()
    data = {"magnets": [ONE.link], "require_vpn": True}
    assert (await ready.call("add_magnets", data))["queued"]
    (entry,) = await api.entries(DOMAIN)
    await api.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")

    await user.open("/config/repairs")
    repair = user.page.get_by_text(title, exact=True)
    await repair.click()
    await user.titled(title)
    await user.look()
    await user.choose(word(f"{KEPT}.fix_flow.step.init.menu_options.keep"))
    await expect(user.dialog).to_contain_text(word(f"{KEPT}.fix_flow.abort.kept"))
    await user.look()
    await closed(user)
    await expect(repair).to_have_count(0)

    await user.page.locator("[slot=toolbar-icon] ha-icon-button").click()
    await user.page.get_by_text("Show ignored", exact=False).click()
    await repair.click()
    await user.choose(word(f"{KEPT}.fix_flow.step.init.menu_options.delete"))
    await expect(user.dialog).to_contain_text(word(f"{KEPT}.fix_flow.create_entry.deleted"))
    await closed(user)
    await expect(repair).to_have_count(0)
