"""Set-up and adding on every version, by every way in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
import pytest_socket

from tests.live.common import clear, configure, connected, set_up, until
from tests.live.conftest import start_real
from tests.support import flow
from tests.support.actions import add, status_of
from tests.support.common import info_hash, link
from tests.support.harness.qbittorrent import VERSIONS, QBittorrent, new_api_key

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


@pytest.mark.parametrize("preference", [False, True])
async def test_started_as_the_server_is_set(
    hass: HomeAssistant, server: QBittorrent, preference: bool
) -> None:
    """It starts nothing by itself, or all; what the action or the instance says counts more."""
    clear(server)
    configure(server, bypass_local_auth=True, add_stopped_enabled=preference)
    configure(server, start_paused_enabled=preference)
    plain = {"name": "First", "url": server.url, "verify_ssl": False}
    await set_up(hass, plain)
    await add(hass, link(1))
    await add(hass, link(2), stopped=not preference)
    states = _states(server)
    assert (states[info_hash(1)] == _STOPPED[server.version]) is preference
    assert (states[info_hash(2)] == _STOPPED[server.version]) is not preference
    (entry,) = hass.config_entries.async_entries("qbittorrent_resilient")
    (subentry,) = entry.subentries.values()
    word = "start" if preference else "stop"
    data = {**subentry.data, "defaults": {**subentry.data["defaults"], "stopped": word}}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()
    await add(hass, link(3))
    assert (_states(server)[info_hash(3)] == _STOPPED[server.version]) is not preference
    configure(server, add_stopped_enabled=False, start_paused_enabled=False)


async def test_management_and_order_of_pieces(hass: HomeAssistant, server: QBittorrent) -> None:
    clear(server)
    configure(server, bypass_local_auth=True)
    folder = str(server.profile / "downloads" / "fixed")
    defaults = {"category": "films", "save_path": folder}
    plain = {"name": "First", "url": server.url, "verify_ssl": False, "defaults": defaults}
    await set_up(hass, plain)
    wishes: list[dict[str, bool]] = [
        {},
        {"automatic_management": True},
        {"sequential": True, "automatic_management": False},
        {"first_last_piece_first": True},
        {"sequential": True, "first_last_piece_first": True, "stopped": True},
    ]
    for number, one in enumerate(wishes, 1):
        await add(hass, link(number), **one)
    rows = {row["hash"]: row for row in server.torrents()}
    found = [rows[info_hash(number)] for number in range(1, len(wishes) + 1)]
    assert [row["auto_tmm"] for row in found] == [False, True, False, False, False]
    assert [row["seq_dl"] for row in found] == [False, False, True, False, True]
    assert [row["f_l_piece_prio"] for row in found] == [False, False, False, True, True]
    elsewhere = [row["hash"] for row in found if row["save_path"].rstrip("/") != folder]
    assert elsewhere == [info_hash(2)]
    assert {row["category"] for row in found} == {"films"}


def _named(number: int) -> dict[str, Any]:
    return {"info_hash": info_hash(number), "name": f"Torrent {number}"}


def _states(server: QBittorrent) -> dict[str, str]:
    return {torrent["hash"]: torrent["state"] for torrent in server.torrents()}
