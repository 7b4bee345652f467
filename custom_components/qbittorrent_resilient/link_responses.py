"""What the actions answer about web links: they have no info-hash until they were fetched."""

from .core.delivery.outcome import Fate
from .core.fetching.given import GivenLinks
from .core.fetching.link_outcome import LinkOutcome
from .responses import Response, added_item, failed_item, queued_item

_LISTS = {
    Fate.QUEUED: ("queued", queued_item),
    Fate.FAILED: ("failed", failed_item),
}


def with_links(answer: Response, given: GivenLinks, outcomes: list[LinkOutcome]) -> Response:
    """Return the answer to `add_magnets` or `retry_queue` with what became of web links."""
    for one in outcomes:
        name, item = _LISTS.get(one.outcome.fate, ("added", added_item))
        entry = item(one.outcome) | ({} if one.found else {"info_hash": None})
        if name == "failed" and one.key in given.places:
            entry = {"index": given.places[one.key], **entry, "text": None}
        answer[name].append(entry)
    if given.places:
        answer["failed"].sort(key=lambda item: item["index"])
        answer["skipped"] += [{"info_hash": None, "name": one.name} for one in given.skipped]
    return answer
