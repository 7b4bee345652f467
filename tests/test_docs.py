"""What the documents name is there."""

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[1]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:tests/)?[\w/*]+\.py)`", RELIABILITY))
    assert len(named) > 25
    for name in named:
        folder = ROOT / "custom_components" / "qbittorrent_resilient"
        places = [ROOT, ROOT / "tests", folder]
        assert any(list(place.glob(name)) for place in places), name


def test_every_round_of_the_soak_that_is_named_is_there() -> None:
    sources = "".join(one.read_text() for one in (ROOT / "tests" / "soak").glob("*.py"))
    for sentence in re.findall(r"rounds? ([^.]*?) of the\s+soak", RELIABILITY):
        for name in re.findall(r"`(\w+)`", sentence):
            assert f"async def {name}(" in sources, name


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/reliability.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert ((ROOT / name).parent / target).exists(), target
