"""Pictures for the README, made only when QBR_SCREENSHOTS=1: runs do not change files."""

import os
from pathlib import Path

from playwright.async_api import FloatRect, Locator, Page

FOLDER = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 150_000
"""A page with several of them still has to load on a phone."""

IS_DARK = "document.querySelector('meta[name=color-scheme]')?.content === 'dark'"
"""What the frontend writes into the page when it has changed its colours."""


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
    """Write one picture, of the page or of a part of it: an element, or what is in `crop`."""
    if not wanted():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    if dark:
        await page.emulate_media(color_scheme="dark")
        await page.wait_for_function(IS_DARK)
    if part is None:
        await page.screenshot(path=path, animations="disabled", caret="hide", clip=crop)
    else:
        await part.screenshot(path=path, animations="disabled", caret="hide")
    if dark:
        await page.emulate_media(color_scheme="light")
    size = path.stat().st_size
    assert size < MOST_BYTES, f"{path.name} has {size} bytes"
