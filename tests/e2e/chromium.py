"""Chromium, and a page of it that keeps what went wrong in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
import os
from pathlib import Path
import time
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    Route,
    async_playwright,
    expect,
)

from tests.support.harness.home_assistant import DOMAIN, HomeAssistant
from tests.support.harness.process import UnavailableError, clean_environment
from tests.support.harness.qbittorrent import cache_folder

# No sandbox: root cannot have it, and only our own Home Assistant is looked at.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
SIZE = {"width": 1280, "height": 900}
PATIENCE = 20_000
"""Milliseconds until something that is waited for has failed to come, on a busy machine."""
expect.set_options(timeout=PATIENCE)
BRANDS = "/api/brands/"
LOOPBACK = "127.0.0.1"
GIVEN_UP = "net::ERR_ABORTED"
"""What Chromium calls a request that the page itself gave up, for example on leaving."""


def chromium() -> Path:
    """Return the program of the browser, or raise UnavailableError."""
    program = Path(os.environ.get("QBR_CHROMIUM") or cache_folder() / "chromium" / "chromium")
    if not os.access(program, os.X_OK):
        msg = "no Chromium here: run script/setup browser"
        raise UnavailableError(msg)
    return program


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start the browser without windows."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=ARGUMENTS, env=dict(clean_environment())
        )
        try:
            yield browser
        finally:
            await browser.close()


class Complaints:
    """What went wrong in a page: errors on the console or in scripts, and failed requests."""

    def __init__(self, page: Page) -> None:
        """Listen to the page."""
        self.found: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        # Its requests are listened to themselves, which tells more.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.found.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if is_ours(request.url) and request.failure != GIVEN_UP:
            self.found.append(f"request: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        # Home Assistant gets the pictures of its own integrations from the internet.
        if BRANDS in response.url and DOMAIN not in response.url:
            return
        if is_ours(response.url) and response.status >= HTTPStatus.BAD_REQUEST:
            self.found.append(f"request: {response.url} was answered with {response.status}")


def is_ours(url: str) -> bool:
    """Return whether something is asked of Home Assistant, and not of the internet."""
    return urlsplit(url).hostname == LOOPBACK


async def _stay_home(route: Route) -> None:
    """Let nothing out into the internet: maps, pictures of brands."""
    if is_ours(route.request.url):
        await route.continue_()
    else:
        await route.abort()


@asynccontextmanager
async def open_page(
    browser: Browser, home: HomeAssistant, *, dark: bool = False
) -> AsyncIterator[tuple[Page, Complaints]]:
    """Open an empty page of a user who is logged in to Home Assistant."""
    context = await browser.new_context(
        viewport=SIZE,  # type: ignore[arg-type]
        locale="en-GB",
        timezone_id="UTC",
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        # It would answer in place of Home Assistant.
        service_workers="block",
        base_url=home.url,
    )
    try:
        context.set_default_timeout(PATIENCE)
        tokens = {
            "hassUrl": home.url,
            "clientId": f"{home.url}/",
            "access_token": home.token,
            "refresh_token": "",
            "token_type": "Bearer",
            "expires_in": 86400,
            "expires": int((time.time() + 86400) * 1000),
        }
        script = "([key, value]) => localStorage.setItem(key, JSON.stringify(value))"
        await context.route("**/*", _stay_home)
        page = await context.new_page()
        await page.goto("/manifest.json")  # any page of the same origin, to write its storage
        await page.evaluate(script, ["hassTokens", tokens])
        yield page, Complaints(page)
    finally:
        await context.close()
