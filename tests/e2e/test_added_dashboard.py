"""The dashboard that the integration brings: colours, buttons, words, names, a phone."""

import asyncio
import json

from playwright.async_api import expect
import pytest

from tests.support.harness.home_assistant import DOMAIN, ROOT
from tools.demo.magnets import FIVE, FOUR, MALFORMED, ONE, SIX, THREE, TWO

from .dashboard import TYPE, add_dashboard, field, make, open_dashboard, paste, result, tile
from .fixtures import House, SitDown
from .look import look, problems, texts
from .user import PHONE, User
from .words import word

pytestmark = pytest.mark.timeout(120)

CONNECTED = """() => {
  const {hass} = document.querySelector("home-assistant");
  return hass.connected && hass.config.state === "RUNNING";
}"""


async def made(house: House) -> None:
    """Make the dashboard, unless a test before this one did, and have the VPN up."""
    api = house.home.api
    await up(house)
    paths = [one["url_path"] for one in await api.command("lovelace/dashboards/list")]
    if TYPE not in paths:
        await make(house, TYPE, {"strategy": {"type": f"custom:{TYPE}"}})


async def pressed(house: House) -> str | None:
    """Return when the queue was retried by its button last."""
    states = await house.home.api.states()
    state: str = states[f"button.{DOMAIN}_retry_queue"]["state"]
    return None if state == "unknown" else state


async def down(house: House) -> None:
    """Take the VPN down, and have that noticed."""
    house.vpn.down()
    for _ in range(3):
        await house.health()


async def up(house: House) -> None:
    """Take the VPN up, and have that noticed."""
    house.vpn.up()
    for _ in range(2):
        await house.health()


async def test_it_is_offered_and_made(ready: House, user: User) -> None:
    await add_dashboard(user)
    view = user.page.locator("hui-view")
    assert user.page.url.endswith(f"/{TYPE}/{TYPE}")
    await look(view, reach=1)
    found = await problems(view)
    assert not [one for one in found if not one.startswith("cut off")], found
    # The first in line comes first.
    names = [one for one in await texts(view) if one in ("Seedbox", "Attic")]
    assert names[:2] == ["Seedbox", "Attic"]
    for name in (word("services.retry_failed.name"), word("entity.button.retry_queue.name")):
        await expect(user.page.get_by_text(name, exact=True)).to_have_count(0)


async def test_what_becomes_of_pasted_links_is_said(ready: House, user: User) -> None:
    await made(ready)
    await open_dashboard(user)
    await user.page.get_by_role("button", name="Add", exact=True).click()
    await expect(result(user)).to_have_text(word("config_panel.add_card.nothing"))
    await paste(user, f"{ONE.link}\n{TWO.link}")
    await expect(result(user)).to_have_text("Added to Seedbox: 2")
    await expect(field(user)).to_have_value("")
    await paste(user, f"{ONE.link}\n{MALFORMED}")
    lines = result(user).locator("li")
    await expect(lines).to_have_text(
        ["Already on Seedbox: 1", "Failed: 1 (Not a valid magnet link)"]
    )
    # What failed is still there, to be put right.
    await expect(field(user)).to_have_value(f"{ONE.link}\n{MALFORMED}")
    await paste(user, "no link at all")
    await expect(result(user)).to_contain_text("No valid magnet link was given")


async def test_a_dead_vpn_is_seen(ready: House, user: User) -> None:
    """What waits is counted and can be tried again; what failed can be discarded."""
    await made(ready)
    await open_dashboard(user)
    retry = tile(user, word("entity.button.retry_queue.name"))
    await expect(retry).to_have_count(0)
    await down(ready)
    await expect(tile(user, "Seedbox")).to_contain_text(word("entity.sensor.status.state.vpn_down"))
    alert = user.page.get_by_text(word("config_panel.dashboard.vpn_is_down"))
    await expect(alert).to_be_visible()
    await paste(user, THREE.link)
    await expect(result(user)).to_have_text("Added to Attic: 1")
    await expect(retry).to_have_count(0)
    ready.attic.kill()
    assert (await ready.health())["Attic"] == "unreachable"
    await paste(user, FOUR.link)
    await expect(result(user)).to_have_text("Waiting in the queue: 1 (VPN down)")
    await expect(retry).to_be_visible()
    assert (await pressed(ready)) is None
    await retry.click()
    while await pressed(ready) is None:
        await asyncio.sleep(0.1)
    await look(user.page.locator("hui-view"), reach=1)
    await user.page.mouse.move(0, 0)
    await field(user).focus()
    await user.keep("dashboard-vpn-down")
    ready.attic.start()
    await up(ready)
    await expect(alert).to_have_count(0)
    await expect(retry).to_have_count(0)


async def test_a_renamed_entity_is_found_at_once(ready: House, user: User) -> None:
    await made(ready)
    await open_dashboard(user)
    (entry,) = await ready.home.api.entries(DOMAIN)
    key = (await ready.home.api.subentries(entry["entry_id"]))["Seedbox"]
    old = (await ready.home.api.entity_ids(DOMAIN))[f"{key}_status"]
    await ready.home.api.command(
        "config/entity_registry/update", entity_id=old, new_entity_id="sensor.elsewhere"
    )
    # The open page shows it anew, without what was typed being lost.
    await field(user).fill("half a link")
    await expect(tile(user, "Seedbox")).to_contain_text("OK")
    await expect(user.page.locator("hui-warning, hui-error-card")).to_have_count(0)
    await ready.home.api.command(
        "config/entity_registry/update", entity_id="sensor.elsewhere", new_entity_id=old
    )


async def test_the_lists_of_names_where_they_are_enabled(ready: House, user: User) -> None:
    await made(ready)
    api = ready.home.api
    (entry,) = await api.entries(DOMAIN)
    todo = (await api.entity_ids(DOMAIN))[f"{entry['entry_id']}_queue"]
    await api.command("config/entity_registry/update", entity_id=todo, disabled_by=None)
    await api.call_service(
        "homeassistant", "reload_config_entry", {"entry_id": entry["entry_id"]}, response=False
    )
    await down(ready)
    await ready.call("add_magnets", {"magnets": [FIVE.link], "require_vpn": True})
    await open_dashboard(user)
    await expect(user.page.locator("hui-todo-list-card")).to_contain_text("five")
    await up(ready)
    await expect(user.page.locator("hui-todo-list-card:visible")).to_have_count(0)


async def test_it_fits_a_phone(ready: House, user: User) -> None:
    await made(ready)
    await user.page.set_viewport_size(PHONE)
    view = await open_dashboard(user)
    wide = await user.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    await look(view, reach=1)
    lefts = {
        round(box["x"])
        for section in await view.locator("hui-section").all()
        if (box := await section.bounding_box())
    }
    assert len(lefts) == 1  # one column
    await paste(user, f"{ONE.link}\n{TWO.link}")
    await expect(result(user)).to_have_text("Already on Seedbox: 2")


async def test_in_the_dark(ready: House, sit_down: SitDown) -> None:
    await made(ready)
    async with sit_down(dark=True) as user:
        view = await open_dashboard(user)
        await look(view, reach=1)
        await paste(user, MALFORMED)
        await expect(result(user)).to_contain_text("No valid magnet link was given")


async def test_the_keyboard_is_enough(ready: House, user: User) -> None:
    await made(ready)
    await open_dashboard(user)
    await field(user).focus()
    await user.page.keyboard.type("magnet:?xt=urn:btih:")
    await user.page.keyboard.press("Shift+Enter")
    await user.page.keyboard.type("bad")
    await expect(field(user)).to_have_value("magnet:?xt=urn:btih:\nbad")
    await user.page.keyboard.press("Tab")
    await user.page.keyboard.press("Space")
    await expect(result(user)).to_contain_text("No valid magnet link was given")


async def test_the_card_can_be_put_into_any_dashboard(ready: House, user: User) -> None:
    """And so can the view."""
    views = [
        {"title": "Card", "cards": [{"type": f"custom:{TYPE}-add", "title": "Add here"}]},
        {"title": "View", "path": "v", "strategy": {"type": f"custom:{TYPE}"}},
    ]
    await make(ready, "my-own", {"views": views})
    await open_dashboard(user, "my-own")
    await expect(user.page.locator(f"{TYPE}-add")).to_contain_text("Add here")
    await open_dashboard(user, "my-own/v")
    await expect(tile(user, "Attic")).to_contain_text("OK")


async def test_its_elements_wait_for_the_page(ready: House, user: User) -> None:
    """A page of 2026.10 replaces the registry of elements while it loads, and forgets earlier ones.

    This page is empty, so nothing else defines what the module waits for.
    """
    names = [f"ll-strategy-dashboard-{TYPE}", f"ll-strategy-view-{TYPE}", f"{TYPE}-add"]
    known = "(names) => names.map((name) => Boolean(customElements.get(name)))"
    await user.page.evaluate("(url) => import(url)", f"/{DOMAIN}/dashboard.js")
    assert await user.page.evaluate(known, names) == [False] * 3
    define = "() => customElements.define('home-assistant', class extends HTMLElement {})"
    await user.page.evaluate(define)
    wait = "(names) => Promise.all(names.map((name) => customElements.whenDefined(name)))"
    await user.page.evaluate(wait, names)
    assert await user.page.evaluate(known, names) == [True] * 3


async def test_it_speaks_the_language_of_the_user(ready: House, user: User) -> None:
    await made(ready)
    german = ROOT / "custom_components" / DOMAIN / "translations" / "de.json"
    await user.page.evaluate("localStorage.setItem('selectedLanguage', '\"de\"')")
    await user.open(f"/{TYPE}")
    for name in ("failed_magnets", "active_instance"):
        there = word(f"entity.sensor.{name}.name", german)
        assert there != word(f"entity.sensor.{name}.name")
        await expect(tile(user, there)).to_be_visible()
    await look(user.page.locator("hui-view"), reach=1)


async def test_it_comes_back_after_a_restart(ready: House, user: User) -> None:
    """The page stays open while Home Assistant starts anew."""
    await made(ready)
    await open_dashboard(user)
    await ready.home.restart()
    await up(ready)
    await user.page.wait_for_function(CONNECTED)
    await expect(tile(user, "Seedbox")).to_contain_text("OK")
    await paste(user, SIX.link)
    await expect(result(user)).to_have_text("Added to Seedbox: 1")
    user.complaints.found.clear()  # of what was asked while nobody answered


async def test_it_can_be_taken_into_own_hands(ready: House, user: User) -> None:
    await made(ready)
    await make(ready, "own-hands", {"strategy": {"type": f"custom:{TYPE}"}})
    await open_dashboard(user, "own-hands")
    await user.page.get_by_role("button", name="Edit dashboard").click()
    await user.press("Take control")
    await user.no_dialog()
    config = await ready.home.api.command("lovelace/config", url_path="own-hands", force=True)
    assert "strategy" not in json.dumps(config)
    await open_dashboard(user, "own-hands")
    await expect(tile(user, "Attic")).to_contain_text("OK")
