"""Many magnets in one call, and magnets of every kind."""

import base64
import hashlib
import random
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.intake import take_in
from custom_components.qbittorrent_resilient.core.qbittorrent import Connection
from tests.live.common import clear, fields, set_up, until
from tests.support.actions import add, call, hashes
from tests.support.common import info_hash, link
from tests.support.harness.qbittorrent import QBittorrent
from tests.support.made_up import HOSTILE

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
    await set_up(hass, fields(real_server, defaults={"stopped": "stop"}))
    return real_server


async def test_a_thousand(hass: HomeAssistant, server: QBittorrent) -> None:
    numbers = range(1, 1001)
    response = await add(hass, *(link(number) for number in numbers))
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
    assert {one["reason"] for one in response["failed"]} == {"invalid_magnet", "web_link"}
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
    assert response["failed"] == []  # what is no link is only a word where there are links
    assert server.hashes() == {info_hash(number) for number in (1, 2, 3)}


def odd_link(dice: random.Random, number: int) -> str:
    """Return a link with a topic of its own and hostile company; not each of them is valid."""
    digits = hashlib.sha256(f"{number}".encode()).hexdigest()
    v1 = digits[:40]
    base32 = base64.b32encode(bytes.fromhex(v1)).decode()
    topics = [f"urn:btih:{dice.choice([v1, v1.upper(), base32, base32.lower()])}"]
    topics += [f"urn:btmh:1220{digits}"] * dice.randrange(2)
    parts = [f"{dice.choice(['xt', 'XT', 'xt.1', 'xt.'])}={one}" for one in topics]
    for _ in range(dice.randrange(4)):
        value = "".join(dice.choices(HOSTILE, k=dice.randrange(1, 4)))
        parts.append(f"{dice.choice(['dn', 'xs', 'as', 'kt', 'so', 'odd', ''])}={value}")
    dice.shuffle(parts)
    return "magnet:?" + dice.choice(["&", "&&", "&amp;"]).join(parts)


async def test_odd_links_mean_what_the_server_makes_of_them(
    hass: HomeAssistant, server: QBittorrent
) -> None:
    """Whatever is accepted is listed under the hash that is answered, and nothing else is."""
    dice = random.Random(0)
    given = [odd_link(dice, number) for number in range(600)]
    response = await add(hass, *given)
    assert not response["queued"]
    assert {one["reason"] for one in response["failed"]} == {"invalid_magnet"}
    read = take_in(given)
    accepted = read.magnets
    assert [one["index"] for one in response["failed"]] == [one.index for one in read.invalid]
    assert len(accepted) > 200
    assert hashes(response["added"]) == [one.info_hash for one in accepted]
    assert {one["status"] for one in response["added"]} == {"added"}
    listed = {(one["infohash_v1"], one["infohash_v2"]) for one in server.torrents()}
    assert listed == {(one.v1 or "", one.v2 or "") for one in accepted}


async def test_a_few_of_thousands(hass: HomeAssistant, server: QBittorrent) -> None:
    """What is asked and answered for them does not grow with the server's list."""
    await add(hass, link(9001))
    many = [link(number) for number in range(1, 5001)]
    stop = {"paused": "true", "stopped": "true"}
    server.client.call("torrents/add", {"urls": "\n".join(many)} | stop)
    await until(lambda: len(server.hashes()) == 5001, 60)
    with patch.object(
        Connection, "request", autospec=True, side_effect=Connection.request
    ) as asked:
        response = await add(hass, link(1), link(5000), link(9001), link(9002))
        await call(hass, "check_health")
        requests = [one.args[1] for one in asked.call_args_list]
    assert [one["status"] for one in response["added"]] == ["already_present"] * 3 + ["added"]
    lists = [one.form for one in requests if one.path == "torrents/info"]
    # A server that is slow to list what it took is asked the same again.
    assert 0 < len({repr(one) for one in lists}) <= 6, requests
    for form in lists:
        assert form.get("hashes") or 0 < int(form["limit"]) <= 200
