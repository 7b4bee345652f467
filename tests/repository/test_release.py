"""The package of a release, and the workflows that make and check it."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any
import zipfile

from homeassistant import components
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "custom_components" / "qbittorrent_resilient"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def _packer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("package", ROOT / "script/lib/package.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("tag", "version"), [("v1.2.3", "1.2.3"), ("2.0.0b1", "2.0.0b1")])
def test_version_comes_from_the_tag(tmp_path: Path, tag: str, version: str) -> None:
    _packer().package(tag, tmp_path / "one.zip")
    with zipfile.ZipFile(tmp_path / "one.zip") as pack:
        names = set(pack.namelist())
        manifest = json.loads(pack.read("manifest.json"))
    before = json.loads((FOLDER / "manifest.json").read_text())
    assert manifest == before | {"version": version}
    assert list(manifest) == list(before)
    wanted = {
        path.relative_to(FOLDER).as_posix()
        for path in FOLDER.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == wanted
    assert "core/qbittorrent/dialect.py" in names


@pytest.mark.parametrize("tag", ["main", "v1.2", "1.2.3.4", "v1.2.3-rc1", ""])
def test_a_tag_that_is_no_version_is_refused(tmp_path: Path, tag: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        _packer().package(tag, tmp_path / "one.zip")


def test_the_store_takes_this_package() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert hacs["zip_release"] is True
    assert f'script/lib/package.py "$TAG" {hacs["filename"]}' in _text("release.yml")


def test_what_the_workflows_run_is_there() -> None:
    assert [one.stem for one in WORKFLOWS] == ["release", "test", "validate"]
    assert ".ci/run" in _text("test.yml")
    for name in ("hassfest", "hacs/action"):
        assert name in _text("validate.yml")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda one: one.stem)
def test_workflows_ask_for_no_more_than_they_need(path: Path) -> None:
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    assert found["permissions"] in ({}, {"contents": "read"})
    for job in found["jobs"].values():
        assert job["timeout-minutes"] <= 30
        for step in job["steps"]:
            # What others write must not become a command.
            assert "${{" not in step.get("run", "")


def _text(name: str) -> str:
    return (ROOT / ".github" / "workflows" / name).read_text()


def test_issue_forms_ask_for_diagnostics() -> None:
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text())
    fields = {one.get("id"): one for one in form["body"]}
    assert fields["diagnostics"]["validations"]["required"] is True


def test_hooks_are_those_of_the_project() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    programs = [hook["entry"].split()[0] for repo in hooks["repos"] for hook in repo["hooks"]]
    assert set(programs) == {".venv/bin/ruff", "script/lint"}


@pytest.mark.snapshot
def test_the_tests_have_what_home_assistant_asks_for() -> None:
    """In its own versions, wherever one of its integrations asks for the same package."""
    pins = dict(
        line.lower().split("==")
        for line in (ROOT / "requirements_test.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    )
    asked: dict[str, set[str]] = {}
    for manifest in Path(components.__file__).parent.glob("*/manifest.json"):
        for requirement in json.loads(manifest.read_text()).get("requirements", ()):
            name, _, version = requirement.lower().partition("==")
            asked.setdefault(name, set()).add(version)
    shared = pins.keys() & asked.keys()
    assert {"icmplib", "feedparser", "home-assistant-frontend", "hassil"} <= shared
    assert {name: pins[name] for name in shared if asked[name] != {pins[name]}} == {}
