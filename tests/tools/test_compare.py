"""The comparison of two benchmarks goes by what each measured beside something else."""

from collections.abc import Iterable, Mapping
import json
from pathlib import Path
from typing import Any

import pytest

from tools.bench.side_by_side.compare import comparison, read
from tools.bench.side_by_side.figures import Beside, Part, Row, Samples, milliseconds
from tools.bench.side_by_side.report import as_json

ABOUT = {"date": "2026-11-25", "machine": "2 cores", "software": "some"}
STEADY = (1.0, 1.0, 1.0, 1.0)


def report(
    ours: Iterable[float],
    floor: Iterable[float],
    *more: Row,
    title: str = "Adding",
) -> Mapping[str, Any]:
    beside = [Beside("the floor", milliseconds(floor))]
    rows = [Row("1 magnet", milliseconds(ours), beside), *more]
    content: Mapping[str, Any] = json.loads(as_json([Part(title, rows)], ABOUT))
    return content


def lines(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [one for one in comparison(before, now).splitlines() if one.startswith("| Adding")]


def test_a_slower_machine_changes_nothing() -> None:
    before = report([2.0, 2.0, 2.0, 2.0], STEADY)
    now = report([6.0, 6.0, 6.0, 6.0], [3.0, 3.0, 3.0, 3.0])
    assert lines(before, now) == [
        "| Adding: 1 magnet, beside the floor | 2.00 × | 2.00 × | ≈ (+0 %) |"
    ]


def test_less_work_is_seen_on_a_slower_machine() -> None:
    before = report([2.0, 2.0, 2.0, 2.1], STEADY)
    now = report([4.5, 4.5, 4.5, 4.6], [3.0, 3.0, 3.0, 3.0])
    assert lines(before, now) == [
        "| Adding: 1 magnet, beside the floor | 2.00 × | 1.50 × | -25 % |"
    ]


def test_within_the_spread() -> None:
    before = report([1.0, 2.0, 3.0, 4.0, 5.0], STEADY)
    now = report([2.0, 3.0, 4.0, 5.0, 6.0], STEADY)
    (line,) = lines(before, now)
    assert line.endswith("| ≈ (+33 %) |")


def test_an_outlier_is_no_spread() -> None:
    before = report([2.0] * 7 + [9.0], STEADY)
    now = report([3.0] * 7 + [1.0], STEADY)
    (line,) = lines(before, now)
    assert line.endswith("| +50 % |")


def test_what_was_beside_nothing_is_compared_as_it_is() -> None:
    before = report(STEADY, STEADY, Row("memory", Samples((4.0,), "MB")))
    now = report(STEADY, STEADY, Row("memory", Samples((5.0,), "MB")))
    assert "| Adding: memory | 4.00 MB | 5.00 MB | +25 % |" in lines(before, now)


def test_only_what_both_have() -> None:
    other_unit = Row("memory", Samples((4000.0,), "kB"))
    before = report(
        STEADY, STEADY, Row("memory", Samples((4.0,), "MB")), Row("old", Samples((1.0,), "s"))
    )
    now = report(STEADY, STEADY, other_unit, Row("new", Samples((1.0,), "s")))
    assert len(lines(before, now)) == 1


def test_nothing_in_common_is_said() -> None:
    now = report(STEADY, STEADY, title="Waking")
    assert "no row in common" in comparison(report(STEADY, STEADY), now)


def test_nothing_to_divide_by() -> None:
    nothing = Row("requests", Samples((0.0,), ""), [Beside("nobody", Samples((0.0,), ""))])
    zero = Row("late", Samples((0.0,), "ms"))
    before = report(STEADY, STEADY, nothing, zero)
    assert lines(before, before)[1:] == ["| Adding: late | 0 ms | 0 ms | – |"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"about": {}, "parts": [{}]}', '{"parts": 1}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"some.json is no benchmark"):
        read(file)


def test_what_was_written_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "benchmark.json"
    file.write_text(json.dumps(report(STEADY, STEADY)))
    assert read(file)["about"] == ABOUT
