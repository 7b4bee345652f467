"""The benchmark works, in its smallest size; its figures are nobody's business here."""

import json
import os
from pathlib import Path
import subprocess

import pytest

from tests.live.vpn_stage import makes_tunnels
from tests.support.harness.home_assistant import ROOT, default_program
from tests.support.harness.process import UnavailableError
from tests.support.harness.transmission import Transmission


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return the Python of the newest Home Assistant."""
    try:
        Transmission(tmp_path / "transmission")
        return default_program().with_name("python")
    except UnavailableError as err:
        if os.environ.get("CI") == "true":
            pytest.fail(str(err), pytrace=False)
        pytest.skip(str(err))


@makes_tunnels
def test_smallest_size(python: Path, tmp_path: Path) -> None:
    command = [python, "-m", "tools.bench.side_by_side", "--tiny", "--out", tmp_path / "out"]
    done = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    rows = [row for part in report["parts"] for row in part["rows"]]
    assert len(report["parts"]) >= 8  # the outages need a namespace, which not all may make
    assert len(rows) >= 18
    for row in rows:
        assert row["ours"]["values"], row
        assert all(other["values"] for other in row["beside"]), row
