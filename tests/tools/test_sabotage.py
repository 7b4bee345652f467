"""Whether soak and simulation can be proven sharp: each sabotage still fits the source."""

import ast
from pathlib import Path

import pytest

from tests.support.harness.home_assistant import ROOT
from tools.simulation.sabotage import SABOTAGES
from tools.soak.sabotage import FOLDER, Sabotage, SabotageError

each_sabotage = pytest.mark.parametrize("sabotage", SABOTAGES.values(), ids=SABOTAGES)


@each_sabotage
def test_it_changes_the_source_as_it_is(sabotage: Sabotage) -> None:
    source = (ROOT / "custom_components" / FOLDER / sabotage.file).read_text(encoding="utf-8")
    spoilt = sabotage.spoilt(source)
    assert ast.dump(ast.parse(spoilt)) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("source", ["", "old and old"], ids=["gone", "twice"])
def test_a_text_that_is_not_there_once_is_an_error(source: str) -> None:
    with pytest.raises(SabotageError):
        Sabotage("", "file.py", "old", "new").spoilt(source)


def test_only_the_copy_is_changed(tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "file.py"
    path.parent.mkdir()
    path.write_text("before = 1\n")
    Sabotage("", "file.py", "before", "after").spoil(tmp_path)
    assert path.read_text() == "after = 1\n"
