"""The action `add_magnets`: what it is given, its response, and its errors."""

import base64
import json
import logging
import math
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from tests.support.actions import STORE, add, call, call_silently, hashes, sent
from tests.support.common import FakeClock, Start, info_hash, instance, link
from tests.support.fake.server import FakeQBittorrent

V2 = "ab" * 32


def v2_link(digits: str = V2) -> str:
    return f"magnet:?xt=urn:btmh:1220{digits}"


def base32_link(number: int) -> str:
    digits = base64.b32encode(bytes.fromhex(info_hash(number))).decode()
    return f"magnet:?xt=urn:btih:{digits}"


async def test_response_has_its_promised_shape(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.add(link(2))
    response = await add(
        hass, link(1), "bogus", link(2), f"magnet:?xt=urn:btih:{3:040x}", link(4), max_downloads=3
    )
    assert response == {
        "added": [
            {
                "info_hash": info_hash(1),
                "name": "Torrent 1",
                "instance": "First",
                "status": "added",
            },
            {
                "info_hash": info_hash(2),
                "name": "Torrent 2",
                "instance": "First",
                "status": "already_present",
            },
            {"info_hash": info_hash(3), "name": None, "instance": "First", "status": "added"},
        ],
        "queued": [],
        "failed": [
            {
                "index": 1,
                "info_hash": None,
                "name": None,
                "reason": "invalid_magnet",
                "text": "bogus",
            }
        ],
        "skipped": [{"info_hash": info_hash(4), "name": "Torrent 4"}],
        "health": {"vpn": None, "instances": {"First": "ok", "Second": "ok"}},
    }
    assert primary.hashes == {info_hash(1), info_hash(2), info_hash(3)}
    assert not secondary.adds
    json.dumps(response)


async def test_response_of_queued_and_rejected(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    primary.torrents.never_listed = {info_hash(2)}
    rejected = await add(hass, "", link(1), link(2))
    assert hashes(rejected["added"]) == [info_hash(1)]
    assert rejected["failed"] == [
        {
            "index": 2,
            "info_hash": info_hash(2),
            "name": "Torrent 2",
            "reason": "rejected",
            "text": None,
        }
    ]
    await primary.refuse()
    queued = await add(hass, link(3))
    assert queued["queued"] == [
        {"info_hash": info_hash(3), "name": "Torrent 3", "reason": "unreachable"}
    ]
    assert queued["added"] == queued["failed"] == queued["skipped"] == []
    assert queued["health"] == {"vpn": None, "instances": {"First": "unreachable"}}


async def test_list_keeps_its_order_and_indexes(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    given = [link(9), "", "  ", "nope", link(3), f" {link(9)} ", link(7), "\t", "", link(3)[:-30]]
    response = await call(hass, "add_magnets", magnets=given)
    assert hashes(response["added"]) == [info_hash(9), info_hash(3), info_hash(7)]
    assert [one["index"] for one in response["failed"]] == [3, 9]
    assert sent(primary) == [info_hash(9), info_hash(3), info_hash(7)]


async def test_text_is_split_at_lines_and_links(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    text = f"nope\n {link(2)}\r\n{link(1)}  {link(5)}\nnope\n\nmagnet:?x\n{link(2)} "
    response = await call(hass, "add_magnets", magnets=text)
    assert hashes(response["added"]) == [info_hash(2), info_hash(1), info_hash(5)]
    assert [one["index"] for one in response["failed"]] == [3]
    assert primary.adds == [[link(2), link(1), link(5)]]


async def test_blanks_in_a_link_lose_no_tracker(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    text = (
        f"Get {link(1, name='A "B" C')}&tr=udp://t:1 & it's good.\n{link(2, name="Tom's D")}&tr=u"
    )
    response = await call(hass, "add_magnets", magnets=text)
    assert [one["name"] for one in response["added"]] == ['A "B" C', "Tom's D"]
    assert primary.adds == [
        [link(1, name='A%20"B"%20C') + "&tr=udp://t:1", link(2, name="Tom's%20D") + "&tr=u"]
    ]


async def test_bad_items_of_a_list_harm_no_other(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    given = [None, link(1), 5, "", {"a": 1}, link(2), [link(3)], "u:p@h?k=secret", "  ", link(4)]
    response = await call(hass, "add_magnets", magnets=given)
    assert hashes(response["added"]) == [info_hash(1), info_hash(2), info_hash(4)]
    assert [(one["index"], one["reason"], one["text"]) for one in response["failed"]] == [
        (2, "invalid_magnet", "5"),
        (4, "invalid_magnet", "(dict)"),
        (6, "invalid_magnet", "(list)"),
        (7, "invalid_magnet", "u:\u2026"),
    ]


async def test_web_links_are_told_apart(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    web = "https://user:secret@x.example/dl/1.torrent?passkey=secret"
    for given, index in (([link(1), web], 1), (f"{web}\n{link(2)}", 0)):
        response = await call(hass, "add_magnets", magnets=given)
        assert response["failed"] == [
            {
                "index": index,
                "info_hash": None,
                "name": None,
                "reason": "web_link",
                "text": "https://x.example/dl/1.torrent",
            }
        ]
    with pytest.raises(ServiceValidationError, match="fetch_links") as caught:
        await call(hass, "add_magnets", magnets=f"Look: {web}")
    assert "secret" not in str(caught.value)
    assert sent(primary) == [info_hash(1), info_hash(2)]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("magnet:?dn=x", "names no urn:btih: or urn:btmh: topic"),
        ("magnet://?xt=urn:btih:123", "neither 40 hex digits nor 32"),
        (f"magnet:xt=urn:btih:{info_hash(1)}", "no question mark"),
        (info_hash(1), "bare hash"),
        ("file:///etc/passwd", "is a link, but no magnet link"),
        ("buy milk", "has no link that starts with magnet:\\?"),
        ([{}], "is no text"),
        ([f"{link(1)} {link(2)}"], "second magnet link"),
        ([f"{link(1)}\n"], "line end"),
        ([None, " "], "nothing was given"),
        ("https://x.example/a.torrent", "web link, and fetch_links is off"),
    ],
)
async def test_errors_say_what_is_wrong_with_that_link(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, given: Any, reason: str
) -> None:
    await start(instance("first", primary))
    with pytest.raises(
        ServiceValidationError, match=f"^No valid magnet link was given: .*{reason}"
    ):
        await call(hass, "add_magnets", magnets=given)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([link(1), link(1, name="Other")], [(info_hash(1), "Torrent 1")]),
        ([base32_link(1), link(1)], [(info_hash(1), None)]),
        ([link(1).upper().replace("MAGNET", "magnet")], [(info_hash(1), "TORRENT 1")]),
        ([v2_link()], [(V2, None)]),
        ([v2_link(), f"{link(1)}&xt=urn:btmh:1220{V2}"], [(V2, None)]),
        ([f"{link(1)}&xt=urn:btmh:1220{V2}", v2_link(), link(1)], [(info_hash(1), "Torrent 1")]),
    ],
    ids=["same", "base32", "upper case", "v2", "v2 then hybrid", "hybrid then both"],
)
async def test_each_torrent_once(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    given: list[str],
    found: list[tuple[str, str | None]],
) -> None:
    await start(instance("first", primary))
    response = await add(hass, *given)
    assert [(one["info_hash"], one["name"]) for one in response["added"]] == found
    assert [one["status"] for one in response["added"]] == ["added"]
    assert len(primary.torrents) == 1
    assert [len(magnets) for magnets in primary.adds] == [1]


MALFORMED: list[dict[str, Any]] = [
    {"magnets": None},
    {"magnets": 5},
    {"magnets": {"a": link(1)}},
    {"magnets": [link(1)], "category": "/x"},
    {"magnets": [link(1)], "category": "a//b"},
    {"magnets": [link(1)], "category": "a\\b"},
    {"magnets": [link(1)], "category": "a\nb"},
    {"magnets": [link(1)], "save_path": "/a\nb"},
    {"magnets": [link(1)], "tags": ["a,b"]},
    {"magnets": [link(1)], "tags": [""]},
    {"magnets": [link(1)], "tags": [{"a": 1}]},
    {"magnets": [link(1)], "stopped": "perhaps"},
    {"magnets": [link(1)], "max_downloads": -1},
    {"magnets": [link(1)], "max_downloads": "many"},
    {"magnets": [link(1)], "max_retries": 11},
    {"magnets": [link(1)], "max_retries": -1},
    {"magnets": [link(1)], "wait_for_vpn": 601},
    {"magnets": [link(1)], "wait_for_vpn": "long"},
    {"magnets": [link(1)], "wait_for_vpn": float("nan")},
    {"magnets": [link(1)], "require_vpn": "maybe"},
    {"magnets": [link(1)], "queue": "maybe"},
    {"magnets": [link(1)], "instance": "first"},
    {},
]


async def test_malformed_field_raises_and_nothing_is_sent(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    hass_storage: dict[str, Any],
) -> None:
    await start(instance("first", primary))
    before = len(primary.requests)
    for malformed in MALFORMED:
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "add_magnets", **malformed)
        assert "urn:btih" not in str(caught.value)
    assert len(primary.requests) == before
    assert STORE not in hass_storage


@pytest.mark.parametrize("given", [[], "", " \n", ["", " "], ["nope"], "nope nope"])
async def test_no_valid_magnet_raises(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, given: Any
) -> None:
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError, match="No valid magnet"):
        await call(hass, "add_magnets", magnets=given)
    assert not primary.adds


async def test_call_without_response_raises_if_all_failed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    primary.torrents.never_listed = {info_hash(1)}
    with pytest.raises(HomeAssistantError, match="1 failed: Refused by the server"):
        await call_silently(hass, "add_magnets", magnets=[link(1)])
    await primary.refuse()
    with pytest.raises(HomeAssistantError, match="2 failed: Not a valid magnet link, Unreachable"):
        await call_silently(hass, "add_magnets", magnets=[link(2), "nope"], queue=False)


async def test_call_without_response_warns_if_some_failed(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(instance("first", primary))
    await call_silently(hass, "add_magnets", magnets=[link(1), "nope"])
    warnings = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert [one for one in warnings if "1 magnet " in one and "invalid_magnet" in one]
    caplog.clear()
    await call_silently(hass, "add_magnets", magnets=[link(1)])
    await call(hass, "add_magnets", magnets=[link(2), "nope"])
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_a_thousand_in_one_call(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "QUICK_SECONDS", math.inf)
    await start(instance("first", primary))
    numbers = [*range(1000, 0, -1)]
    response = await add(hass, *(link(one) for one in numbers))
    assert hashes(response["added"]) == [info_hash(one) for one in numbers]
    assert {one["status"] for one in response["added"]} == {"added"}
    assert len(primary.torrents) == 1000
    sizes = [len(one) for one in primary.adds]
    assert sum(sizes) == 1000
    assert sizes == [100, 200, 400, 300]
    assert max(len(one.body) for one in primary.requests) < 1024**2


async def test_ten_thousand_links_of_text(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    text = "\n".join(link(one) for one in range(1, 10_001))
    response = await call(hass, "add_magnets", magnets=f"{text}\nmagnet:?nope\n", max_downloads=300)
    assert hashes(response["added"]) == [info_hash(one) for one in range(1, 301)]
    assert hashes(response["skipped"]) == [info_hash(one) for one in range(301, 10_001)]
    assert [one["index"] for one in response["failed"]] == [10_000]
    await primary.refuse()
    queued = await call(hass, "add_magnets", magnets=text)
    assert len(queued["queued"]) == 10_000
    assert len((await call(hass, "get_queue"))["queued"]) == 10_000


async def test_added_means_listed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """A server that needs some time from "yes" to its list is waited for."""
    await start(instance("first", primary))
    primary.torrents.list_delay = 0.2
    response = await add(hass, link(1), link(2))
    assert primary.hashes == {info_hash(1), info_hash(2)}
    assert [one["status"] for one in response["added"]] == ["added", "added"]


async def test_not_set_up(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    entry = await start(instance("first", primary))
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await add(hass, link(1))
    assert not primary.adds
