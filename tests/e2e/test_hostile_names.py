"""Names of magnets and servers that try to be more than text, wherever a page shows them."""

import asyncio
from html import unescape
import json
from typing import Any
from urllib.parse import quote

from homeassistant.util.yaml import parse_yaml
from playwright.async_api import Locator, Request, expect
import pytest

from custom_components.qbittorrent_resilient.core import names
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from tests.support.common import link
from tests.support.harness.home_assistant import DOMAIN, ROOT
from tests.support.hostile import ELSEWHERE, NAMES, hostile_links
from tools.demo.dashboard import VIEW

from .dashboard import TYPE, make, open_dashboard, paste, result
from .failing import SHED, shed, until_failed
from .fixtures import House
from .look import texts
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(240)

SERVER = f"<img src=http://{ELSEWHERE}/s.png> [nas](http://{ELSEWHERE}/nas) **NAS** {{{{ 1 }}}}"
PATH = "hostile-names"
BLUEPRINT = ROOT / "blueprints" / "automation" / DOMAIN / "notify_failed.yaml"

# What a name made of the page, in the shadow roots as well: elements that ask for something or lead
# somewhere, and words in elements that only markup makes.
MARKUP = f"""(root) => {{
const found = [];
const walk = (node) => {{
  for (const one of node.querySelectorAll('*')) {{
    for (const name of ['src', 'href', 'srcset', 'action', 'data', 'poster']) {{
      if ((one.getAttribute(name) ?? '').includes('{ELSEWHERE}')) found.push(one.outerHTML);
    }}
    const text = one.textContent.trim();
    if (one.localName === 'ha-alert' && one.getAttribute('title') === 'Your password') {{
      found.push(one.outerHTML);
    }}
    const made = ["strong", "em", "del", "code", "h1", "h2", "blockquote", "li"];
    if (made.includes(one.localName) && /^(bold|italic|gone|code|NAS|quote|item)$/.test(text)) {{
      found.push(one.outerHTML);
    }}
    if (one.shadowRoot) walk(one.shadowRoot);
  }}
}};
walk(root);
return found;
}}"""


async def scene(house: House) -> None:
    """Give things hostile names: a server, magnets that wait, and magnets that failed."""
    api = house.home.api
    (entry,) = await api.entries(DOMAIN)
    subentries = await api.subentries(entry["entry_id"])
    flow = await api.subentry_flow(entry["entry_id"], "instance", subentries["Attic"])
    await flow.submit(
        name=SERVER,
        url=house.attic.url,
        username=house.attic.username,
        password=house.attic.password,
        requires_vpn=False,
    )
    todo = (await api.entity_ids(DOMAIN))[f"{entry['entry_id']}_queue"]
    await api.command("config/entity_registry/update", entity_id=todo, disabled_by=None)
    await house.health()
    await api.call_service(
        "homeassistant", "reload_config_entry", {"entry_id": entry["entry_id"]}, response=False
    )
    await house.health()
    await api.command(
        "blueprint/save",
        domain="automation",
        path="qbr/notify_failed.yaml",
        yaml=BLUEPRINT.read_text(encoding="utf-8"),
        source_url="https://example.org/notify_failed.yaml",
    )
    tell = {
        "action": "persistent_notification.create",
        "data": {"title": "{{ title }}", "message": "{{ message }}"},
    }
    use = {"path": "qbr/notify_failed.yaml", "input": {"actions": [tell]}}
    await api.post("/api/config/automation/config/hostile", {"alias": "x", "use_blueprint": use})
    house.vpn.down()
    for _ in range(4):
        await house.health()
    links = hostile_links()
    for some in (links[:10], links[10:]):
        failed = {"magnets": some, "require_vpn": True, "queue": False}
        await house.call("add_magnets", failed)
    await house.call("add_magnets", {"magnets": links, "require_vpn": True})
    view: Any = parse_yaml(VIEW.read_text(encoding="utf-8"))
    view["sections"][1]["cards"].append({"type": "todo-list", "entity": todo})
    await make(house, PATH, {"views": [view]})


async def said(part: Locator) -> str:
    """Return all that can be read in a part of the page, in one line."""
    return " ".join(" ".join(await texts(part)).split())


async def test_names_are_text(ready: House, user: User) -> None:
    """In the dashboard with its to-do list and logbook, a notification, a repair, a device."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if ELSEWHERE in request.url:
            asked.append(request.url)

    user.page.on("request", note)
    user.page.on("dialog", lambda dialog: asked.append(dialog.message))
    await scene(ready)
    body = user.page.locator("body")

    async def nothing_is_made_of_them() -> None:
        await user.page.wait_for_load_state("networkidle")
        await asyncio.sleep(1)  # a picture would be asked for once Markdown is rendered
        assert await body.evaluate(MARKUP) == []
        assert asked == []

    await user.open(f"/{PATH}")
    view = user.page.locator("hui-view")
    await expect(view.locator("hui-todo-list-card")).to_contain_text("click me")
    await expect(view.locator("hui-markdown-card").filter(has_text="NAS")).to_be_visible()
    await expect(view.locator("hui-markdown-card").filter(has_text="click me")).to_be_visible()
    await nothing_is_made_of_them()
    shown = await said(view)
    # A link's name may come with entities for what has a meaning in a feed: they are read as such.
    for name in (*(names.shown(unescape(one)) for one in NAMES), names.shown(SERVER)):
        assert " ".join(name.split()) in shown, name
    assert shown.count(names.shown(NAMES[0])) >= 2  # the last event and the to-do list

    await in_the_brought_dashboard(ready, user)
    await nothing_is_made_of_them()
    await user.page.get_by_text("Notifications", exact=True).first.click()
    drawer = user.page.locator("notification-drawer")
    await expect(drawer).to_contain_text("10 magnets failed")
    await expect(drawer).to_contain_text("click me")
    await nothing_is_made_of_them()
    await user.page.keyboard.press("Escape")


async def in_the_brought_dashboard(house: House, user: User) -> None:
    """Look at the names there, and at what the field for links says of a server."""
    await make(house, TYPE, {"strategy": {"type": f"custom:{TYPE}"}})
    view = await open_dashboard(user)
    await expect(view.locator("hui-todo-list-card")).to_contain_text("click me")
    await expect(view.locator("hui-tile-card").filter(has_text="NAS").first).to_be_visible()
    await paste(user, link(99, name=quote(NAMES[1])))
    await expect(result(user)).to_have_text(f"Added to {names.shown(SERVER)}: 1")


async def test_repair_of_a_server_with_such_a_name(ready: House, user: User) -> None:
    asked: list[str] = []
    user.page.on("request", lambda request: asked.append(request.url))
    title = word("issues.host_rejected.title", name=names.shown(SERVER))
    api, client = ready.home.api, ready.attic.client
    (entry,) = await api.entries(DOMAIN)
    key = (await api.subentries(entry["entry_id"]))[SERVER]
    flow = await api.subentry_flow(entry["entry_id"], "instance", key)
    await flow.submit(
        name=SERVER,
        url=ready.attic.url.replace("127.0.0.1", "localhost"),
        username=ready.attic.username,
        password=ready.attic.password,
        requires_vpn=False,
    )
    await ready.health()
    strict = {"web_ui_domain_list": "nas.example", "web_ui_host_header_validation_enabled": True}
    client.call("app/setPreferences", {"json": json.dumps(strict)})
    assert "host_rejected" in (await ready.health()).values()
    await user.open("/config/repairs")
    await user.page.get_by_text(title, exact=True).click()
    await user.titled(title)
    await user.page.wait_for_load_state("networkidle")
    assert await user.page.locator("body").evaluate(MARKUP) == []
    assert not [url for url in asked if ELSEWHERE in url]


async def test_repair_of_failed_magnets_with_such_names(ready: House, user: User) -> None:
    """The dialog names the last ten, in a list that is rendered as Markdown."""
    asked: list[str] = []
    user.page.on("request", lambda request: asked.append(request.url))
    links = hostile_links()
    await ready.call("remove_magnets", {"all": True})
    async with shed(ready) as server:
        server.torrents.never_listed = {Magnet.parse(link).info_hash for link in links}
        for some in (links[10:], links[:10]):
            await ready.call("add_magnets", {"magnets": some, "instances": [SHED]})
            await until_failed(ready, {Magnet.parse(link).info_hash for link in some})
        await user.open("/config/repairs")
        title = word("issues.failed_magnets.title", count=str(len(links)))
        await user.page.get_by_text(title, exact=True).click()
        await user.titled(title)
        await expect(user.dialog).to_contain_text("click me")
        await user.page.wait_for_load_state("networkidle")
        await asyncio.sleep(1)
        assert await user.page.locator("body").evaluate(MARKUP) == []
        assert not [url for url in asked if ELSEWHERE in url]
        shown = await said(user.dialog)
        for name in NAMES[:10]:
            assert " ".join(names.shown(unescape(name)).split()) in shown, name
