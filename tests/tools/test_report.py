"""The table says what was measured, and what was missed."""

import json
from pathlib import Path

import pytest

from tools.bench.side_by_side.figures import (
    Beside,
    Part,
    Row,
    Samples,
    at_most,
    felt,
    milliseconds,
    short,
)
from tools.bench.side_by_side.report import as_json, markdown, missed, put_into

ABOUT = {"date": "2026-11-25", "machine": "2 cores", "software": "some"}
OURS = milliseconds([0.002, 0.004, 0.003])
PARTS = [
    Part(
        "Adding",
        [
            Row(
                "1 magnet",
                OURS,
                [
                    Beside("the floor", milliseconds([0.001]), at_most(3, 1.5, "≤ 1.5 ×")),
                    Beside("a peer", milliseconds([0.030]), at_most(0.1, 1, "ahead")),
                ],
                note="A note.",
                feels="at once",
            ),
            Row("memory", Samples((4.2,), "MB"), goal=at_most(4.2, 5, "≤ 5 MB")),
        ],
    )
]


def test_markdown() -> None:
    assert markdown(PARTS, ABOUT).splitlines() == [
        "Measured 2026-11-25 on 2 cores, some.",
        "",
        "**Adding**",
        "",
        "| | this integration | beside | ratio | goal |",
        "|---|---|---|---|---|",
        "| 1 magnet<br>*at once* | 3.00 ms (2.00–4.00) | the floor: 1.00 ms | 3.00 × | ≤ 1.5 × ✗ |",
        "|  |  | a peer: 30.0 ms | 0.10 × | ahead ✓ |",
        "| memory | 4.20 MB | – | – | ≤ 5 MB ✓ |",
        "",
        "A note.",
    ]


def test_json() -> None:
    (part,) = json.loads(as_json(PARTS, ABOUT))["parts"]
    floor, peer = part["rows"][0]["beside"]
    assert part["rows"][0]["ours"] == {"unit": "ms", "median": 3.0, "values": [2.0, 4.0, 3.0]}
    assert (floor["ratio"], floor["goal"]["met"]) == (3.0, False)
    assert (peer["ratio"], peer["goal"]["met"]) == (pytest.approx(0.1), True)


def test_missed_goals_are_named() -> None:
    assert missed(PARTS) == ["1 magnet beside the floor: ≤ 1.5 ×"]


def test_nothing_to_compare_with() -> None:
    nothing = Beside("nothing", Samples((0.0,), "kB"))
    part = Part("Bytes", [Row("sent", Samples((3.0,), "kB"), [nothing])])
    assert "| sent | 3.00 kB | nothing: 0 kB | – |  |" in markdown([part], ABOUT)


@pytest.mark.parametrize(
    ("value", "text"),
    [(151_183.2, "151,183"), (100, "100"), (15.26, "15.3"), (0.123, "0.12"), (0.0123, "0.012")],
)
def test_three_digits_that_count(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("samples", "text"),
    [
        (milliseconds([0.1499, 9, 0.1]), "1,000 links in 0.15 s"),
        (Samples((10.7,), "s"), "1,000 links in 10.7 s"),
        (milliseconds([0.005]), "1,000 links at once"),
    ],
)
def test_what_a_time_means_to_whoever_waits(samples: Samples, text: str) -> None:
    assert felt("1,000 links", samples) == text


def test_page_keeps_what_is_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmark -->\nold\n<!-- end of benchmark -->\nafter\n")
    for table in ("one\n", "two\n"):
        put_into(page, table)
    assert page.read_text() == (
        "before\n<!-- benchmark -->\ntwo\n<!-- end of benchmark -->\nafter\n"
    )


def test_page_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    with pytest.raises(ValueError, match="benchmark"):
        put_into(page, "one\n")
    assert page.read_text() == "before\n"
