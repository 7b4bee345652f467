"""The view in YAML in the real frontend, with things going on."""

import json
from typing import Any

from homeassistant.util.yaml import parse_yaml
from playwright.async_api import expect
import pytest

from tests.support.harness.home_assistant import DOMAIN
from tools.demo.dashboard import VIEW, show_dashboard
from tools.demo.magnets import ONE, TWO

from .dashboard import BROKEN, make
from .fixtures import House, SitDown
from .look import look, problems, texts
from .user import User

pytestmark = pytest.mark.timeout(120)

PHONE = {"width": 412, "height": 915}


@pytest.fixture(scope="module")
def paths() -> dict[str, str]:
    """Keep the path of the dashboard over the tests of the module."""
    return {}


async def dashboard(house: House, paths: dict[str, str]) -> str:
    """Return its path; it is made once, after things have happened that it can show."""
    if not paths:
        api = house.home.api
        paths["one"] = await show_dashboard(api, hours=0.01)
        await house.call("add_magnets", {"magnets": [ONE.link]})
        house.vpn.down()
        for _ in range(3):
            await house.health()
        await house.call("add_magnets", {"magnets": [TWO.link], "require_vpn": True})
    return paths["one"]


async def open_dashboard(user: User, path: str) -> None:
    """Open it, and look at all that it shows."""
    await user.open(path)
    view = user.page.locator("hui-view")
    cards = view.locator("hui-card")
    await expect(cards.first).to_be_visible()
    await user.page.wait_for_load_state("networkidle")
    await expect(user.page.locator(BROKEN)).to_have_count(0)
    found = await problems(view)
    assert not [one for one in found if not one.startswith("cut off")], found
    said = " ".join(await texts(view))
    for wrong in ("Configuration error", "Entity not", "not found", "Unknown", "Custom element"):
        assert wrong not in said, said


async def test_no_card_shows_an_error(ready: House, user: User, paths: dict[str, str]) -> None:
    await open_dashboard(user, await dashboard(ready, paths))
    await user.keep("dashboard")


async def test_each_server_is_in_it(ready: House, user: User, paths: dict[str, str]) -> None:
    await open_dashboard(user, await dashboard(ready, paths))
    for name in ("Seedbox", "Attic"):
        title = user.page.locator("hui-tile-card [slot=primary]")
        await expect(title.filter(has_text=name)).to_have_count(1)


async def test_no_name_is_cut_off(ready: House, user: User, paths: dict[str, str]) -> None:
    await open_dashboard(user, await dashboard(ready, paths))
    # Only the text itself: a card cuts off its own picture.
    await look(user.page.locator("hui-view"), reach=1)


async def test_it_is_what_is_shown_first(ready: House, user: User, paths: dict[str, str]) -> None:
    path = await dashboard(ready, paths)
    await user.open("/")
    await expect(user.page.locator("hui-view")).to_be_visible()
    assert user.page.url.startswith(ready.home.url + path)


async def test_it_fits_a_phone(ready: House, user: User, paths: dict[str, str]) -> None:
    path = await dashboard(ready, paths)
    await user.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await user.page.goto(path)
    await expect(user.page.locator("hui-view hui-card").first).to_be_visible()
    table = user.page.locator("hui-markdown-card").filter(has_text="Status")
    await expect(table).to_contain_text("Seedbox")
    wide = await user.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


async def test_in_the_dark(ready: House, sit_down: SitDown, paths: dict[str, str]) -> None:
    async with sit_down(dark=True) as user:
        await open_dashboard(user, await dashboard(ready, paths))
        await user.keep("dashboard-dark")


async def test_the_tile_of_a_vpn_that_is_not_watched_stays_away(ready: House, user: User) -> None:
    view: Any = parse_yaml(VIEW.read_text(encoding="utf-8"))
    tile = next(card for card in view["sections"][1]["cards"] if card.get("name") == "VPN")
    there = {"type": "tile", "entity": f"sensor.{DOMAIN}_queued_magnets"}
    gone = json.loads(json.dumps(tile).replace(f"{DOMAIN}_vpn", "there_is_no_vpn"))
    await make(ready, "no-vpn", of(there, tile, gone))
    await user.open("/no-vpn")
    await expect(user.page.locator("hui-tile-card")).to_have_count(2)
    await expect(user.page.locator(BROKEN)).to_have_count(0)


async def test_a_card_that_cannot_be_shown_is_noticed(ready: House, user: User) -> None:
    """The other tests would fail: this shows them what they look for."""
    card = {"type": "tile", "entity": "sensor.there_is_no_such_thing"}
    await make(ready, "broken-view", of(card, {"type": "nothing"}))
    await user.open("/broken-view")
    for broken in ("hui-warning", "hui-error-card"):
        await expect(
            user.page.locator(BROKEN).and_(user.page.locator(broken)).first
        ).to_be_visible()


async def test_the_card_for_a_phone(ready: House, user: User, paths: dict[str, str]) -> None:
    await dashboard(ready, paths)
    card: Any = parse_yaml((VIEW.parent / "phone-card.yaml").read_text(encoding="utf-8"))
    await make(ready, "phone-card", of(card))
    await user.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await open_dashboard(user, "/phone-card")
    await expect(user.page.locator("hui-tile-card")).to_contain_text("Retry now")
    await look(user.page.locator("hui-view"), reach=1)
    await user.keep("phone-card", user.page.locator("hui-view hui-card").first)


def of(*cards: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard of some cards."""
    return {"views": [{"cards": list(cards)}]}
