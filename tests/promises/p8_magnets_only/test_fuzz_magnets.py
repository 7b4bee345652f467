"""Any text as a magnet link or as a list of them: refused, or safe to hand to a server."""

import re
from unittest.mock import patch

from hypothesis import example, given, strategies as st

from custom_components.qbittorrent_resilient.core.errors import InvalidMagnetError
from custom_components.qbittorrent_resilient.core.intake import take_in
from custom_components.qbittorrent_resilient.core.link_text import links_of_line, pieces
from custom_components.qbittorrent_resilient.core.magnet import MAX_MAGNET_BYTES, Magnet
from tests.support.fake import magnets as lenient
from tests.support.made_up import FUZZ, WHITELISTED, attempt, links, near_links

V2 = "urn:btmh:1220" + "2" * 64
PLAIN = "magnet:?xt=urn:btih:" + "1" * 40
NOTHING = re.compile("(?!)")
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def parsed(text: str) -> Magnet | None:
    """Return the magnet, or None where it is refused."""
    magnet = attempt(InvalidMagnetError, lambda: Magnet.parse(text))
    if isinstance(magnet, Magnet):
        return magnet
    assert not re.search(r"[0-9a-fA-F]{20}", str(magnet)), "quotes the link"
    return None


@given(near_links())
@example(f"{PLAIN}&dn=a\0b")
@example(f"{PLAIN}&dn=a\nb")
@example(f"{PLAIN}&dn=MAGNET:?xt=urn:btih:{'2' * 40}")
@example(f"{PLAIN}&\N{LATIN SMALL LETTER A WITH DIAERESIS}=1&a b=2&c\N{NO-BREAK SPACE}")
@example("magnet:?xt=urn:btih:" + "\N{KELVIN SIGN}" * 32)
@example("magnet:?xt=urn:btih:" + "\N{FULLWIDTH DIGIT ONE}" * 40)
@example("magnet\N{FULLWIDTH COLON}?xt=urn:btih:" + "1" * 40)
@example("\N{ZERO WIDTH NO-BREAK SPACE}magnet:?xt=urn:btih:" + "1" * 40)
@example("\N{RIGHT-TO-LEFT OVERRIDE}magnet:?xt=urn:btih:" + "1" * 40)
@FUZZ
def test_what_is_accepted_is_safe(text: str) -> None:
    """One plain line with a topic in front, which means the same when it is read again."""
    if (magnet := parsed(text)) is None:
        return
    assert not CONTROL.search(text)
    assert WHITELISTED.fullmatch(magnet.link)
    assert magnet.link.isascii()
    assert magnet.link.lower().count("magnet:?") == 1
    assert Magnet.read_back(magnet.link) == magnet
    if len(magnet.link) <= MAX_MAGNET_BYTES:
        assert Magnet.parse(magnet.link) == magnet
    assert not CONTROL.search(magnet.name or "")
    assert magnet.info_hash not in repr(magnet).replace(magnet.info_hash, "", 1)


def nearly_usual() -> st.SearchStrategy[str]:
    """Make links as most are, many with a thing in them that is not usual."""
    usual = ["&dn=A+b.C", "&dn=", "&tr=udp%3A%2F%2Ft.example", "&tr=", "A", "%20", "+", "~", "/"]
    odd = [
        "&xt=",
        "&so=",
        "&",
        "=",
        ":",
        "magnet:%3F",
        "magnet%3A%3F",
        "%26amp%3B",
        "%0A",
        "%",
        ",",
    ]
    parts = st.lists(st.sampled_from(usual) | st.sampled_from(usual + odd), max_size=6)
    starts = st.sampled_from([PLAIN, PLAIN.replace("1", "aB"), PLAIN.replace("1", "0")])
    return st.builds(lambda start, rest: start[: len(PLAIN)] + "".join(rest), starts, parts)


def read(line: str) -> tuple[list[str], Magnet | None, str]:
    """Return the links of a line, and what it is as a link, or why it is none."""
    magnet = attempt(InvalidMagnetError, lambda: Magnet.parse(line))
    found = magnet if isinstance(magnet, Magnet) else None
    return links_of_line(line), found, "" if found else str(magnet)


@given(near_links() | nearly_usual())
@example(f"{PLAIN}&dn=A+b&tr=udp%3A%2F%2Ft.example")
@example(f"{PLAIN}&dn=A%26amp%3Bb")
@example(f"{PLAIN}&dn=A%0Ab")
@example(f"{PLAIN}&tr=magnet:%3F")
@example(f"{PLAIN}&tr=&dn=A")
@example("magnet:?xt=urn:btih:" + "0" * 40)
@FUZZ
def test_usual_links_are_read_like_all_others(text: str) -> None:
    """There is a shorter way for them, which leads to the same."""
    short = read(text)
    with (
        patch("custom_components.qbittorrent_resilient.core.link_text.USUAL", NOTHING),
        patch("custom_components.qbittorrent_resilient.core.magnet.USUAL", NOTHING),
    ):
        assert read(text) == short


@given(near_links())
@FUZZ
def test_servers_read_the_same_torrent(text: str) -> None:
    """What we take a link for, and what libtorrent's lenient reader makes of what we send."""
    if (magnet := parsed(text)) is None:
        return
    for strict in (True, False):
        seen = lenient.parse(magnet.link, strict_hex=strict)
        assert seen is not None
        assert (seen.v1, seen.v2) == (magnet.v1 or "", magnet.v2 or "")
        assert seen.torrent_id in magnet.ids


@given(links())
@FUZZ
def test_good_links_are_accepted(made: tuple[str, str]) -> None:
    text, info_hash = made
    magnet = parsed(text)
    assert magnet is not None
    assert magnet.info_hash == info_hash


@given(
    given=st.one_of(
        st.lists(near_links() | links().map(lambda one: one[0]) | st.sampled_from(["", " ", "\t"])),
        st.lists(near_links() | links().map(lambda one: one[0])).map("\n".join),
        st.lists(near_links() | links().map(lambda one: one[0])).map(" ".join),
        st.text(),
    ),
    most=st.none() | st.integers(0, 3),
)
@example(given=[f"{PLAIN}&xt={V2}", f"magnet:?xt={V2}", PLAIN], most=None)
@example(given=[f"magnet:?xt={V2}", f"{PLAIN}&xt={V2}", PLAIN], most=None)
@FUZZ
def test_each_piece_is_in_one_list(given: str | list[str], most: int | None) -> None:
    """Magnets to handle, too many, web links, invalid or repeated: by its own place each."""
    intake = take_in(given, most=most)
    found = {piece.index: piece for piece in pieces(given)}
    bad = [one.index for one in (*intake.invalid, *intake.web_links)]
    assert len(set(bad)) == len(bad)
    assert set(bad).isdisjoint(intake.places.values())
    assert {*bad, *intake.places.values()} <= found.keys()
    assert list(intake.places) == [one.info_hash for one in intake.magnets]
    assert list(intake.places.values()) == sorted(intake.places.values())
    assert most is None or len(intake.magnets) <= most
    assert not intake.skipped or len(intake.magnets) == most
    assert all(WHITELISTED.fullmatch(one.link) for one in intake.magnets)

    kept = [*intake.magnets, *intake.skipped]
    topics = [topic for one in kept for topic in (one.v1, one.v2) if topic]
    assert len(topics) == len(set(topics)), "one torrent twice"
    elsewhere = {*bad, *intake.places.values()}
    urls = {one.url for one in intake.web_links}
    for index, piece in found.items():
        if index not in elsewhere and piece.text not in urls:
            magnet = parsed(piece.text if not piece.links else piece.links[0])
            assert magnet is not None
            assert {magnet.v1, magnet.v2} & set(topics)


@given(given=st.lists(near_links() | links().map(lambda one: one[0])))
@FUZZ
def test_an_item_that_is_a_link_is_taken(given: list[str]) -> None:
    """Whatever stands beside it; and it is the same torrent."""
    intake = take_in(given)
    topics = {one for magnet in intake.magnets for one in (magnet.v1, magnet.v2)}
    for magnet in filter(None, map(parsed, given)):
        assert {magnet.v1, magnet.v2} & topics
