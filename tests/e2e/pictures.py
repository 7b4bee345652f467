"""Pictures for the README, made only when QBR_SCREENSHOTS=1: runs do not change files."""

import os
from pathlib import Path

from playwright.async_api import FloatRect, Locator, Page

FOLDER = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 150_000
"""A page with several of them still has to load on a phone."""

IS_DARK = "document.querySelector('meta[name=color-scheme]')?.content === 'dark'"
"""What the frontend writes into the page when it has changed its colours."""

# The dialog if there is one, else the page without the sidebar: a picture is made small in a page
# of the documentation, and what tells something has to be readable then.
PART = """() => {
const find = (root) => {
  for (const one of root.querySelectorAll('*')) {
    if (one.localName === 'dialog' && one.open) return one;
    const inner = one.shadowRoot && find(one.shadowRoot);
    if (inner) return inner;
  }
};
const main = document.querySelector('home-assistant')?.shadowRoot
  ?.querySelector('home-assistant-main')?.shadowRoot?.querySelector('partial-panel-resolver');
const box = (find(document) ?? main ?? document.body).getBoundingClientRect();
const [left, top] = [Math.max(box.left, 0), Math.max(box.top, 0)];
const right = Math.min(box.right, window.innerWidth);
const bottom = Math.min(box.bottom, window.innerHeight);
return {x: left, y: top, width: right - left, height: bottom - top};
}"""


def wanted() -> bool:
    """Return whether this run is to make the pictures."""
    return os.environ.get("QBR_SCREENSHOTS") == "1"


async def keep(
    page: Page,
    name: str,
    part: Locator | None = None,
    *,
    dark: bool = False,
    crop: FloatRect | None = None,
) -> None:
    """Write one picture, of an element, of what is in `crop`, or of what tells something."""
    if not wanted():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    if dark:
        await page.emulate_media(color_scheme="dark")
        await page.wait_for_function(IS_DARK)
    if part is None:
        clip = crop or await page.evaluate(PART)
        await page.screenshot(path=path, animations="disabled", caret="hide", clip=clip)
    else:
        await part.screenshot(path=path, animations="disabled", caret="hide")
    if dark:
        await page.emulate_media(color_scheme="light")
    size = path.stat().st_size
    assert size < MOST_BYTES, f"{path.name} has {size} bytes"
