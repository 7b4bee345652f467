"""The blueprints, imported by their address and opened in the automation editor."""

from collections.abc import AsyncGenerator
from pathlib import Path

from aiohttp import web
from playwright.async_api import expect
import pytest
import pytest_asyncio

from tests.support.harness.home_assistant import DOMAIN, ROOT
from tests.support.harness.process import free_port

from .fixtures import House
from .look import look
from .user import User

pytestmark = pytest.mark.timeout(90)

FOLDER = ROOT / "blueprints" / "automation" / DOMAIN
BLUEPRINTS = sorted(FOLDER.glob("*.yaml"))


@pytest_asyncio.fixture(loop_scope="session")
async def address(socket_enabled: None) -> AsyncGenerator[str]:
    """Serve the blueprints on loopback, and give the address of the folder."""
    app = web.Application()
    app.router.add_static("/", FOLDER)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_there_are_some() -> None:
    assert BLUEPRINTS


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda path: path.stem)
async def test_import_and_open(ready: House, user: User, address: str, blueprint: Path) -> None:
    await user.open("/config/blueprint/dashboard")
    await user.page.get_by_role("button", name="Import blueprint").click()
    await user.dialog.locator("input").first.fill(f"{address}/{blueprint.name}")
    await user.press("Preview")
    await expect(user.dialog).to_contain_text("Blueprint path")
    await user.press("Import blueprint")
    await user.no_dialog()

    imported = await ready.home.api.command("blueprint/list", domain="automation")
    names = {Path(path).stem: one["metadata"]["name"] for path, one in imported.items()}
    await user.page.get_by_text(names[blueprint.stem], exact=True).click()
    editor = user.page.locator("blueprint-automation-editor")
    await expect(editor.locator("ha-settings-row").first).to_be_visible()
    await look(editor)
    await expect(user.page.locator("ha-alert[alert-type=error], hui-error-card")).to_have_count(0)
    if blueprint.stem == "notify_queue":
        await user.keep("blueprint-dark", dark=True)
