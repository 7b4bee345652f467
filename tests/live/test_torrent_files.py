"""Torrent files to real servers: with the hashes that these give them, past kills."""

import asyncio
from pathlib import Path
import shutil
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.health.instance import SAME_START_SECONDS
from custom_components.qbittorrent_resilient.core.qbittorrent.client import Client
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import CannotConnectError
from tests.live.common import connected, delivered, fields, set_up, until
from tests.live.conftest import StartServer
from tests.support.actions import call, hashes
from tests.support.harness.qbittorrent import VERSIONS, QBittorrent
from tests.support.torrents import MadeTorrent, info_of, torrent
from tests.support.web_host import web_host

each_version = pytest.mark.parametrize("suite", VERSIONS, ids=VERSIONS.values())
MADE = [torrent(1), torrent(2, "v2"), torrent(3, "hybrid")]


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a folder that Home Assistant may read."""
    hass.config.allowlist_external_dirs = {str(tmp_path / "incoming")}
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming"


def written(folder: Path, *made: MadeTorrent) -> list[str]:
    paths = [folder / f"{number}.torrent" for number in range(len(made))]
    for path, one in zip(paths, made, strict=True):
        path.write_bytes(one.data)
    return list(map(str, paths))


def topics(server: QBittorrent) -> set[tuple[str, str]]:
    """Return the v1 and v2 hash of each torrent that a server lists."""
    return {(one["infohash_v1"], one["infohash_v2"]) for one in server.torrents()}


EXPECTED = {(one.v1 or "", one.v2 or "") for one in MADE}


@each_version
async def test_of_each_kind(
    hass: HomeAssistant, start_server: StartServer, folder: Path, suite: str
) -> None:
    """With what they hold: unlike by a magnet, the server knows the files at once."""
    server = start_server(suite)
    await set_up(hass, fields(server))
    wishes = {"category": "größer", "tags": ["a", "b"], "stopped": True}
    response = await call(hass, "add_magnets", files=written(folder, *MADE), **wishes)
    assert {one["status"] for one in response["added"]} == {"added"}
    assert hashes(response["added"]) == [one.info_hash for one in MADE]
    assert topics(server) == EXPECTED
    for one in server.torrents():
        assert (one["category"], one["tags"]) == ("größer", "a, b")
        assert one["total_size"] > 0
    await until(
        lambda: {one["state"] for one in server.torrents()} in ({"pausedDL"}, {"stoppedDL"})
    )
    again = await call(hass, "add_magnets", magnets=[one.magnet for one in MADE])
    assert {one["status"] for one in again["added"]} == {"already_present"}


@each_version
async def test_after_its_magnet(
    hass: HomeAssistant, start_server: StartServer, folder: Path, suite: str
) -> None:
    """A server that has the magnet of a hybrid by one hash is not sent it."""
    server = start_server(suite)
    await set_up(hass, fields(server))
    await call(hass, "add_magnets", magnets=f"magnet:?xt=urn:btih:{MADE[2].v1}")
    response = await call(hass, "add_magnets", files=written(folder, MADE[2]))
    assert [one["status"] for one in response["added"]] == ["already_present"]
    assert len(server.torrents()) == 1


@each_version
async def test_refused_by_the_server_among_good_ones(
    hass: HomeAssistant, start_server: StartServer, folder: Path, suite: str
) -> None:
    server = start_server(suite)
    await set_up(hass, fields(server))
    bad = torrent(4, info=info_of(4, pieces=b"x" * 40))
    await asyncio.sleep(SAME_START_SECONDS + 1)  # a younger one may have been restarted just now
    response = await call(hass, "add_magnets", files=written(folder, MADE[0], bad, *MADE[1:]))
    assert [(one["index"], one["reason"]) for one in response["failed"]] == [(1, "rejected")]
    assert {one["status"] for one in response["added"]} == {"added"}
    assert topics(server) == EXPECTED


@pytest.mark.usefixtures("often")
@each_version
async def test_past_a_kill_after_its_answer(
    hass: HomeAssistant,
    start_server: StartServer,
    folder: Path,
    suite: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the server lost, although it had said yes, it gets again, as a file."""
    server = start_server(suite)
    await set_up(hass, fields(server))
    hand_over = Client.add

    async def killed(self: Client, *args: Any, **options: Any) -> Any:
        monkeypatch.setattr(Client, "add", hand_over)
        answer = await self.add(*args, **options)
        await asyncio.to_thread(server.kill)
        return answer

    monkeypatch.setattr(Client, "add", killed)
    response = await call(hass, "add_magnets", files=written(folder, *MADE), stopped=True)
    assert {one["reason"] for one in response["queued"]} == {"uncertain"}
    await asyncio.to_thread(shutil.rmtree, folder)
    await asyncio.to_thread(server.start)
    await delivered(hass)
    await until(lambda: topics(server) == EXPECTED)
    assert all(one["total_size"] > 0 for one in server.torrents())


@pytest.mark.usefixtures("often")
@each_version
async def test_past_a_lost_answer(
    hass: HomeAssistant,
    start_server: StartServer,
    folder: Path,
    suite: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = start_server(suite), start_server("forky")
    await set_up(hass, fields(first), fields(second, "Second"))
    hand_over = Client.add

    async def cut(self: Client, *args: Any, **options: Any) -> Any:
        monkeypatch.setattr(Client, "add", hand_over)
        await self.add(*args, **options)
        raise CannotConnectError("cut", maybe_done=True)

    monkeypatch.setattr(Client, "add", cut)
    response = await call(hass, "add_magnets", files=written(folder, *MADE))
    assert {(one["status"], one["instance"]) for one in response["added"]} == {("added", "First")}
    assert topics(first) == EXPECTED
    assert not second.torrents()


async def test_web_links_past_a_lost_answer(
    hass: HomeAssistant,
    start_server: StartServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What they lead to is sent as files, once, although the answer to that was lost."""
    first, second = start_server("trixie"), start_server("forky")
    entry = await set_up(hass, fields(first), fields(second, "Second"))
    hass.config_entries.async_update_entry(entry, options={"fetch_links": True})
    await hass.async_block_till_done()
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    await connected(hass)
    hand_over, sent = Client.add, 0

    async def cut(self: Client, *args: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        monkeypatch.setattr(Client, "add", hand_over)
        await self.add(*args, **options)
        raise CannotConnectError("cut", maybe_done=True)

    monkeypatch.setattr(Client, "add", cut)
    async with web_host() as host:
        links = [host.give(f"/{number}.torrent", one.data) for number, one in enumerate(MADE)]
        response = await call(hass, "add_magnets", magnets=links, stopped=True)
    assert sent == 1
    assert {(one["status"], one["instance"]) for one in response["added"]} == {("added", "First")}
    assert {*hashes(response["added"])} == {one.info_hash for one in MADE}
    assert topics(first) == EXPECTED
    assert all(one["total_size"] > 0 for one in first.torrents())
    assert not second.torrents()
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
