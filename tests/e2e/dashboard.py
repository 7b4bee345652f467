"""The dashboard that the integration brings, as a user adds it and looks at it."""

from typing import Any

from playwright.async_api import Locator, expect

from .fixtures import House
from .user import User

NAME = "qBittorrent Resilient"
TYPE = "qbittorrent-resilient"
BROKEN = "hui-error-card, hui-warning, hui-warning-element, ha-alert[alert-type=error]"
"""What the frontend puts in the place of a card or an entity that it cannot show."""


async def make(house: House, path: str, config: dict[str, Any]) -> None:
    """Make a dashboard."""
    api = house.home.api
    await api.command(
        "lovelace/dashboards/create",
        url_path=path,
        title=path.capitalize(),
        mode="storage",
        require_admin=False,
        show_in_sidebar=False,
    )
    await api.command("lovelace/config/save", url_path=path, config=config)


async def add_dashboard(user: User) -> None:
    """Choose the dashboard in the dialog "Add dashboard", and open it."""
    await user.open("/config/lovelace/dashboards")
    await user.page.get_by_role("button", name="Add dashboard").click()
    offered = user.dialog.locator("dashboard-card").filter(has_text=NAME)
    await expect(offered).to_contain_text("paste magnet links")
    await offered.click()
    await user.titled("Add new dashboard")
    await user.press("Create")
    await user.no_dialog()
    await user.page.get_by_text(NAME, exact=True).first.wait_for()
    await open_dashboard(user)


async def open_dashboard(user: User, path: str = TYPE) -> Locator:
    """Open it, and wait until all is shown; return the view."""
    await user.open(f"/{path}")
    view = user.page.locator("hui-view")
    await expect(field(user)).to_be_visible()
    await user.page.wait_for_load_state("networkidle")
    await expect(user.page.locator(BROKEN)).to_have_count(0)
    return view


def field(user: User) -> Locator:
    """Return the field for magnet links."""
    return user.page.get_by_role("textbox", name="Magnet links")


def result(user: User) -> Locator:
    """Return where the card says what became of the links."""
    return user.page.locator(f"{TYPE}-add").get_by_role("status")


def tile(user: User, name: str) -> Locator:
    """Return the visible tile with a name."""
    title = user.page.locator("[slot=primary]").get_by_text(name, exact=True)
    return user.page.locator("hui-tile-card:visible").filter(has=title)


async def paste(user: User, links: str) -> None:
    """Paste links into the field, and send them by the keyboard."""
    await field(user).fill(links)
    await field(user).press("Enter")
