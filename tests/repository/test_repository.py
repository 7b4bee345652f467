"""What hassfest and the store check, as far as it can be checked without a network."""

import ast
import importlib.util
import json
from pathlib import Path
import re
import struct
import sys
from typing import Any

from homeassistant.loader import Manifest
import probatio as vol
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "custom_components" / "qbittorrent_resilient"
SOURCES = sorted(FOLDER.rglob("*.py"))


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def test_manifest() -> None:
    manifest = read("manifest.json")
    assert list(manifest) == ["domain", "name", *sorted(manifest.keys() - {"domain", "name"})]
    assert manifest["domain"] == FOLDER.name
    needed = {
        "codeowners",
        "config_flow",
        "documentation",
        "integration_type",
        "iot_class",
        "issue_tracker",
        "requirements",
        "version",
    }
    # Unknown keys are refused by hassfest.
    assert needed <= manifest.keys() - {"domain", "name"} <= set(Manifest.__annotations__)
    assert manifest["name"] == "qBittorrent Resilient"
    assert all(re.fullmatch(r"@[\w-]+", owner) for owner in manifest["codeowners"])
    assert manifest["codeowners"]
    for key in ("documentation", "issue_tracker"):
        assert manifest[key].startswith("https://")
    assert manifest["config_flow"] is True
    assert manifest["single_config_entry"] is True
    assert manifest["integration_type"] in ("service", "hub")
    assert manifest["iot_class"] == "local_polling"
    assert manifest["requirements"] == ["icmplib==3.0.4"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(b\d+)?", manifest["version"])


def test_hacs() -> None:
    schema = vol.Schema(
        {
            vol.Required("name"): str,
            vol.Optional("homeassistant"): vol.Match(r"^20\d\d\.\d+\.\d+$"),
            vol.Optional("hide_default_branch"): bool,
            vol.Optional("render_readme"): bool,
            vol.Optional("zip_release"): bool,
            vol.Optional("filename"): str,
        }
    )
    found = schema(json.loads((ROOT / "hacs.json").read_text()))
    assert found["name"] == read("manifest.json")["name"]
    assert found["homeassistant"] == "2026.10.0"


def test_licence() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:400]
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand_icon(name: str, size: int) -> None:
    data = (FOLDER / "brand" / name).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (width, height) == (size, size)
    assert depth == 8
    assert colour in (4, 6) or b"tRNS" in data  # transparent


def icons(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [icon for one in value.values() for icon in icons(one)]
    return [value]


def test_icons() -> None:
    found = icons(read("icons.json"))
    assert found
    assert not [one for one in found if not re.fullmatch(r"mdi:[a-z0-9-]+", one)]


def test_every_part_of_an_automation_has_an_icon() -> None:
    for kind in ("triggers", "conditions"):
        described = yaml.safe_load((FOLDER / f"{kind}.yaml").read_text())
        names = {name for name in described if not name.startswith(".")}
        assert read("icons.json")[kind].keys() == names
        assert read("translations/en.json")[kind].keys() == names


def test_every_platform_says_how_many_at_a_time() -> None:
    for name in ("binary_sensor", "button", "event", "sensor", "todo"):
        assert "\nPARALLEL_UPDATES = " in (FOLDER / f"{name}.py").read_text(), name


def test_every_action_has_an_icon() -> None:
    actions = yaml.safe_load((FOLDER / "services.yaml").read_text())
    assert read("icons.json")["services"].keys() == actions.keys()


def imports(path: Path) -> set[str]:
    """Return the absolute names of what a module imports, relative ones resolved."""
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(name, package)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def test_core_knows_nothing_of_home_assistant() -> None:
    core = f"custom_components.{FOLDER.name}.core."
    modules = sorted((FOLDER / "core").rglob("*.py"))
    assert len(modules) > 5
    for path in modules:
        names = imports(path)
        assert not {one for one in names if one.startswith(("homeassistant", "probatio"))}, path
        ours = {one for one in names if one.startswith("custom_components")}
        assert not {one for one in ours if not one.startswith(core)}, path


# The rooms of the core, from the ground up: each may import those below it and its own floor's
# leaves, never one above or beside it.
FLOORS = (
    {
        "backoff",
        "bencode",
        "clock",
        "errors",
        "excerpt",
        "gathering",
        "intake",
        "listeners",
        "link_end",
        "link_text",
        "log_words",
        "magnet",
        "magnet_spelling",
        "names",
        "routine",
        "torrent_file",
        "turns",
    },  # the leaves, which may import each other
    {"gluetun", "qbittorrent"},
    {"health", "outbox"},
    {"delivery", "reconciliation"},
    {"events"},
    {"fetching", "leak_news", "recent_deliveries", "worker"},
    {"queue_lists"},
    {"dispatcher"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
CORE = f"custom_components.{FOLDER.name}.core."


def rooms_imported(path: Path) -> set[str]:
    return {one.removeprefix(CORE).split(".")[0] for one in imports(path) if one.startswith(CORE)}


def test_arrows_of_the_core_lead_down() -> None:
    found = 0
    for path in sorted((FOLDER / "core").rglob("*.py")):
        room = path.relative_to(FOLDER / "core").parts[0].removesuffix(".py")
        if room == "__init__":
            assert not imports(path)
            continue
        assert room in FLOOR, f"say in FLOORS where {room} belongs"
        for other in rooms_imported(path) - {room}:
            found += 1
            leaves = FLOOR[room] == FLOOR[other] == 0
            assert leaves or FLOOR[other] < FLOOR[room], f"{path.name} imports {other}"
    assert found > 30


@pytest.mark.parametrize("client", ["gluetun", "qbittorrent"])
def test_client_can_be_lifted_out(client: str) -> None:
    """Each could be a library of its own."""
    own = f"{CORE}{client}."
    modules = sorted((FOLDER / "core" / client).glob("*.py"))
    assert len(modules) > 3
    for path in modules:
        others = {one for one in imports(path) if not one.startswith(own)}
        known = sys.stdlib_module_names | {"aiohttp", "orjson", "yarl"}
        assert {one.partition(".")[0] for one in others} <= known, path


def test_declared_imports() -> None:
    of_home_assistant = {"aiohttp", "homeassistant", "ifaddr", "orjson", "probatio", "yarl"}
    allowed = of_home_assistant | {"icmplib", "custom_components"}
    used = {name.partition(".")[0] for path in SOURCES for name in imports(path)}
    assert used - sys.stdlib_module_names <= allowed


def test_no_file_is_long() -> None:
    files = [one for one in FOLDER.rglob("*") if one.suffix in (".py", ".yaml")]
    assert len(files) > 20
    assert not [one for one in files if len(one.read_text().splitlines()) > 300]


def test_functions_are_short_and_take_little() -> None:
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                taken = [one for one in arguments if one.arg not in ("self", "cls")]
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 50 or len(taken) > 6:
                    wrong.append(f"{path.name}:{node.name}: {lines} lines, {len(taken)} parameters")
    assert not wrong


def test_no_registry_is_named() -> None:
    # Where packages come from is for the machine to say, not for the repository.
    hosts = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.|ghcr\.io|docker\.io|golang\.org")
    files = [ROOT / name for name in ("pyproject.toml", "hacs.json", *_requirements())]
    for folder in (FOLDER, ROOT / "script", ROOT / ".ci"):
        files += [one for one in folder.rglob("*") if one.is_file()]
    texts = [one for one in files if one.suffix not in (".png", ".pyc")]
    assert len(texts) > 40
    assert not [one for one in texts if hosts.search(one.read_text())]


def _requirements() -> list[str]:
    return [one.name for one in ROOT.glob("requirements*.txt")]


def test_nothing_imports_a_test_module() -> None:
    """What they share is in tests/support, and fixtures are in a conftest.py."""
    modules = [one for name in ("tests", "tools") for one in (ROOT / name).rglob("*.py")]
    tests = {
        ".".join(one.relative_to(ROOT).with_suffix("").parts)
        for one in modules
        if one.name.startswith("test_")
    }
    assert len(tests) > 100
    for path in modules:
        # Of a test module itself, or of something in it.
        found = {name for name in imports(path) if {name, name.rpartition(".")[0]} & tests}
        assert not found, path


def test_typed() -> None:
    assert (FOLDER / "py.typed").exists()


# All rules of the Integration Quality Scale as of 2026.11, bronze to platinum.
RULES = [
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow",
    "config-flow-test-coverage",
    "dependency-transparency",
    "docs-actions",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "docs-triggers",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    "devices",
    "diagnostics",
    "discovery",
    "discovery-update-info",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
    "async-dependency",
    "inject-websession",
    "strict-typing",
]


def test_quality_scale() -> None:
    rules = yaml.safe_load((FOLDER / "quality_scale.yaml").read_text())["rules"]
    assert sorted(rules) == sorted(RULES)
    for name, state in rules.items():
        word = state if isinstance(state, str) else state["status"]
        assert word in ("done", "exempt"), name
        if word == "exempt":
            assert state["comment"], name
