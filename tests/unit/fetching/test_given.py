"""The web links of a call, and how one is named afterwards."""

import pytest

from custom_components.qbittorrent_resilient.core.fetching.given import key_of, read_links
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.intake import take_in
from tests.support.common import info_hash, link

A, B = "http://a.example/1.torrent", "https://b.example/2.torrent?x=1"


def names(links: list[WebLink]) -> list[str]:
    return [one.name for one in links]


def test_each_once_at_its_place() -> None:
    intake = take_in([A, link(1), B, A, "HTTP://A.example/1.torrent"])
    given = read_links(intake)
    assert names(given.links) == ["1.torrent", "2.torrent"]
    assert [given.places[one.key] for one in given.links] == [0, 2]
    assert not intake.web_links
    assert not intake.invalid


def test_what_is_no_address_is_invalid_at_its_place() -> None:
    intake = take_in(["nothing", "http://[/x?key=secret", A, "magnet:?xt=nothing"])
    given = read_links(intake)
    assert names(given.links) == ["1.torrent"]
    assert [one.index for one in intake.invalid] == [0, 1, 3]
    assert "secret" not in str(intake.invalid)


@pytest.mark.parametrize(
    ("most", "magnets", "links", "skipped", "skipped_links"),
    [
        (0, [], [], [1, 2], ["1.torrent", "2.torrent"]),
        (1, [1], [], [2], ["1.torrent", "2.torrent"]),
        (2, [1], ["1.torrent"], [2], ["2.torrent"]),
        (3, [1, 2], ["1.torrent"], [], ["2.torrent"]),
        (4, [1, 2], ["1.torrent", "2.torrent"], [], []),
    ],
)
def test_the_first_ones_of_all(
    most: int, magnets: list[int], links: list[str], skipped: list[int], skipped_links: list[str]
) -> None:
    intake = take_in([link(1), A, link(2), B], most=most)
    given = read_links(intake, most)
    assert [one.info_hash for one in intake.magnets] == [*map(info_hash, magnets)]
    assert [one.info_hash for one in intake.skipped] == [*map(info_hash, skipped)]
    assert names(given.links) == links
    assert names(given.skipped) == skipped_links


@pytest.mark.parametrize("given", [B, f" {B} ", "HTTPS://B.Example/2.torrent?x=1"])
def test_a_link_goes_by_itself(given: str) -> None:
    assert key_of(given) == WebLink.parse(B).key


@pytest.mark.parametrize("given", ["AB" * 20, " x ", "http://", "ftp://x/y", "://", ""])
def test_all_else_is_taken_for_a_hash(given: str) -> None:
    assert key_of(given) == given.strip().lower()
