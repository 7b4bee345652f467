"""Set-up and adding on every version, by every way in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
import pytest_socket

from tests import flow
from tests.actions import add, status_of
from tests.common import info_hash, link
from tests.harness.qbittorrent import VERSIONS, QBittorrent, new_api_key
from tests.live.common import clear, configure, connected, until
from tests.live.conftest import start_real

_SERVERS = [(suite, https) for suite in VERSIONS for https in (False, True)]
_STOPPED = {"4.5.2": "pausedDL", "5.1.0": "stoppedDL", "5.3.0": "stoppedDL"}


@pytest.fixture(
    scope="module",
    params=_SERVERS,
    ids=[f"{VERSIONS[suite]}-http{'s' if https else ''}" for suite, https in _SERVERS],
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QBittorrent]:
    """Give a server that takes a password, and an API key where its version can."""
    pytest_socket.enable_socket()
    suite, https = request.param
    server = start_real(
        tmp_path_factory.mktemp("matrix"),
        suite,
        https=https,
        auth="api_key" if suite == "forky" else "password",
    )
    yield server
    server.kill()


def _ways_in(server: QBittorrent) -> dict[str, dict[str, str]]:
    return {
        "password": {"username": server.username, "password": server.password},
        "bypass": {},
        "api_key": {"api_key": server.api_key or new_api_key()},
    }


@pytest.mark.parametrize("way", ["password", "bypass", "api_key"])
async def test_set_up_and_add(hass: HomeAssistant, server: QBittorrent, way: str) -> None:
    clear(server)
    configure(server, bypass_local_auth=way == "bypass")
    https = server.url.startswith("https")
    entered: flow.Fields = {"name": "First", "url": server.url}
    entered |= _ways_in(server)[way]
    form = await flow.begin(hass)

    if https:  # its certificate is self-signed
        form = await flow.submit(hass, form, entered)
        assert form["errors"] == {"base": "ssl_error"}
        entered["verify_ssl"] = False
    if way != "bypass":
        secrets = _ways_in(server)[way]
        without = {key: value for key, value in entered.items() if key not in secrets}
        form = await flow.submit(hass, form, without)
        assert form["errors"] == {"base": "invalid_auth"}
    form = await flow.submit(hass, form, entered)
    if way == "api_key" and not server.api_key:
        assert form["errors"] == {"base": "invalid_auth"}
        return
    await flow.finish(hass, form)
    await connected(hass)
    assert status_of(hass, "first") == "ok"

    wishes = {"category": "films", "tags": ["new", "from ha"], "stopped": True}
    folder = server.profile / "downloads" / way
    response = await add(hass, link(1), save_path=str(folder), **wishes)
    assert response == {
        "added": [_named(1) | {"instance": "First", "status": "added"}],
        "queued": [],
        "failed": [],
        "skipped": [],
        "health": {"vpn": None, "instances": {"First": "ok"}},
    }
    (torrent,) = server.torrents()
    assert torrent["hash"] == torrent["infohash_v1"] == info_hash(1)
    assert torrent["name"] == "Torrent 1"
    assert torrent["category"] == "films"
    assert torrent["tags"].split(", ") == ["from ha", "new"]
    assert Path(torrent["save_path"]) == folder
    assert torrent["state"] == _STOPPED[server.version]

    response = await add(hass, link(1), link(2))
    assert response["added"] == [
        _named(1) | {"instance": "First", "status": "already_present"},
        _named(2) | {"instance": "First", "status": "added"},
    ]
    await until(lambda: _states(server)[info_hash(2)] == "metaDL")
    assert _states(server)[info_hash(1)] == _STOPPED[server.version]


def _named(number: int) -> dict[str, Any]:
    return {"info_hash": info_hash(number), "name": f"Torrent {number}"}


def _states(server: QBittorrent) -> dict[str, str]:
    return {torrent["hash"]: torrent["state"] for torrent in server.torrents()}
