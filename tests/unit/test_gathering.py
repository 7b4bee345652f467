"""What is found in values of any shape."""

import time
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.gathering import gather, gather_entry
from tests.support.common import info_hash, link

V2 = "ab" * 32
FILE, OTHER, PAGE = "http://x.example/1.torrent?k=1", "http://x.example/2", "http://x.example/page"


def hash_link(digits: str) -> str:
    return f"magnet:?xt=urn:btih:{digits}"


@pytest.mark.parametrize(
    "value", [None, 5, True, "", "x", [], {}, [[{}]], {"a": None}, b"magnet:?"]
)
def test_nothing(value: Any) -> None:
    found = gather(value)
    assert (found.magnets, found.web_links) == ([], [])


def test_in_the_order_in_which_they_stand() -> None:
    value = {"b": [link(3), {"x": link(1)}], "a": f"{link(2)}\n{link(4)}", "c": (link(5), 1)}
    assert gather(value).magnets == [link(number) for number in (3, 1, 2, 4, 5)]


def test_the_link_that_says_most() -> None:
    """Whichever of its hashes names the torrent."""
    digits = info_hash(1)
    full = f"{hash_link(digits)}&dn=A&tr=udp%3A%2F%2Ft.example%3A1"
    assert gather([hash_link(digits.upper()), full, hash_link(digits)]).magnets == [full]
    both = f"{hash_link(digits)}&xt=urn:btmh:1220{V2}"
    assert gather([hash_link(digits), both, {"infohash": V2}]).magnets == [both]


@pytest.mark.parametrize(
    "field", ["infohash", "infoHash", "torrent_info-hash", "x:btih", "BTIH v1"]
)
def test_fields_with_a_hash(field: str) -> None:
    assert gather({field: f" {info_hash(1).upper()} "}).magnets == [hash_link(info_hash(1))]
    assert gather({field: V2}).magnets == [f"magnet:?xt=urn:btmh:1220{V2}"]
    assert gather({field: [info_hash(1), info_hash(2)]}).magnets == [
        hash_link(info_hash(1)),
        hash_link(info_hash(2)),
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"guid": info_hash(1)},
        {"hash": info_hash(1)},
        {"infohash": info_hash(1)[1:]},
        {"infohash": f"{info_hash(1)} x"},
        {"urn": f"urn:sha1:{info_hash(1)}"},
        {"name": "size", "value": info_hash(1)},
    ],
)
def test_other_digits(value: Any) -> None:
    assert gather(value).magnets == []


def test_titles() -> None:
    """The nearest one, where the link has no name."""
    value = {
        "title": "All",
        "items": [
            {"title": " One & two ", "guid": hash_link(info_hash(1))},
            {"link": hash_link(info_hash(2))},
            {"title": "Three", "link": link(3, name="Own")},
            {"title": {"x": 1}, "link": hash_link(info_hash(4))},
        ],
    }
    assert gather(value).magnets == [
        f"{hash_link(info_hash(1))}&dn=One%20%26%20two",
        f"{hash_link(info_hash(2))}&dn=All",
        link(3, name="Own"),
        f"{hash_link(info_hash(4))}&dn=All",
    ]


def test_bad_links_are_kept_to_be_told_of() -> None:
    assert gather(["magnet:?xt=urn:btih:1", link(1), "magnet:?xt=urn:btih:1"]).magnets == [
        "magnet:?xt=urn:btih:1",
        link(1),
    ]


def test_web_links() -> None:
    assert gather({"a": FILE, "b": [PAGE, FILE], "c": "ftp://x.example/"}).web_links == [FILE, PAGE]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"link": PAGE, "links": [{"href": PAGE}, {"href": OTHER, "rel": "enclosure"}]}, [OTHER]),
        ({"link": PAGE, "links": [{"href": OTHER, "type": "application/x-bittorrent"}]}, [OTHER]),
        ({"link": PAGE, "summary": f'<a href="{FILE}">x</a> {OTHER}', "id": PAGE}, [FILE]),
        ({"link": OTHER, "comments": PAGE}, [OTHER]),
        ({"comments": PAGE}, []),
        ({"link": link(1), "links": [{"href": FILE, "rel": "enclosure"}]}, []),
        ({"links": [None, {"rel": "enclosure"}, {"href": 5, "rel": "enclosure"}]}, []),
        ({"links": 5, "link": None}, []),
    ],
)
def test_web_links_of_an_entry(entry: dict[str, Any], expected: list[str]) -> None:
    assert gather_entry(entry).web_links == expected


def test_hostile_shapes() -> None:
    """Deep, endless, and long values are read in a time that grows with their length only."""
    deep: Any = link(1)
    for _ in range(100_000):
        deep = [deep]
    endless: list[Any] = [link(2)]
    endless.append(endless)
    began = time.monotonic()
    assert gather(deep).magnets == [link(1)]
    assert gather(endless).magnets == [link(2)]
    assert gather({"infohash" * 100_000: "a" * 1_000_000, "x": "magnet:" * 100_000}).magnets == []
    assert time.monotonic() - began < 30  # it is below 1 s
