"""The web links of a call: read, each once, and no more of them than the caller wants."""

from dataclasses import dataclass, field

from ..errors import InvalidLinkError
from ..intake import Intake, Invalid
from .web_link import WebLink


@dataclass(slots=True)
class GivenLinks:
    """Links to fetch, and those beyond the limit; `places` has their indexes, by their keys."""

    links: list[WebLink] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    skipped: list[WebLink] = field(default_factory=list)


def read_links(intake: Intake, most: int | None = None) -> GivenLinks:
    """Return the web links of an intake, which then has none.

    What is none is among its invalid texts. With `most`, magnets beyond the limit are skipped, too.
    """
    given = GivenLinks()
    web_links, intake.web_links = intake.web_links, []
    for one in web_links:
        try:
            link = WebLink.parse(one.url)
        except InvalidLinkError as err:
            intake.invalid.append(Invalid(one.index, str(err), one.text))
            continue
        if link.key not in given.places:
            given.places[link.key] = one.index
            given.links.append(link)
    intake.invalid.sort(key=lambda one: one.index)
    if most is not None:
        _limit(intake, given, most)
    return given


def _limit(intake: Intake, given: GivenLinks, most: int) -> None:
    """Skip what comes after the first `most`."""
    indexes = sorted([*intake.places.values(), *given.places.values()])
    if len(indexes) <= most:
        return
    end = indexes[most]
    magnets, links = intake.magnets, given.links
    intake.magnets = [one for one in magnets if intake.places[one.info_hash] < end]
    intake.skipped = [*magnets[len(intake.magnets) :], *intake.skipped]
    given.links = [one for one in links if given.places[one.key] < end]
    given.skipped = links[len(given.links) :]


def key_of(text: str) -> str:
    """Return what a queued or failed item goes by, from its info-hash or its web link.

    A user may know no more of a link that has no info-hash yet than that link.
    """
    text = text.strip()
    try:
        return WebLink.parse(text).key if "://" in text else text.lower()
    except InvalidLinkError:
        return text.lower()
