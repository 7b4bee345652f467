"""Many magnets in one call, and magnets of every kind."""

import base64
import time

from homeassistant.core import HomeAssistant
import pytest

from tests.actions import add, call, hashes
from tests.common import info_hash, link
from tests.harness.qbittorrent import QBittorrent
from tests.live.common import clear, fields, set_up

V2 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
INVALID = [
    "bogus",
    "magnet:?dn=no+topic",
    f"magnet:?xt=urn:btih:{'0' * 40}",
    f"magnet:?xt=urn:btih:{'z' * 40}",
    f"magnet:?xt=urn:btih:{'1' * 39}",
    f"magnet:?xt=urn:btmh:1220{'1' * 63}",
    "http://127.0.0.1:9/some.torrent",
    "/etc/passwd",
    "a" * 40,
    f"{link(901)}\n{link(902)}",
    f"{link(903)}\nhttp://127.0.0.1:9/some.torrent",
]


@pytest.fixture
async def server(hass: HomeAssistant, real_server: QBittorrent) -> QBittorrent:
    """Return a server of each version, empty and set up as the only instance."""
    clear(real_server)
    await set_up(hass, fields(real_server, defaults={"stopped": True}))
    return real_server


async def test_a_thousand(hass: HomeAssistant, server: QBittorrent) -> None:
    numbers = range(1, 1001)
    start = time.monotonic()
    response = await add(hass, *(link(number) for number in numbers))
    assert time.monotonic() - start < 30
    assert response["added"] == [
        {
            "info_hash": info_hash(number),
            "name": f"Torrent {number}",
            "instance": "First",
            "status": "added",
        }
        for number in numbers
    ]
    assert [response[key] for key in ("queued", "failed", "skipped")] == [[], [], []]
    assert server.hashes() == {info_hash(number) for number in numbers}
    assert len(server.torrents()) == 1000


async def test_every_kind_among_invalid_ones(hass: HomeAssistant, server: QBittorrent) -> None:
    v2 = [f"{number:02}{V2}" for number in range(4)]
    base32 = base64.b32encode(bytes.fromhex(info_hash(4))).decode()
    valid = {
        f"magnet:?xt=urn:btih:{'AB' * 20}&dn=upper": ("ab" * 20, "ab" * 20),
        f"magnet:?xt=urn:btih:{base32}": (info_hash(4), info_hash(4)),
        f"magnet:?xt=urn:btih:{base32.lower()[:-1]}b": (info_hash(1), info_hash(1)),
        f"magnet:?xt=urn:btmh:1220{v2[0]}&dn=v2": (v2[0], v2[0][:40]),
        f"magnet:?xt=urn:btih:{info_hash(5)}&xt=urn:btmh:1220{v2[1]}": (info_hash(5), v2[1][:40]),
        f"magnet:?xt=urn:btmh:1220{v2[2]}&xt=urn:btih:{info_hash(6)}": (info_hash(6), v2[2][:40]),
        link(7, extra="&tr=udp%3A%2F%2F127.0.0.1%3A1&x.pe=127.0.0.1:1"): (info_hash(7),) * 2,
    }
    given: list[str] = []
    for number in range(max(len(valid), len(INVALID))):
        given += [*INVALID[number : number + 1], *list(valid)[number : number + 1]]
    response = await add(hass, *given)

    assert [one["index"] for one in response["failed"]] == sorted(map(given.index, INVALID))
    assert {one["reason"] for one in response["failed"]} == {"invalid_magnet"}
    in_order = [valid[one][0] for one in given if one in valid]
    assert hashes(response["added"]) == in_order
    assert {one["status"] for one in response["added"]} == {"added"}
    listed = {torrent["hash"] for torrent in server.torrents()}
    assert listed == {entry[1] for entry in valid.values()}

    response = await add(hass, *given)
    assert hashes(response["added"]) == in_order
    assert {one["status"] for one in response["added"]} == {"already_present"}


async def test_unknown_category_is_made(hass: HomeAssistant, server: QBittorrent) -> None:
    name = "Filme/größer & <später>"
    assert name not in server.client.json("torrents/categories")
    response = await add(hass, link(1), category=name)
    assert response["added"][0]["status"] == "added"
    (torrent,) = server.torrents()
    assert torrent["category"] == name
    assert name in server.client.json("torrents/categories")


async def test_text_of_links(hass: HomeAssistant, server: QBittorrent) -> None:
    text = f"\r\n{link(1)} {link(2)}\n\n\t{link(3)}\r\n{link(2)}\rbogus\n{link(4)}\n"
    response = await call(hass, "add_magnets", magnets=text, max_downloads=3)
    assert hashes(response["added"]) == [info_hash(number) for number in (1, 2, 3)]
    assert hashes(response["skipped"]) == [info_hash(4)]
    assert [(one["index"], one["reason"]) for one in response["failed"]] == [(4, "invalid_magnet")]
    assert server.hashes() == {info_hash(number) for number in (1, 2, 3)}
