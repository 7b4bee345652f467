"""What stands in a page of the documentation: headings, links, names, tables, blocks of YAML."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import parse_yaml

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)")
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")


@dataclass(frozen=True, slots=True)
class Page:
    """One page, as it is in the repository."""

    name: str

    @property
    def text(self) -> str:
        """Return all of it."""
        return (ROOT / self.name).read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """Return it without blocks of code."""
        return _FENCE.sub("", self.text)

    @property
    def anchors(self) -> set[str]:
        """Return what a link may name after the `#`: for each heading a slug, as GitHub has it."""
        headings = re.findall(r"^#{1,6} +(.+?) *#*$", self.prose, flags=re.MULTILINE)
        seen: Counter[str] = Counter()
        found = set()
        for heading in headings:
            slug = slug_of(heading)
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        return found

    @property
    def links(self) -> list[str]:
        """Return where its links and pictures lead."""
        prose = _CODE.sub("", self.prose)
        return [link or source for link, source in _LINK.findall(prose)]

    @property
    def names(self) -> list[str]:
        """Return what stands in backticks outside of blocks of code."""
        return codes(self.prose)

    def section(self, heading: str) -> str:
        """Return what stands below a heading, with the headings below that."""
        found = re.search(
            rf"^(?P<level>#+) {re.escape(heading)}$(?P<body>.*?)(?=^(?!(?P=level)#)#+ |\Z)",
            self.prose,
            flags=re.MULTILINE | re.DOTALL,
        )
        assert found, f"{self.name} has no section {heading}"
        return found["body"]

    def yaml_blocks(self) -> Iterator[Any]:
        """Yield what its blocks of YAML say."""
        for fence in _FENCE.finditer(self.text):
            if fence["language"] == "yaml":
                yield parse_yaml(fence["body"])


def slug_of(heading: str) -> str:
    """Return the anchor of a heading: GitHub drops marks and links, and puts `-` for blanks."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def codes(text: str) -> list[str]:
    """Return what stands in backticks."""
    return [match["code"].strip() for match in _CODE.finditer(text)]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables in a text, without their heads."""
    found: list[list[str]] = []
    block: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            block.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif block:
            found += block[2:]
            block = []
    return found


def first_names(text: str, column: int = 0) -> list[str]:
    """Return what stands in backticks in one column of all tables in a text."""
    return [name for row in rows(text) for name in codes(row[column])]
