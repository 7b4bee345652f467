"""What the tests of the integration share: servers that speak each dialect, a VPN, an entry."""

import asyncio
from collections.abc import AsyncGenerator, Generator
import logging
from pathlib import Path
import socket
from typing import Any
from unittest.mock import patch

from aiohttp.abc import AbstractResolver, ResolveResult
from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components  # noqa: F401  # first: phcc has a package of this name, too
from custom_components import qbittorrent_resilient as integration
from custom_components.qbittorrent_resilient import web_session
from custom_components.qbittorrent_resilient.const import DOMAIN, MINOR_VERSION
from custom_components.qbittorrent_resilient.core.qbittorrent import client, exchange
from tests.support.common import FakeClock, FakeVpn, Start
from tests.support.fake.dialect import DIALECTS, GENERATIONS, V4_5, V5_3, Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.log_lines import faults
from tests.support.stored_files import StoredFiles

pytest_plugins = ["tests.support.core_fixtures"]
# Where an assertion fails in these, the values are shown, as in a test.
pytest.register_assert_rewrite(
    "tests.support.automations", "tests.support.blueprints", "tests.support.states"
)

# As they are before the plugin replaces them by a store in memory.
_STORE_METHODS = {
    name: getattr(Store, name) for name in ("_async_load", "_async_write_data", "async_remove")
}
LONGEST_NAME = 500
"""Characters of a value in the name of a test."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a worker send what it has logged of hostile texts: a lone surrogate would end it."""
    report = yield
    report.sections = [(name, _sendable(text)) for name, text in report.sections]
    if (told := str(report.longrepr or "")) != _sendable(told):
        report.longrepr = _sendable(told)
    return report


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long value by its length: the name of a test is sent, written and read many times."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_NAME:
        return f"{argname} of {len(val)}"
    return None


def _sendable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


@pytest.fixture(autouse=True)
def _custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant load the integration wherever a test starts it."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave the debug mode of loops to PYTHONASYNCIODEBUG: half of a test's time would go there.

    In that mode asyncio and aiohttp keep a whole stack for each future and each request.
    """


@pytest.fixture(autouse=True)
def _log_lines() -> Generator[None]:
    """See to it that every line that the integration logs in a test is for users.

    What is not expected at all is logged with a trace, and is for developers.
    """
    wrong: list[str] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.INFO and not record.exc_info:
                text = record.getMessage()
                wrong.extend(f"{text} ({fault})" for fault in faults(text))

    logger, watch = logging.getLogger(integration.__name__), Watch()
    logger.addHandler(watch)
    yield
    logger.removeHandler(watch)
    assert not wrong, wrong


@pytest.fixture
def vpn() -> Generator[FakeVpn]:
    """Return a VPN that the test takes up and down."""
    fake = FakeVpn()
    with (
        patch("custom_components.qbittorrent_resilient.runtime.IcmpPing", lambda: fake),
        patch.multiple(
            "custom_components.qbittorrent_resilient.flows.target_trial",
            IcmpPing=lambda _: fake,
            NameLookUps=lambda: fake,
            look_around=lambda: fake.surroundings,
        ),
    ):
        yield fake


@pytest.fixture
def clock() -> Generator[FakeClock]:
    """Return the clock of what is set up after this; the test puts it forward."""
    fake = FakeClock()
    with patch("custom_components.qbittorrent_resilient.runtime.Clock", fake.make):
        yield fake


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server that does not answer count as silent after a second."""
    monkeypatch.setattr(exchange, "REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(client, "ADD_SECONDS", 1.0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what is marked so with one release of each kind only."""

    def is_left_out(item: pytest.Item) -> bool:
        callspec = getattr(item, "callspec", None)
        dialect = None if callspec is None else callspec.params.get("dialect")
        few = item.get_closest_marker("few_dialects")
        return few is not None and isinstance(dialect, Dialect) and dialect not in GENERATIONS

    if left_out := [item for item in items if is_left_out(item)]:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not is_left_out(item)]


@pytest.fixture(params=DIALECTS, ids=lambda one: one.label)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Run the test once for each release, or one of each kind if it is marked `few_dialects`."""
    dialect: Dialect = request.param
    return dialect


@pytest.fixture
async def primary(socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return the first server in line."""
    async with FakeQBittorrent(V5_3) as server:
        yield server


@pytest.fixture
async def secondary(socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return the second server in line, of an older version."""
    async with FakeQBittorrent(V4_5) as server:
        yield server


@pytest.fixture
def start(hass: HomeAssistant, storage_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Return a function that sets the integration up with these instances and waits for it."""
    # This machine may be busy with other tests.
    monkeypatch.setattr(integration, "FIRST_LOOK_SECONDS", 3.0)

    async def set_up(
        *instances: ConfigSubentryDataWithId,
        targets: tuple[str, ...] = (),
        home: tuple[str, ...] = (),
        options: dict[str, Any] | None = None,
        minor_version: int = MINOR_VERSION,
    ) -> MockConfigEntry:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="qBittorrent Resilient",
            entry_id="hub",
            minor_version=minor_version,
            data={"vpn_targets": list(targets), "home_address": list(home)},
            options=options or {},
            subentries_data=list(instances),
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        return entry

    return set_up


@pytest.fixture
def storage_folder(hass: HomeAssistant, tmp_path: Path) -> Generator[Path]:
    """Let Home Assistant write real files; return the folder of its stores."""
    hass.config.config_dir = str(tmp_path)
    with patch.multiple(Store, **_STORE_METHODS):
        yield tmp_path / ".storage"


@pytest.fixture
def hass_storage(hass_storage: dict[str, Any], tmp_path: Path) -> StoredFiles:
    """Return what is in `storage_folder`; the plugin's `hass` needs its own store until then."""
    return StoredFiles(tmp_path / ".storage")


@pytest.fixture
def names() -> Generator[None]:
    """Resolve `localhost` and no other name; the plugin's resolver works in one loop only."""

    class Resolver(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            if host != "localhost":
                raise OSError("Domain name not found")
            return [
                ResolveResult(
                    hostname=host,
                    host="127.0.0.1",
                    port=port,
                    family=socket.AF_INET,
                    proto=0,
                    flags=0,
                )
            ]

        async def close(self) -> None:
            """Close nothing."""

        async def real_close(self) -> None:
            """Close nothing: Home Assistant's name for it."""

    with (
        patch("homeassistant.helpers.aiohttp_client._async_make_resolver", return_value=Resolver()),
        patch.object(web_session, "ThreadedResolver", Resolver),
    ):
        yield


@pytest.fixture
async def refused_handshakes(hass: HomeAssistant) -> None:
    """Let a fake server see TLS handshakes fail; else the plugin takes it for a test's failure."""
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    assert handler is not None

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not context["message"].startswith("Error on transport creation"):
            handler(loop, context)

    loop.set_exception_handler(handle)
