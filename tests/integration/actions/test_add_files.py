"""`add_magnets` with torrent files: read where Home Assistant may read, delivered as files."""

import os
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.qbittorrent_resilient.core.torrent_file import MAX_TORRENT_BYTES
from tests.support.actions import call
from tests.support.common import Start, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.torrents import Kind, MadeTorrent, info_of, torrent

CANARY = "http://canary.example/passkey"
FOLDER = "qbittorrent_resilient.torrents"


class Incoming:
    """A folder that Home Assistant may read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def clear(self) -> None:
        for one in self.path.iterdir():
            one.unlink()

    def write(self, name: str, content: MadeTorrent | bytes) -> str:
        data = content.data if isinstance(content, MadeTorrent) else content
        (self.path / name).write_bytes(data)
        return str(self.path / name)


@pytest.fixture
def incoming(hass: HomeAssistant, tmp_path: Path) -> Incoming:
    hass.config.allowlist_external_dirs = {str(tmp_path / "incoming")}
    return Incoming(tmp_path / "incoming")


def stored(storage_folder: Path) -> list[str]:
    folder = storage_folder / FOLDER
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def sent(server: FakeQBittorrent) -> list[str]:
    return [name for add in server.adds for name in add]


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
async def test_delivered_as_a_file(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, incoming: Incoming, kind: Kind
) -> None:
    await start(instance("first", primary))
    made = torrent(1, kind, tracker=CANARY)
    response = await call(hass, "add_magnets", files=incoming.write("a.torrent", made))
    assert response["added"] == [
        {
            "info_hash": made.info_hash,
            "name": "torrent-1.txt",
            "instance": "First",
            "status": "added",
        }
    ]
    assert response["failed"] == response["queued"] == []
    (request,) = primary.requests_to("torrents/add")
    assert request.files == {f"{made.info_hash}.torrent": made.data}
    again = await call(hass, "add_magnets", magnets=made.magnet)
    assert [one["status"] for one in again["added"]] == ["already_present"]
    assert len(primary.adds) == 1


async def test_queued_over_a_restart(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    incoming: Incoming,
) -> None:
    await primary.refuse()
    entry = await start(instance("first", primary))
    paths = [incoming.write(f"{number}.torrent", torrent(number)) for number in (1, 2)]
    await call(hass, "add_magnets", files=paths, magnets=[link(3)])
    assert len(stored(storage_folder)) == 2
    incoming.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await primary.listen()
    response = await call(hass, "retry_queue")
    assert len(response["added"]) == 3
    assert primary.hashes == {torrent(1).v1, torrent(2).v1, info_hash(3)}
    assert sorted(map(len, primary.adds)) == [1, 2]


@pytest.mark.parametrize("file_first", [True, False])
async def test_once_beside_its_own_magnet(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    incoming: Incoming,
    file_first: bool,
) -> None:
    await primary.refuse()
    await start(instance("first", primary))
    made = torrent(1, "hybrid")
    calls: list[dict[str, Any]] = [
        {"files": incoming.write("a.torrent", made)},
        {"magnets": f"magnet:?xt=urn:btih:{made.v1}"},
    ]
    for fields in calls if file_first else calls[::-1]:
        await call(hass, "add_magnets", **fields)
    assert [one["info_hash"] for one in (await call(hass, "get_queue"))["queued"]] == [made.v1]
    await primary.listen()
    await call(hass, "retry_queue")
    assert sent(primary) == [f"{made.v1}.torrent"]
    assert len(primary.hashes) == 1


async def test_one_call_with_a_torrent_both_ways(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, incoming: Incoming
) -> None:
    await start(instance("first", primary))
    made = torrent(1)
    path = incoming.write("a.torrent", made)
    response = await call(hass, "add_magnets", files=[path, path], magnets=[made.magnet])
    assert [one["status"] for one in response["added"]] == ["added"]
    assert sent(primary) == [f"{made.v1}.torrent"]


async def test_the_bad_are_told_and_hold_up_nothing(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, incoming: Incoming, tmp_path: Path
) -> None:
    await start(instance("first", primary))
    elsewhere = tmp_path / "secret.torrent"
    elsewhere.write_bytes(torrent(8).data)
    (incoming.path / "link.torrent").symlink_to(elsewhere)
    os.mkfifo(incoming.path / "fifo")
    paths = [
        incoming.write("page.torrent", b"<html>Log in</html>"),
        incoming.write("good.torrent", torrent(1)),
        incoming.write("huge.torrent", b"x" * (MAX_TORRENT_BYTES + 1)),
        str(elsewhere),
        str(incoming.path / "link.torrent"),
        str(incoming.path / ".." / "secret.torrent"),
        str(incoming.path / "none.torrent"),
        str(incoming.path / "fifo"),
        str(incoming.path),
        "/proc/self/environ",
        "\0",
        "",
    ]
    response = await call(hass, "add_magnets", magnets=["bad", link(2)], files=paths)
    assert {one["info_hash"] for one in response["added"]} == {torrent(1).v1, info_hash(2)}
    assert [(one["index"], one["reason"]) for one in response["failed"]] == [
        (0, "invalid_magnet"),
        (2, "not_a_torrent"),
        (4, "too_large"),
        *((index, "not_a_torrent") for index in range(5, 14)),
    ]
    texts = [one["text"] for one in response["failed"][1:]]
    assert texts[:4] == ["page.torrent", "huge.torrent", "secret.torrent", "link.torrent"]
    assert not any("/" in text for text in texts)


async def test_nothing_good(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, incoming: Incoming
) -> None:
    await start(instance("first", primary))
    for fields, reason in (
        ({}, "required"),
        ({"files": []}, "required"),
        ({"files": incoming.write("a", b"PK\x03\x04")}, "ZIP"),
        ({"files": ["/etc/passwd"]}, "allowlist_external_dirs"),
        ({"files": ["a"] * 1001}, "length"),
        ({"files": [3]}, "str"),
    ):
        with pytest.raises(ServiceValidationError, match=reason):
            await call(hass, "add_magnets", **fields)
    assert not primary.adds


async def test_beyond_the_limit(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    incoming: Incoming,
) -> None:
    await primary.refuse()
    await start(instance("first", primary))
    paths = [incoming.write(f"{number}", torrent(number)) for number in (1, 2)]
    response = await call(hass, "add_magnets", magnets=link(3), files=paths, max_downloads=2)
    assert [one["info_hash"] for one in response["queued"]] == [info_hash(3), torrent(1).v1]
    assert [one["info_hash"] for one in response["skipped"]] == [torrent(2).v1]
    assert len(stored(storage_folder)) == 1


async def test_disk_full(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    incoming: Incoming,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await start(instance("first", primary))
    monkeypatch.setattr(
        "custom_components.qbittorrent_resilient.core.outbox.torrent_files.MOST_BYTES",
        len(torrent(1).data),
    )
    paths = [incoming.write(f"{number}", torrent(number)) for number in (1, 2)]
    with pytest.raises(HomeAssistantError, match="no room"):
        await call(hass, "add_magnets", files=paths)
    assert not primary.adds
    assert not stored(storage_folder)


async def test_bad_for_the_server_among_good_ones(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, incoming: Incoming
) -> None:
    """All others arrive, in halves; that one is rejected, and nothing is said twice."""
    await start(instance("first", primary))
    made = [torrent(number) for number in range(1, 25)]
    made[7] = torrent(8, info=info_of(8, pieces=b"x" * 40))
    paths = [incoming.write(f"{number}", one) for number, one in enumerate(made)]
    response = await call(hass, "add_magnets", files=paths)
    assert [(one["index"], one["reason"]) for one in response["failed"]] == [(7, "rejected")]
    assert {one["status"] for one in response["added"]} == {"added"}
    assert primary.hashes == {one.v1 for one in made} - {made[7].v1}
    assert max(map(len, primary.adds)) == 20


async def test_lost_on_disk_its_magnet_is_delivered(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    incoming: Incoming,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await primary.refuse()
    await start(instance("first", primary))
    made = [torrent(number, tracker=CANARY) for number in (1, 2, 3)]
    paths = [incoming.write(f"{number}", one) for number, one in enumerate(made)]
    await call(hass, "add_magnets", files=paths)
    (storage_folder / FOLDER / stored(storage_folder)[1]).write_bytes(b"damaged")
    await primary.listen()
    response = await call(hass, "retry_queue")
    assert len(response["added"]) == 3
    magnets = [one for one in sent(primary) if one.startswith("magnet:")]
    assert len(magnets) == 1
    assert "canary.example" in magnets[0]
    assert len([one for one in caplog.messages if "torrent file is lost" in one]) == 1
    assert "canary" not in caplog.text


async def test_gone_once_it_is_saved(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    incoming: Incoming,
) -> None:
    await start(instance("first", primary))
    await call(hass, "add_magnets", files=incoming.write("a", torrent(1)))
    await settled(hass)
    assert len(stored(storage_folder)) == 1
    await primary.restart("none")
    await call(hass, "check_health")
    await settled(hass)
    assert primary.hashes == {torrent(1).v1}
    assert sent(primary) == [f"{torrent(1).v1}.torrent"] * 2
