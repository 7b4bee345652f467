"""The dashboard that the integration brings: colours, buttons, words, names, a phone."""

from playwright.async_api import expect
import pytest

from tools.demo.magnets import MALFORMED, ONE, TWO

from .dashboard import TYPE, add_dashboard, field, open_dashboard, paste, result
from .fixtures import House
from .look import look, problems, texts
from .user import User
from .words import word

pytestmark = pytest.mark.timeout(120)

PHONE = {"width": 390, "height": 844}


async def made(house: House) -> None:
    """Make the dashboard, unless a test before this one did."""
    api = house.home.api
    paths = [one["url_path"] for one in await api.command("lovelace/dashboards/list")]
    if TYPE in paths:
        return
    await api.command(
        "lovelace/dashboards/create",
        url_path=TYPE,
        title="qBittorrent Resilient",
        icon="mdi:magnet",
        mode="storage",
        require_admin=False,
        show_in_sidebar=True,
    )
    config = {"strategy": {"type": f"custom:{TYPE}"}}
    await api.command("lovelace/config/save", url_path=TYPE, config=config)


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
