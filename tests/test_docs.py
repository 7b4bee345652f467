"""What the documents name is there."""

from pathlib import Path
import re

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/reliability.md", "docs/qbittorrent.md"]


NAMED = r"`((?:tests/)?[\w/*]+\.py)`"


def test_every_test_that_is_named_is_there() -> None:
    documents = ("CONTRIBUTING.md", "docs/reliability.md", "docs/qbittorrent.md")
    named = {one for name in documents for one in re.findall(NAMED, (ROOT / name).read_text())}
    assert len(named) > 25
    for name in named:
        folder = ROOT / "custom_components" / "qbittorrent_resilient"
        places = [ROOT, ROOT / "tests", folder]
        assert any(list(place.glob(name)) for place in places), name


def test_every_round_of_the_soak_that_is_named_is_there() -> None:
    sources = "".join(one.read_text() for one in (ROOT / "tests" / "soak").glob("*.py"))
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
    for folder in ("custom_components", "tests", "script"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r"docs/\w+\.md", path.read_text()):
                assert (ROOT / name).exists(), f"{path}: {name}"


def test_every_module_is_in_the_layout() -> None:
    """Those of the client by their folder."""
    folder = ROOT / "custom_components" / "qbittorrent_resilient"
    named = set(re.findall(r"\w+\.py", README[README.index("## How the code is laid out") :]))
    here = {one.name for one in (*folder.glob("*.py"), *folder.glob("core/*.py"))}
    assert here - named == set()
    there = {one.name for one in folder.rglob("*.py")} | {"test_docs.py"}
    assert named - there == set()
