"""What the actions answer about web links: they have no info-hash until they were fetched."""

from .core.delivery.outcome import Fate
from .core.fetching.given import GivenLinks
from .core.fetching.links import WebLinks
from .core.fetching.rounds import LinkOutcome
from .core.outbox.job import Job, Stage
from .responses import Response, added_item, failed_item, iso, named, queued_item

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


def with_waiting_links(answer: Response, links: WebLinks) -> Response:
    """Return the answer to `get_queue` with the web links that wait or failed."""
    answer["queued"] += [
        queued_now(job, links)
        | {
            "queued_at": iso(job.queued_at),
            "attempts": job.attempts,
            "last_attempt": iso(job.last_attempt),
        }
        for job in links.at(Stage.QUEUED)
    ]
    answer["failed"] += [
        queued_now(job, links)
        | {
            "queued_at": iso(job.queued_at),
            "attempts": job.attempts,
            "failed_at": iso(job.failed_at),
        }
        for job in links.at(Stage.FAILED)
    ]
    return answer


def queued_now(job: Job, links: WebLinks) -> Response:
    """Return a web link and why it waits or failed."""
    return named(job.magnet) | {"info_hash": None, "reason": links.reason(job)}
