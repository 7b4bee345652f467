"""The plots of docs/benchmark.md show what its tables say."""

import itertools
from pathlib import Path
import re
import xml.etree.ElementTree as ET

import pytest

from tools.bench.plots import draw, write_plots
from tools.bench.plots.page import Figure, figure, tables

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "benchmark.md").read_text()
ADDING, OUTAGE = "benchmark-adding.svg", "benchmark-outage.svg"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("4.70 ms (4.05–6.69)", ("", Figure(0.0047, 0.00405, 0.00669))),
        ("core's ping: 31.3 s (25.3–33.8)", ("core's ping", Figure(31.3, 25.3, 33.8))),
        ("a peer: 1,748 ms", ("a peer", Figure(1.748, 1.748, 1.748))),
        ("0.52 %", None),
        ("–", None),
    ],
)
def test_times_are_read(cell: str, expected: tuple[str, Figure] | None) -> None:
    found = figure(cell)
    if expected is None or found is None:
        assert found is expected
        return
    assert found[0] == expected[0]
    for one, other in ((found[1], expected[1]),):
        assert one.middle == pytest.approx(other.middle)
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_rows_keep_what_stands_beside_them() -> None:
    page = (
        "**A title**\n\n| | this integration | beside | ratio | goal |\n|---|---|---|---|---|\n"
        "| 1 magnet | 2.00 s | one: 1.00 s | 2.00 × |  |\n|  |  | other: 4.00 s | 0.50 × |  |\n"
        "| memory | 12.3 MB | – | – |  |\n"
    )
    (line,) = tables(page)["A title"]
    assert (line.what, line.ours.middle) == ("1 magnet", 2)
    assert {name: one.middle for name, one in line.beside.items()} == {"one": 1, "other": 4}


def test_pictures_are_those_of_the_tables() -> None:
    """Else run: python -m tools.bench.plots."""
    drawn = draw(PAGE)
    assert drawn.keys() == {ADDING, OUTAGE}
    for name, picture in drawn.items():
        assert (DOCS / "images" / name).read_text() == picture, name
        assert f"(images/{name})" in PAGE


def test_another_figure_is_another_picture() -> None:
    slower = re.sub(r"(VPN link down → its sensor off \|) [\d.]+ s", r"\1 39.6 s", PAGE)
    assert slower != PAGE
    assert draw(slower)[ADDING] == draw(PAGE)[ADDING]
    assert draw(slower)[OUTAGE] != draw(PAGE)[OUTAGE]


def test_every_way_is_named_and_no_label_covers_another() -> None:
    root = ET.fromstring(draw(PAGE)[ADDING])
    labels = {one.text: one for one in root.iter("{http://www.w3.org/2000/svg}text")}
    named = {"this integration"} | set(re.findall(r"\| ([^|:]+): [\d.,]+ m?s", _last_adding()))
    assert len(named) == 6
    assert named <= labels.keys()
    heights = sorted(float(labels[name].attrib["y"]) for name in named)
    assert all(below - above >= 14 for above, below in itertools.pairwise(heights))


def _last_adding() -> str:
    return PAGE.rpartition("**Adding magnets")[2].partition("\n\n*")[0].partition("\n**")[0]


def test_a_quick_run_can_be_drawn() -> None:
    """It adds to Transmission a few times only."""
    lines = [one for one in PAGE.splitlines() if "core's transmission" not in one]
    drawn = draw("\n".join(lines))
    assert drawn.keys() == {ADDING, OUTAGE}
    assert "transmission" not in drawn[ADDING]


def test_a_part_draws_what_it_has(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE[: PAGE.index("**A server is back")])
    (tmp_path / "images").mkdir()
    write_plots(page)
    assert [one.name for one in (tmp_path / "images").iterdir()] == [ADDING]
