"""What a caller gave, sorted."""

from collections.abc import Sequence

import pytest

from custom_components.qbittorrent_resilient.core.intake import take_in
from tests.support.common import info_hash, link

V2 = "ab" * 32
V2_LINK = f"magnet:?xt=urn:btmh:1220{V2}"
HYBRID = f"{link(1)}&xt=urn:btmh:1220{V2}"


@pytest.mark.parametrize(
    ("given", "most", "places", "skipped", "invalid"),
    [
        pytest.param([], None, {}, [], [], id="nothing"),
        pytest.param("", None, {}, [], [], id="empty-text"),
        pytest.param(["", " \t"], None, {}, [], [], id="blanks"),
        pytest.param(["", link(1), " ", link(2)], None, {1: 1, 2: 3}, [], [], id="places"),
        pytest.param(f"{link(1)} {link(2)}\r\n{link(3)}", None, {1: 0, 2: 1, 3: 2}, [], []),
        pytest.param([f"{link(1)} {link(2)}"], None, {}, [], [0], id="two-in-one-item"),
        pytest.param([f"{link(1)}\n{link(2)}", link(3)], None, {3: 1}, [], [0], id="line-end"),
        pytest.param([link(1), f"{link(2)}\x00"], None, {1: 0}, [], [1], id="control"),
        pytest.param("nonsense " + link(1) + " x", None, {1: 0}, [], [], id="words"),
        pytest.param(["nonsense", link(1), "x"], None, {1: 1}, [], [0, 2], id="invalid"),
        pytest.param("nonsense\n\nmore of it", None, {}, [], [0, 1], id="no-link-at-all"),
        pytest.param([None, link(1), None], None, {1: 1}, [], [], id="nulls"),
        pytest.param([5, link(1), {"a": link(2)}, [link(3)], True], None, {1: 1}, [], [0, 2, 3, 4]),
        pytest.param(["\ufeff", "\u200b ", link(1)], None, {1: 2}, [], [], id="seen-as-blank"),
        pytest.param([f"\ufeff{link(1)}", f"<{link(2)}>"], None, {1: 0, 2: 1}, [], []),
        pytest.param([f'<a href="{link(1)}">{link(1)}</a>'], None, {1: 0}, [], [], id="caption"),
        pytest.param([f"{link(1)} magnet:?x"], None, {}, [], [0], id="one-and-a-bad-one"),
        pytest.param([link(1), link(1, name="n")], None, {1: 0}, [], [], id="twice"),
        pytest.param([link(1), HYBRID], None, {1: 0}, [], [], id="v1-then-hybrid"),
        pytest.param([HYBRID, V2_LINK, link(1)], None, {1: 0}, [], [], id="hybrid-then-both"),
        pytest.param([link(1), link(2), link(3)], 2, {1: 0, 2: 1}, [3], [], id="most"),
        pytest.param([link(1), "x", link(1), link(2)], 1, {1: 0}, [2], [1], id="most-of-the-valid"),
        pytest.param([link(1), link(2), link(2)], 1, {1: 0}, [2], [], id="skipped-once"),
    ],
)
def test_sorted(
    given: str | Sequence[str],
    most: int | None,
    places: dict[int, int],
    skipped: list[int],
    invalid: list[int],
) -> None:
    intake = take_in(given, most=most)
    assert intake.places == {info_hash(number): index for number, index in places.items()}
    assert [str(one) for one in intake.magnets] == list(intake.places)
    assert [str(one) for one in intake.skipped] == [info_hash(number) for number in skipped]
    assert [one.index for one in intake.invalid] == invalid
    assert all(one.detail for one in intake.invalid)


def test_first_link_counts() -> None:
    assert take_in([link(1, name="first"), link(1, name="second")]).magnets[0].name == "first"


def test_ten_thousand_links() -> None:
    """One text of many links, with a bad one in the middle, loses none."""
    numbers = range(1, 10_001)
    text = "\n".join([*map(link, numbers[:5000]), "magnet:?dn=bad", *map(link, numbers[5000:])])
    intake = take_in(text)
    assert [str(one) for one in intake.magnets] == [info_hash(number) for number in numbers]
    assert [one.index for one in intake.invalid] == [5000]
    assert intake.places[info_hash(10_000)] == 10_000
