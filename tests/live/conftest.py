"""Fixtures for tests against real qBittorrent servers, on loopback."""

from collections.abc import Callable, Iterator
import contextlib
import logging
import os
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
import pytest_socket

from custom_components.qbittorrent_resilient.const import DEFAULT_OPTIONS, OPTION_RANGES
from custom_components.qbittorrent_resilient.core import worker
from custom_components.qbittorrent_resilient.core.health import network_watch
from tests.live.route_stage import a_world, home_clients
from tests.live.route_watch import Watch
from tests.live.vpn_stage import tunnel
from tests.support.harness.home_client import HomeClient
from tests.support.harness.process import UnavailableError
from tests.support.harness.qbittorrent import BUILDS, VERSIONS, QBittorrent
from tests.support.harness.vpn import Vpn
from tests.support.harness.world import World

HERE = Path(__file__).parent

type StartServer = Callable[..., QBittorrent]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)


def start_real(folder: Path, suite: str, **options: Any) -> QBittorrent:
    """Start a server, or skip the test where there is none; on a build machine that fails."""
    server = QBittorrent(folder, suite, **options)
    try:
        server.start()
    except UnavailableError as err:
        reason = str(err)
    except BaseException:
        server.kill()
        raise
    else:
        return server
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Permit sockets; the test plugin limits them to 127.0.0.1."""


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Keep what the integration says at debug level, for a failure that comes once in a while."""
    caplog.set_level(logging.DEBUG, logger="custom_components.qbittorrent_resilient")


@pytest.fixture(autouse=True)
def _real_storage(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant keep the queue in real files."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("storage_folder")


@pytest.fixture(autouse=True)
def _each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an entry ask for checks more often than a user may."""
    monkeypatch.setitem(OPTION_RANGES, "scan_interval", (1, 3600))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything looked at each second, all by itself."""
    monkeypatch.setitem(DEFAULT_OPTIONS, "scan_interval", 1)
    monkeypatch.setattr(worker, "TICK_SECONDS", 0.5)


@pytest.fixture(scope="module", params=VERSIONS, ids=list(VERSIONS.values()))
def real_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QBittorrent]:
    """Give a real server of each version, with a password; the tests of a module share it.

    A module may ask for other builds: parametrize it by their suites, with `indirect`.
    """
    pytest_socket.enable_socket()
    server = start_real(tmp_path_factory.mktemp(f"qbittorrent-{request.param}"), request.param)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def real_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[QBittorrent]]:
    """Give a real server of every build at once; the tests of a module share them."""
    pytest_socket.enable_socket()
    with contextlib.ExitStack() as started:
        servers = []
        for suite in BUILDS:
            servers.append(start_real(tmp_path_factory.mktemp(f"qbittorrent-{suite}"), suite))
            started.callback(servers[-1].kill)
        yield servers


@pytest.fixture(scope="module")
def _shared_world() -> Iterator[World]:
    """Build a world; the tests of a module share it."""
    pytest_socket.enable_socket()
    with a_world() as world:
        yield world


@pytest.fixture(scope="module")
def _shared_homes(
    _shared_world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[HomeClient]]:
    """Prepare the clients; the tests of a module share their profiles."""
    with home_clients(_shared_world, tmp_path_factory.mktemp("homes")) as clients:
        yield clients


@pytest.fixture
def world(_shared_world: World) -> World:
    """Give a home with a line and a tunnel, and the world; all there is as in the beginning."""
    _shared_world.reset()
    return _shared_world


@pytest.fixture
def homes(world: World, _shared_homes: list[HomeClient]) -> Iterator[list[HomeClient]]:
    """Give a client of every version, all in that home; a test renews those that it needs."""
    yield _shared_homes
    for client in _shared_homes:
        client.kill()


@pytest.fixture(params=range(len(VERSIONS)), ids=list(VERSIONS.values()))
def client(request: pytest.FixtureRequest, homes: list[HomeClient]) -> HomeClient:
    """Give one client of each version, that a test renews."""
    number: int = request.param
    return homes[number]


@pytest.fixture
def newest_client(homes: list[HomeClient]) -> HomeClient:
    """Give the client of the newest version, that a test renews."""
    return homes[-1]


@pytest.fixture
def watch(hass: HomeAssistant, world: World, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Give what a test does with Home Assistant and a client, and sees of it.

    Whether a client that leaks has been bound is looked at each second, not each minute.
    """
    monkeypatch.setattr(network_watch, "LEAKING_LOOK_SECONDS", 1.0)
    return Watch(hass, world)


@pytest.fixture
def vpn_target(socket_enabled: None) -> Iterator[Vpn]:
    """Give a VPN that is up, for Home Assistant to ping; no client is behind it."""
    with tunnel() as vpn:
        yield vpn


@pytest.fixture
def start_server(
    tmp_path_factory: pytest.TempPathFactory, socket_enabled: None
) -> Iterator[StartServer]:
    """Give a function that starts a server of its own: start_server(suite, **options).

    The options are those of QBittorrent: auth, https, username, password, port, settings.
    """
    started: list[QBittorrent] = []

    def start(suite: str = "forky", **options: Any) -> QBittorrent:
        """Start one more."""
        server = start_real(tmp_path_factory.mktemp(f"qbittorrent-{suite}"), suite, **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()
