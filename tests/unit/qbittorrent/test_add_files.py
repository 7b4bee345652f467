"""Torrent files as they are sent: a form that asks the gate, and never arrives late."""

import socket
import struct

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import AddAnswer, TorrentPart
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import GateClosedError
from custom_components.qbittorrent_resilient.core.qbittorrent.form import (
    PART_BYTES,
    AddFiles,
    AddPayload,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.core import Http, TimedServer, failure
from tests.support.torrents import MadeTorrent, bencode, info_of, torrent

NONE = AddOptions()


def parts(*made: MadeTorrent) -> list[TorrentPart]:
    return [(one.info_hash, one.data) for one in made]


async def test_arrive_as_they_are(server: TimedServer, http: Http) -> None:
    """Every byte may be in a file, and no text but ours is in a header."""
    raw = info_of(1, odd=bytes(range(256)) + b'\r\n--"; filename="x"\r\n\r\n')
    made = [torrent(1, info=raw), torrent(2, "v2"), torrent(3, "hybrid")]
    options = AddOptions(category='größer; "b"', tags=("a", "b"), save_path="/x", stopped=True)
    assert await http.client(server).add([], options, parts(*made)) is AddAnswer.TAKEN
    (request,) = server.requests_to("torrents/add")
    assert request.files == {f"{one.info_hash}.torrent": one.data for one in made}
    assert request.form["category"] == 'größer; "b"'
    assert request.form["tags"] == "a,b"
    assert "urls" not in request.form
    listed = {(one.magnet.v1, one.magnet.v2) for one in server.torrents}
    assert listed == {(one.v1 or "", one.v2 or "") for one in made}


async def test_answers(server: TimedServer, http: Http) -> None:
    client = http.client(server)
    one, two, bad = torrent(1), torrent(2), torrent(3, info=info_of(3, pieces=b"x" * 40))
    assert await client.add([], NONE, parts(one)) is AddAnswer.TAKEN
    assert await client.add([], NONE, parts(one)) is AddAnswer.NONE_NEW
    assert await client.add([], NONE, parts(one, two)) is AddAnswer.TAKEN
    assert await client.add([], NONE, parts(bad)) is AddAnswer.BAD_FILE


async def test_page_of_a_proxy_says_nothing_about_a_file(server: TimedServer, http: Http) -> None:
    server.faults.answer(415, "<html>", endpoint="torrents/add", content_type="text/html")
    assert await failure(http.client(server).add([], NONE, parts(torrent(1)))) == ("error", False)


async def test_large_one_in_parts(server: TimedServer, http: Http) -> None:
    content = bencode({"comment": "x" * (10 * 1024 * 1024)})[:-1] + torrent(1).data[1:]
    assert await http.client(server).add([], NONE, [("a" * 40, content)]) is AddAnswer.TAKEN
    body = AddFiles({"a": "b"}, [("a" * 40, content)], None)
    written: list[bytes] = []

    class Writer:
        async def write(self, chunk: bytes) -> None:
            written.append(chunk)

    await body.write(Writer())  # type: ignore[arg-type]
    assert b"".join(written) == await body.as_bytes() == body.decode("latin-1").encode("latin-1")
    assert max(map(len, written)) == PART_BYTES


@pytest.mark.parametrize("closed_at", [3, 4])
async def test_gate_is_asked_before_its_first_byte(
    server: TimedServer, http: Http, closed_at: int
) -> None:
    """Once before the connection, and once more when it is there."""
    asked: list[Content] = []

    async def gate(content: Content) -> None:
        asked.append(content)
        if len(asked) > closed_at:
            raise GateClosedError("closed")

    client = http.client(server, gate=gate)
    attempt = client.add([], NONE, parts(torrent(1)))
    assert await failure(attempt) == ("vpn_down", False)
    assert asked[3:] == [Content.MAGNETS] * (closed_at - 2)
    assert not server.requests_to("torrents/add")


async def test_given_up_it_does_not_linger(
    server: TimedServer, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not sent when the connection is closed is dropped; after an answer it is kept."""
    set_to: list[int] = []
    real = AddPayload._drop_what_is_unsent

    def drop(payload: AddPayload, *, when_closed: bool) -> None:
        real(payload, when_closed=when_closed)
        assert payload._transport is not None
        opened = payload._transport.get_extra_info("socket")
        linger = opened.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        set_to.append(struct.unpack("ii", linger)[0])

    monkeypatch.setattr(AddPayload, "_drop_what_is_unsent", drop)
    await http.client(server).add([], NONE, parts(torrent(1)))
    assert set_to == [1, 0]
    server.faults.cut("torrents/add", times=1)
    assert await failure(http.client(server).add([], NONE, parts(torrent(2)))) == (
        "unreachable",
        True,
    )
    assert set_to == [1, 0, 1]
