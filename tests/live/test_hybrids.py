"""Torrents with a v2 hash: found whichever of their hashes is asked for."""

from collections.abc import AsyncIterator

from aiohttp import ClientSession, DummyCookieJar
import pytest

from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection, client
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.live.common import clear, until
from tests.support.common import info_hash, link
from tests.support.harness.qbittorrent import BUILDS, QBittorrent

# Under which hash a torrent is listed goes by libtorrent.
pytestmark = pytest.mark.parametrize("real_server", BUILDS, ids=BUILDS.values(), indirect=True)


def v2_hash(number: int) -> str:
    return f"{number:04x}" + "5" * 60


def v2(number: int) -> str:
    return f"magnet:?xt=urn:btmh:1220{v2_hash(number)}"


def hybrid(number: int) -> str:
    return f"{link(number)}&xt=urn:btmh:1220{v2_hash(number)}"


@pytest.fixture
async def own(real_server: QBittorrent) -> AsyncIterator[Client]:
    """Return the integration's client of a real server that is empty."""
    clear(real_server)
    settings = InstanceSettings(
        key="first",
        name="First",
        url=real_server.url,
        username=real_server.username,
        password=real_server.password,
    )
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        yield Client(Connection(http, settings))


async def _add(own: Client, server: QBittorrent, links: list[str]) -> None:
    await own.add(links, AddOptions(stopped=True))
    await until(lambda: len(server.torrents()) == len(links))


async def test_found_by_each_of_its_hashes(own: Client, real_server: QBittorrent) -> None:
    await _add(own, real_server, [link(1), v2(2), hybrid(3), link(4)])
    assert {torrent["hash"] for torrent in real_server.torrents()} == {
        info_hash(1),
        v2_hash(2)[:40],
        v2_hash(3)[:40],
        info_hash(4),
    }
    for asked, found in {
        link(1): True,
        v2(2): True,
        hybrid(3): True,
        link(3): True,  # only the v1 half of a hybrid that is listed by its v2 half
        v2(3): True,
        hybrid(2): True,
        hybrid(4): True,
        link(2): False,
        v2(1): False,
        link(5): False,
        v2(5): False,
        hybrid(5): False,
    }.items():
        magnet = Magnet.parse(asked)
        assert await own.find([magnet]) == ({magnet.info_hash} if found else set()), asked
    magnets = [Magnet.parse(one) for one in (link(1), v2(2), link(3), link(5))]
    assert await own.find(magnets) == {info_hash(1), v2_hash(2), info_hash(3)}
    assert await own.find(magnets, hybrids=False) == {info_hash(1), v2_hash(2)}


async def test_those_with_a_v2_hash_come_first(own: Client, real_server: QBittorrent) -> None:
    plain = [link(number) for number in range(100, 140)]
    with_v2 = [v2(number) for number in range(5)] + [hybrid(number) for number in range(5, 12)]
    mixed = [one for pair in zip(plain, with_v2, strict=False) for one in pair] + plain[12:]
    await _add(own, real_server, mixed)
    seen = []
    for offset in (0, 6, 12, 18):
        page = real_server.client.json(
            "torrents/info",
            {"sort": "infohash_v2", "reverse": "true", "limit": "6", "offset": str(offset)},
        )
        assert len(page) == 6
        seen += [torrent["infohash_v2"] for torrent in page]
    assert seen == [v2_hash(number) for number in reversed(range(12))] + [""] * 12


@pytest.mark.parametrize("page", [1, 6, 12, 200])
async def test_hybrids_on_several_pages(
    own: Client, real_server: QBittorrent, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(client, "HYBRID_PAGE", page)
    await _add(own, real_server, [hybrid(number) for number in range(1, 13)] + [link(20)])
    magnets = [Magnet.parse(link(number)) for number in range(1, 31)]
    wanted = {info_hash(number) for number in (*range(1, 13), 20)}
    assert await own.find(magnets) == wanted
