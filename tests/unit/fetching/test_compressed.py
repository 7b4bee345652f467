"""Bodies that are compressed, whichever way servers do that, or that begin with something else."""

from collections.abc import AsyncGenerator
import gzip
import zlib

import pytest

from custom_components.qbittorrent_resilient.core.fetching import body as body_module
from custom_components.qbittorrent_resilient.core.outbox.job import Reason
from tests.support.fetching import fetch, reason
from tests.support.torrents import torrent
from tests.support.web_host import WebHost, web_host

DATA = torrent(1).data
RAW_DEFLATE = zlib.compress(DATA)[2:-4]
MEMBERS = b"".join(gzip.compress(bytes([one])) for one in DATA)


@pytest.fixture
async def host() -> AsyncGenerator[WebHost]:
    async with web_host() as host:
        yield host


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(DATA)),
        ("gzip", gzip.compress(DATA[:9]) + gzip.compress(b"") + gzip.compress(DATA[9:])),
        ("gzip", gzip.compress(DATA[:9]) + bytes(7) + gzip.compress(DATA[9:])),
        ("X-GZIP", MEMBERS),
        ("gzip", gzip.compress(DATA) + b"\0\0"),
        ("gzip", gzip.compress(DATA) + b"\r\nwhat a server adds"),
        ("deflate", zlib.compress(DATA)),
        ("deflate", RAW_DEFLATE),
    ],
    ids=["one", "three", "padded", "many", "zeros", "followed", "deflate", "raw"],
)
@pytest.mark.parametrize("piece", [1, 64 * 1024])
async def test_compressed_torrent_file(
    host: WebHost, encoding: str, body: bytes, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way it may be compressed, and wherever its pieces end."""
    monkeypatch.setattr(body_module, "_PIECE", piece)
    url = host.give("/a", body, Content_Encoding=encoding)
    assert (await fetch(url)).found.data == DATA


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n", b" \t\n", b"\n\xef\xbb\xbf\n"])
async def test_torrent_file_after_what_scripts_print_first(host: WebHost, before: bytes) -> None:
    assert (await fetch(host.give("/a", before + DATA))).found.data == DATA


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", DATA),
        ("gzip", gzip.compress(DATA)[:-9]),
        ("gzip", gzip.compress(DATA[:9]) + gzip.compress(DATA[9:])[:-9]),
        ("gzip", gzip.compress(b"") * (body_module.MOST_MEMBERS + 1) + gzip.compress(DATA)),
        ("deflate", RAW_DEFLATE[:-2]),
        ("br", DATA),
    ],
    ids=["not", "torn", "second torn", "too many", "raw torn", "unknown"],
)
async def test_wrongly_compressed(host: WebHost, encoding: str, body: bytes) -> None:
    assert await reason(host.give("/a", body, Content_Encoding=encoding)) is Reason.NOT_A_TORRENT
