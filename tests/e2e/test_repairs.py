"""A trouble that only the user can mend, in the list of repairs; it goes away with its cause."""

import asyncio
import json

from playwright.async_api import expect
import pytest

from tests.support.harness.home_assistant import DOMAIN
from tools.demo.magnets import ONE, THREE, TWO

from .failing import fail, shed, until_failed
from .fixtures import House
from .repairs import discard_failed, keep_then_delete, remove_with_one_queued, try_failed_again
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(90)


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
    async with shed(ready) as server:
        await fail(ready, server, [ONE, TWO])
        entry = await try_failed_again(user, [ONE, TWO])
        await until_failed(ready, {ONE.info_hash, TWO.info_hash})  # once more
        await asyncio.sleep(3)  # a repair would be shown within two
        await expect(user.page.get_by_text("There are currently no repairs")).to_be_visible()
        await expect(entry).to_have_count(0)
        await fail(ready, server, [THREE])
        await discard_failed(user, 3)


async def test_kept_magnets(ready: House, user: User) -> None:
    """The last one, as the integration is removed: what it still owes is kept, or deleted."""
    await remove_with_one_queued(ready)
    await keep_then_delete(user)
