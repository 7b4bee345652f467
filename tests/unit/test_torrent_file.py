"""Torrent files: what is taken, which hashes it has, and that nothing else gets through."""

import contextlib
import gzip
import io
from typing import Any
import zipfile

from hypothesis import given, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core import bencode as bencode_module
from custom_components.qbittorrent_resilient.core.errors import (
    InvalidTorrentError,
    TorrentTooLargeError,
)
from custom_components.qbittorrent_resilient.core.magnet import MAX_MAGNET_BYTES, Magnet
from custom_components.qbittorrent_resilient.core.torrent_file import (
    MAX_TORRENT_BYTES,
    read_torrent,
)
from tests.support.torrents import Kind, bencode, info_of, torrent

CANARY = "http://canary.example/secret-passkey/announce"
KINDS: list[Kind] = ["v1", "v2", "hybrid"]
INFO = bencode(info_of(1))


def _with(**more: Any) -> bytes:
    return torrent(1, info=info_of(1, **more)).data


def _with_v2(**more: Any) -> bytes:
    return torrent(1, "v2", info=info_of(1, "v2", **more)).data


def _zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.torrent", data)
    return packed.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_hashes_are_those_of_the_raw_info(kind: Kind) -> None:
    made = torrent(7, kind)
    found = read_torrent(made.data)
    assert (found.magnet.v1, found.magnet.v2) == (made.v1, made.v2)
    assert found.magnet.name == "torrent-7.txt"
    assert found.data == made.data
    assert Magnet.parse(found.magnet.link) == found.magnet


def test_a_known_torrent_has_its_known_hash() -> None:
    """The hash of an info dictionary that another program has taken."""
    data = b"d4:infod6:lengthi3e4:name1:a12:piece lengthi16384e6:pieces20:%bee" % (b"x" * 20)
    assert read_torrent(data).magnet.v1 == "03e54294f1f0ffe138d1f9120afea3bfa37c61bd"


def test_keys_may_be_in_any_order_and_the_hash_is_of_what_is_there() -> None:
    info = dict(reversed(info_of(1).items()))
    made = torrent(1, info=info)
    assert read_torrent(made.data).magnet.v1 == made.v1 != torrent(1).v1


def test_only_the_outermost_info_counts() -> None:
    data = b"d1:ad4:infodee4:info%be" % INFO
    assert read_torrent(data).magnet.v1 == torrent(1).v1


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b" \t\n"])
@pytest.mark.parametrize("begin", [b"", b"\n", b" ", b"\xef\xbb\xbf", b"\n\xef\xbb\xbf\r\n"])
def test_what_scripts_print_around_it_is_cut_off(begin: bytes, end: bytes) -> None:
    """A server, which would not take it so, gets what is left."""
    made = torrent(1)
    assert read_torrent(begin + made.data + end).data == made.data


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"name.utf-8": "größer"}, "größer"),
        ({"name": "größer"}, "größer"),
        ({"name": "größer".encode("latin-1")}, "gr��er"),
        ({"name": b"caf\xe9", "name.utf-8": "café"}, "café"),
        ({"name": "a\r\nb\u2028c"}, "a b c"),
        ({"name": "magnet:?a&xt=urn:btih:b"}, "magnet:?a&xt=urn:btih:b"),
        ({"name": "n" * 5000}, "n" * 1000),
    ],
)
def test_name(more: dict[str, Any], name: str) -> None:
    assert read_torrent(_with(**more)).magnet.name == name


def test_trackers_and_web_seeds_are_in_the_magnet_once() -> None:
    tiers = [[CANARY, "udp://two.example:1"], ["wss://three.example/a b&c"], "http://four.example"]
    parts = {"announce": CANARY, "announce-list": tiers, "url-list": "http://seed.example/"}
    magnet = read_torrent(bencode(parts)[:-1] + b"4:info%be" % INFO).magnet
    assert magnet.link.split("&")[2:] == [
        "tr=http%3A%2F%2Fcanary.example%2Fsecret-passkey%2Fannounce",
        "tr=udp%3A%2F%2Ftwo.example%3A1",
        "tr=wss%3A%2F%2Fthree.example%2Fa%20b%26c",
        "tr=http%3A%2F%2Ffour.example",
        "ws=http%3A%2F%2Fseed.example%2F",
    ]
    assert "canary" not in f"{magnet} {magnet!r}"


def test_what_is_no_tracker_is_left_out() -> None:
    odd = ["file:///etc/passwd", "", 3, {"a": 1}, [[CANARY]], "http://" + "a" * 5000, "dht://x"]
    parts = {"announce": 3, "announce-list": odd, "url-list": {"a": "http://b"}}
    link = read_torrent(bencode(parts)[:-1] + b"4:info%be" % INFO).magnet.link
    assert link.count("&") == 1


def test_more_trackers_than_a_magnet_may_have() -> None:
    parts = {"announce-list": [f"http://{number}.example/{'a' * 1000}" for number in range(900)]}
    link = read_torrent(bencode(parts)[:-1] + b"4:info%be" % INFO).magnet.link
    assert MAX_MAGNET_BYTES - 1100 < len(link) <= MAX_MAGNET_BYTES


BAD = {
    "empty": (b"", "it is empty"),
    "line ends": (b"\r\n", "it is empty"),
    "mark only": (b"\xef\xbb\xbf\n", "it is empty"),
    "page": (b"<!DOCTYPE html><html>Log in</html>", "a web page, not a torrent file"),
    "page with a mark": (b"\xef\xbb\xbf \n<html>", "a web page, not a torrent file"),
    "json": (b'{"error": "login"}', "not a torrent file"),
    "text": (b"error", "not a torrent file"),
    "number": (b"i1e", "not a torrent file"),
    "list": (b"le", "not a torrent file"),
    "magnet": (b"magnet:?xt=urn:btih:00", "a magnet link, not a torrent file"),
    "zip": (_zipped(torrent(1).data), "a ZIP archive, not a torrent file"),
    "gzip": (gzip.compress(torrent(1).data), "a gzip archive, not a torrent file"),
    "no info": (b"de", "it describes no torrent"),
    "info is a text": (b"d4:info1:ae", "it describes no torrent"),
    "info is a list": (b"d4:infolee", "it describes no torrent"),
    "cut in a text": (torrent(1).data[:50], "cut off before its end"),
    "cut at the end": (torrent(1).data[:-1], "cut off before its end"),
    "cut in a number": (b"d1:ai12", "damaged: neither a number nor a text"),
    "followed": (torrent(1).data + b"x", "damaged: something follows its end"),
    "followed by itself": (torrent(1).data * 2, "damaged: something follows its end"),
    "text too long": (b"d99999999:", "cut off before its end"),
    "length without end": (b"d" + b"9" * 1000 + b":", "damaged: neither a number nor a text"),
    "length with a zero": (b"d01:ai1ee", "damaged: neither a number nor a text"),
    "negative length": (b"d-1:ai1ee", "damaged: neither a number nor a text"),
    "minus zero": (b"d1:ai-0ee", "damaged: neither a number nor a text"),
    "leading zero": (b"d1:ai01ee", "damaged: neither a number nor a text"),
    "huge number": (b"d1:ai" + b"1" * 1000 + b"ee", "damaged: neither a number nor a text"),
    "no number": (b"d1:aiee", "damaged: neither a number nor a text"),
    "value missing": (b"d1:ae", "damaged: a value is missing"),
    "key is a number": (b"di1ei1ee", "damaged: a key is no text"),
    "key is a list": (b"dlei1ee", "damaged: a key is no text"),
    "twice": (b"d4:infode4:infodee", "damaged: it says something twice"),
    "nested lists": (b"d1:a" + b"l" * 5_000_000, "damaged: too deeply nested"),
    "nested dictionaries": (b"d1:a" * 1_000_000, "damaged: too deeply nested"),
    "pieces missing": (_with(pieces=None), "damaged: its pieces are missing"),
    "pieces cut": (_with(pieces=b"a" * 19), "damaged: its pieces are not whole"),
    "pieces empty": (_with(pieces=b""), "damaged: its pieces are not whole"),
    "pieces a list": (_with(pieces=[]), "damaged: its pieces are not whole"),
    "piece length": (_with(**{"piece length": 0}), "damaged: the size of its pieces is missing"),
    "name missing": (_with(name=None), "it has no name"),
    "name a number": (_with(name=3), "it has no name"),
    "negative size": (_with(length=-1), "damaged: the size of a file is none"),
    "no size": (_with(length=None), "damaged: the size of a file is none"),
    "no files": (_with(files=[]), "it names no files"),
    "files no list": (_with(files={"a": 1}), "it names no files"),
    "file no dictionary": (_with(files=["a"]), "damaged: the size of a file is none"),
    "negative file": (_with(files=[{"length": -5}]), "damaged: the size of a file is none"),
    "version": (_with(**{"meta version": 3}), "of a version that is not known"),
    "version a text": (_with(**{"meta version": "2"}), "of a version that is not known"),
    "no tree": (_with_v2(**{"file tree": None}), "it names no files"),
    "tree empty": (_with_v2(**{"file tree": {}}), "it names no files"),
    "v2 pieces": (_with_v2(**{"piece length": 20_000}), "damaged: the size of its pieces is none"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_torrent_file_has_a_reason(name: str) -> None:
    data, reason = BAD[name]
    with pytest.raises(InvalidTorrentError) as error:
        read_torrent(data)
    assert str(error.value) == reason
    assert not isinstance(error.value, TorrentTooLargeError)


def test_too_large() -> None:
    made = torrent(1)
    most = MAX_TORRENT_BYTES - len(made.data) - len(b"1:a10000000:")
    largest = b"d1:a%d:%b" % (most, b"x" * most) + made.data[1:]
    assert len(largest) == MAX_TORRENT_BYTES
    assert read_torrent(largest).magnet.v1 == made.v1
    with pytest.raises(TorrentTooLargeError):
        read_torrent(largest + b"\n")


def test_too_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bencode_module, "MOST_VALUES", 1000)
    with pytest.raises(InvalidTorrentError, match="too many parts"):
        read_torrent(b"d1:al" + b"i0e" * 1000 + b"e4:info%be" % INFO)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_noticed(kind: Kind) -> None:
    data = torrent(1, kind, tracker=CANARY).data
    for length in range(len(data)):
        with pytest.raises(InvalidTorrentError):
            read_torrent(data[:length])


_values = st.recursive(
    st.integers(-(10**18), 10**18) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=8), inner),
)


@given(_values, _values)
def test_whatever_is_in_it_the_hash_is_right(before: Any, within: Any) -> None:
    made = torrent(1, info=info_of(1, other=within))
    data = b"d1:a%b%b" % (bencode(before), made.data[1:])
    assert read_torrent(data).magnet.v1 == made.v1


@given(st.binary(max_size=60), st.integers(0, 200), st.booleans())
def test_any_bytes_are_read_or_refused(noise: bytes, at: int, within: bool) -> None:
    data = torrent(1, "hybrid", tracker=CANARY).data
    mixed = data[:at] + noise + data[at + len(noise) * within :]
    with contextlib.suppress(InvalidTorrentError):
        assert read_torrent(mixed).magnet.info_hash
