"""What the documents name is there."""

from pathlib import Path
import re

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/reliability.md",
    "docs/qbittorrent.md",
    "docs/architecture.md",
    "docs/benchmark.md",
]


NAMED = r"`((?:tests/|tools/)?[\w/*]+\.py)`"


def test_every_test_that_is_named_is_there() -> None:
    """In docs/reliability.md, a name without a folder is one of the promise's own tests."""
    named = {
        (name, "tests")
        for document in ("CONTRIBUTING.md", "docs/qbittorrent.md")
        for name in re.findall(NAMED, (ROOT / document).read_text())
    }
    promises = re.split(r"^## (?=\d)", RELIABILITY, flags=re.MULTILINE)[1:]
    assert len(promises) == 9
    for promise in promises:
        found = re.findall(NAMED, promise)
        own = f"tests/promises/p{promise[0]}_*"
        named |= {(name, "tests" if "/" in name else own) for name in found}
    assert len(named) > 25
    for name, folder in named:
        integration = "custom_components/qbittorrent_resilient"
        places = (name, f"{folder}/{name}", f"{integration}/{name}")
        assert any(list(ROOT.glob(place)) for place in places), name


def test_every_round_of_the_soak_that_is_named_is_there() -> None:
    sources = "".join(one.read_text() for one in (ROOT / "tools" / "soak").glob("*.py"))
    sentences = re.findall(r"rounds?\s+([^.]*?)\s+of\s+the\s+soak", RELIABILITY)
    named = [name for sentence in sentences for name in re.findall(r"`(\w+)`", sentence)]
    assert len(named) >= 6
    for name in named:
        assert f"async def {name}(" in sources, name


def test_links_and_pictures_lead_somewhere() -> None:
    found = 0
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
        links += re.findall(r"(?:src|srcset)=\"(?!https?:)([^\"]+)\"", text)
        for target in links:
            assert ((ROOT / name).parent / target).exists(), f"{name}: {target}"
        found += len(links)
    assert found > 10


def test_sources_cite_only_what_is_here() -> None:
    for folder in ("custom_components", "tests", "tools", "script"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r"docs/\w+\.md", path.read_text()):
                assert (ROOT / name).exists(), f"{path}: {name}"


def test_every_module_is_in_the_architecture() -> None:
    folder = ROOT / "custom_components" / "qbittorrent_resilient"
    places, *clients = ARCHITECTURE[ARCHITECTURE.index("## Where things are") :].split("| client: ")
    pattern = r"`([\w/]+\.py)`"
    named = {folder / name for name in re.findall(pattern, places)}
    for part in clients:
        client = part.split("`")[1]
        named |= {folder / client / name for name in re.findall(pattern, part)}
    modules = {one for one in folder.rglob("*.py") if one.name != "__init__.py"}
    assert named - modules == {folder / "__init__.py"}
    assert modules - named == set()
