"""A user in front of the browser: opens pages, fills dialogs in, and looks at each."""

from playwright.async_api import Error as PlaywrightError, Locator, Page, ViewportSize, expect

from tests.support.harness.home_assistant import DOMAIN, HomeAssistant
from tests.support.harness.qbittorrent import QBittorrent

from .chromium import GIVEN_UP, Complaints
from .look import look
from .pictures import keep

INTEGRATION = f"/config/integrations/integration/{DOMAIN}"
READY = "home-assistant-main ha-sidebar"
PHONE: ViewportSize = {"width": 390, "height": 844}


class User:
    """Somebody who is logged in, with one page."""

    def __init__(self, page: Page, home: HomeAssistant, complaints: Complaints) -> None:
        """Sit down."""
        self.page, self.home, self.complaints = page, home, complaints
        self.dialog = page.locator("ha-dialog[open]")

    async def open(self, path: str) -> None:
        """Go to a page; where the page itself goes somewhere at that moment, go once more."""
        try:
            await self.page.goto(path)
        except PlaywrightError as err:
            if GIVEN_UP not in str(err):
                raise
            await self.page.goto(path)
        await self.page.locator(READY).wait_for(state="attached")  # a phone hides it

    async def look(self, picture: str = "") -> None:
        """Look at the dialog, and keep a picture of the page where one is asked for."""
        await look(self.dialog)
        if picture:
            await self.keep(picture)

    async def keep(self, picture: str, part: Locator | None = None, *, dark: bool = False) -> None:
        """Keep a picture of the page, or of a part of it."""
        await keep(self.page, picture, part, dark=dark)

    def field(self, name: str) -> Locator:
        """Return a field of the dialog by its key; where it may be in a section, too."""
        return self.dialog.locator(f"input[name={name}]")

    def switch(self, label: str) -> Locator:
        """Return a switch of the dialog by its label."""
        return self.dialog.locator("ha-selector").filter(has_text=label).locator("ha-switch")

    async def press(self, name: str) -> None:
        """Press a button of the dialog."""
        await self.dialog.get_by_role("button", name=name, exact=True).click()

    async def submit(self) -> None:
        """Send the form of the dialog."""
        await self.press("Submit")

    async def choose(self, text: str) -> None:
        """Choose from a menu in the dialog."""
        await self.dialog.get_by_text(text, exact=True).click()

    async def titled(self, title: str) -> None:
        """Wait for the dialog with a title."""
        await expect(self.dialog.get_by_text(title, exact=True).first).to_be_visible()

    async def fault(self, text: str) -> None:
        """Wait until the dialog names a fault."""
        await expect(self.dialog.locator("ha-alert")).to_contain_text(text)

    async def close(self) -> None:
        """Close the dialog by the button at its end."""
        await self.dialog.locator("ha-dialog-footer").get_by_role("button", name="Close").click()
        await self.no_dialog()

    async def no_dialog(self) -> None:
        """Wait until no dialog is open any more."""
        await expect(self.dialog).to_have_count(0)

    async def enter(self, server: QBittorrent, name: str, password: str | None = None) -> None:
        """Fill the form of a server in."""
        await self.field("name").fill(name)
        await self.field("url").fill(server.url)
        await self.field("username").fill(server.username)
        await self.field("password").fill(server.password if password is None else password)

    async def add_line(self, label: str, text: str) -> None:
        """Add a line to a field that takes several; the start of its label is enough."""
        add = self.page.get_by_role("button", name=f"Add {label}")
        lines = self.dialog.locator("ha-input-multi").filter(has=add)
        await lines.get_by_role("button", name=f"Add {label}").click()
        await lines.locator("input").last.fill(text)
