"""A server behind a proxy is added, leaks past the VPN, and is said to be mended in the repair."""

from collections.abc import AsyncGenerator

from playwright.async_api import expect
import pytest
import pytest_asyncio

from tests.support.fake import V5_3
from tests.support.fake.proxies import basic
from tests.support.fake.server import FakeQBittorrent
from tests.support.harness.home_assistant import DOMAIN
from tests.support.harness.home_sensor import make_home_sensor
from tests.support.routes import HOME

from .fixtures import House
from .user import INTEGRATION, User
from .words import word

pytestmark = pytest.mark.timeout(120)

INSTANCE = "config_subentries.instance"
PROXY = word(f"{INSTANCE}.step.user.sections.proxy.name")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncGenerator[FakeQBittorrent]:
    """Give a server that is bound to the tunnel, behind a proxy with a login of its own."""
    async with FakeQBittorrent(V5_3) as server:
        server.in_front = basic("gate", "keeper")
        server.network.bind("tun0")
        yield server


async def test_a_server_behind_a_proxy(ready: House, server: FakeQBittorrent, user: User) -> None:
    await user.open(INTEGRATION)
    button = word(f"{INSTANCE}.initiate_flow.user")
    await user.page.get_by_role("button", name=button, exact=True).click()
    await user.titled(word(f"{INSTANCE}.step.user.title"))
    await user.field("name").fill("Proxied")
    await user.field("url").fill(server.url)
    await user.field("username").fill(server.settings.username)
    await user.field("password").fill(server.settings.password)
    await user.submit()
    await user.fault(word(f"{INSTANCE}.error.proxy_auth_failed"))
    await user.look()

    await user.choose(PROXY)
    await user.field("proxy_username").fill("gate")
    await user.field("proxy_password").fill("keeper")
    await expect(user.field("proxy_password")).to_have_attribute("type", "password")
    await user.field("proxy_username").evaluate("(field) => field.scrollIntoView()")
    await user.look()
    await user.submit()
    await expect(user.dialog.get_by_text("Success", exact=True).first).to_be_visible()
    await user.press("Finish")
    await user.no_dialog()
    assert (await ready.health())["Proxied"] == "ok"


async def test_a_leak_is_mended(ready: House, server: FakeQBittorrent, user: User) -> None:
    api = ready.home.api
    (entry,) = await api.entries(DOMAIN)
    sensor = await make_home_sensor(api, HOME)
    flow = await api.config_flow(DOMAIN, entry["entry_id"])
    await flow.submit(vpn_targets=[ready.vpn.target], home_address=[sensor])
    assert (await ready.health())["Proxied"] == "ok"
    server.network.bind("")
    server.network.detect(HOME)
    assert (await ready.health())["Proxied"] == "leaking"

    await user.open("/config/repairs")
    title = word("issues.leaking.title", name="Proxied")
    await user.page.get_by_text(title, exact=True).click()
    await user.titled(title)
    await expect(user.dialog).to_contain_text("leave by the home line")
    await expect(user.dialog).not_to_contain_text(HOME)
    await user.look()
    server.network.bind("tun0")
    await user.submit()
    await expect(user.dialog).not_to_contain_text("leave by the home line")
    assert (await ready.health())["Proxied"] == "ok"
    await user.open("/config/repairs")
    await expect(user.page.get_by_text(title, exact=True)).to_have_count(0)
