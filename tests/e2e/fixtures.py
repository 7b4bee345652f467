"""Fixtures for the tests in a browser: Home Assistant, servers, a VPN, and a user."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any

from playwright.async_api import Browser
import pytest
import pytest_asyncio
import pytest_socket

from tests.support.harness.home_assistant import DOMAIN, HomeAssistant, default_program
from tests.support.harness.home_assistant_api import ApiError
from tests.support.harness.process import UnavailableError
from tests.support.harness.qbittorrent import QBittorrent, binary
from tests.support.harness.vpn import Vpn

from .chromium import chromium, open_browser, open_page
from .user import User

HERE = Path(__file__).parent

type SitDown = Callable[..., AbstractAsyncContextManager[User]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder; they share a browser, so they share the loop, too."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.live)  # they need the servers, and run once in CI
            # When an interface comes or goes, Chromium drops what it is loading: nothing that makes
            # a tunnel may run beside it.
            item.add_marker(pytest.mark.xdist_group("network"))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass
class House:
    """A Home Assistant with what it talks to."""

    home: HomeAssistant
    seedbox: QBittorrent
    nas: QBittorrent
    attic: QBittorrent
    vpn: Vpn

    async def set_up(self) -> None:
        """Set the integration up without the browser, with two of the servers."""
        flow = await self.home.api.config_flow(DOMAIN)
        await flow.expect("form", "user").watch(self.vpn.target)
        for name, server in (("Seedbox", self.seedbox), ("Attic", self.attic)):
            await flow.expect("form", "instance").submit(
                name=name,
                url=server.url,
                username=server.username,
                password=server.password,
                requires_vpn=server is self.seedbox,
            )
            await flow.expect("menu", "more").choose("instance" if name == "Seedbox" else "finish")
        flow.expect("create_entry")

    async def call(self, action: str, data: dict[str, Any] | None = None) -> Any:
        """Call an action of ours, and return its response.

        After each change, and 30 s after an entity was enabled, the entry is loaded again.
        """
        end = time.monotonic() + 10
        while True:
            try:
                return await self.home.api.call_service(DOMAIN, action, data)
            except ApiError as err:
                if "not loaded" not in str(err) or time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)

    async def health(self) -> dict[str, str]:
        """Have everything checked now; return the status of each instance by its name."""
        instances: dict[str, str] = (await self.call("check_health"))["instances"]
        return instances


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Leave out the plugin's: no Home Assistant is in this process, and the browser stays."""


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Permit sockets."""


@pytest.fixture(scope="session", autouse=True)
def _vpn(request: pytest.FixtureRequest) -> Iterator[Vpn]:
    """Look whether all is there that cannot be replaced; give the VPN."""
    pytest_socket.enable_socket()
    try:
        chromium()
        default_program()
        for suite in ("forky", "trixie", "bookworm"):
            binary(suite)
        vpn = Vpn()
    except UnavailableError as err:
        if os.environ.get("CI") == "true":
            pytest.fail(str(err), pytrace=False)
        pytest.skip(str(err))
    with vpn:
        yield vpn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(_vpn: Vpn) -> AsyncGenerator[Browser]:
    """Give the browser; it is started once."""
    async with open_browser() as started:
        yield started


@pytest.fixture(scope="module")
def hass_program() -> Path:
    """Return the program of the newest Home Assistant; a module may have another one."""
    return default_program()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    _vpn: Vpn, hass_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[House]:
    """Give a Home Assistant of its own and three servers; the tests of a module share them."""
    pytest_socket.enable_socket()
    _vpn.up()
    folder = tmp_path_factory.mktemp("house")
    seedbox, nas, attic = servers = [
        QBittorrent(folder / suite, suite) for suite in ("forky", "trixie", "bookworm")
    ]
    try:
        for server in servers:
            server.start()
        async with HomeAssistant(folder / "home-assistant", program=hass_program) as home:
            # The country is of no use here, and would be pointed at in each picture.
            await home.api.command(
                "repairs/ignore_issue",
                domain="homeassistant",
                issue_id="country_not_configured",
                ignore=True,
            )
            yield House(home, seedbox, nas, attic, _vpn)
    finally:
        for server in servers:
            server.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ready(house: House) -> House:
    """Give the house with the integration set up."""
    await house.set_up()
    return house


@pytest.fixture
def sit_down(browser: Browser, house: House, request: pytest.FixtureRequest) -> SitDown:
    """Give a function that gives a user; nothing may have gone wrong in the page afterwards.

    With QBR_LAST_PAGES, the path of a folder, what each test saw last is kept there.
    """

    @asynccontextmanager
    async def user(*, dark: bool = False) -> AsyncIterator[User]:
        async with open_page(browser, house.home, dark=dark) as (page, complaints):
            yield User(page, house.home, complaints)
            if folder := os.environ.get("QBR_LAST_PAGES"):
                await page.screenshot(path=Path(folder) / f"{request.node.name}.png")
            assert not complaints.found, complaints.found

    return user


@pytest_asyncio.fixture(loop_scope="session")
async def user(sit_down: SitDown) -> AsyncGenerator[User]:
    """Give a user."""
    async with sit_down() as one:
        yield one
