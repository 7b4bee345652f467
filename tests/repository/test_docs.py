"""What the documents name is there."""

import re

import pytest
import yaml

from tests.support.pages import ROOT, Page, slug_of

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
DOCUMENTS = [
    Page(str(path.relative_to(ROOT))) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
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


def broken(page: Page, link: str) -> str | None:
    """Return what is wrong with a link within the repository; None if it leads somewhere."""
    name, _, anchor = link.partition("#")
    target = (ROOT / page.name).parent / name if name else ROOT / page.name
    place = str(target.resolve().relative_to(ROOT))
    if not target.exists():
        return "there is no such file"
    if anchor and anchor not in Page(place).anchors:
        return "there is no such heading"
    return None


def inside(page: Page) -> list[str]:
    """Return the links that stay in the repository."""
    return [link for link in page.links if not re.match(r"\w+:", link)]


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Page) -> None:
    wrong = {link: what for link in inside(page) if (what := broken(page, link)) is not None}
    assert not wrong


@pytest.mark.parametrize("link", ["docs/no-where.md", "#nowhere", "docs/vpn.md#nowhere"])
def test_a_link_that_leads_nowhere_is_noticed(link: str) -> None:
    assert broken(Page("README.md"), link)


def test_there_is_something_to_look_at() -> None:
    assert len(DOCUMENTS) >= 11
    assert sum(len(inside(page)) for page in DOCUMENTS) > 60


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("5. At once", "5-at-once"),
        ("WireGuard or OpenVPN on the host", "wireguard-or-openvpn-on-the-host"),
        ("`add_magnets`, and [more](x.md)", "add_magnets-and-more"),
        ("9. Start-up does not wait, and stopping", "9-start-up-does-not-wait-and-stopping"),
    ],
)
def test_slugs_are_those_of_github(heading: str, slug: str) -> None:
    assert slug_of(heading) == slug


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, new = set(), {"README.md"}
    while new:
        page = Page(new.pop())
        found.add(page.name)
        for link in inside(page):
            place = ((ROOT / page.name).parent / link.partition("#")[0]).resolve()
            name = str(place.relative_to(ROOT))
            if place.suffix == ".md" and place.exists() and name not in found:
                new.add(name)
    assert {page.name for page in DOCUMENTS} - found <= {"CHANGELOG.md"}


def test_every_picture_is_shown() -> None:
    shown = {link.rpartition("/")[2] for page in DOCUMENTS for link in page.links}
    pictures = {one.name for one in (ROOT / "docs" / "images").iterdir()}
    assert pictures <= shown


# Where each rule of the quality scale about documentation is met.
RULES = {
    "docs-high-level-description": ("README.md", "Is it for me?"),
    "docs-installation-instructions": ("README.md", "Quick start"),
    "docs-removal-instructions": ("README.md", "Remove"),
    "docs-actions": ("docs/actions.md", "Add magnets"),
    "docs-triggers": ("docs/automations.md", "Triggers"),
    "docs-conditions": ("docs/automations.md", "Conditions"),
    "docs-installation-parameters": ("docs/settings.md", "A server"),
    "docs-configuration-parameters": ("docs/settings.md", "Options"),
    "docs-data-update": ("README.md", "Updates"),
    "docs-examples": ("docs/actions.md", "Example: tell what could not be added"),
    "docs-known-limitations": ("README.md", "Limitations"),
    "docs-supported-functions": ("README.md", "Dashboard and entities"),
    "docs-troubleshooting": ("README.md", "Troubleshooting"),
    "docs-use-cases": ("README.md", "Is it for me?"),
}


def test_the_rules_about_documentation_are_met() -> None:
    scale = ROOT / "custom_components" / "qbittorrent_resilient" / "quality_scale.yaml"
    rules = yaml.safe_load(scale.read_text())["rules"]
    assert {name for name in rules if name.startswith("docs-") and rules[name] == "done"} == set(
        RULES
    )
    for page, heading in RULES.values():
        assert slug_of(heading) in Page(page).anchors, heading


def test_what_the_integration_links_to_is_there() -> None:
    """A repair leads to the README of the newest version."""
    sources = "".join(one.read_text() for one in (ROOT / "custom_components").rglob("*.py"))
    anchors = re.findall(
        r"github\.com/qbittorrent-resilient/qbittorrent-resilient#([\w-]+)", sources
    )
    assert anchors
    assert set(anchors) <= Page("README.md").anchors


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
