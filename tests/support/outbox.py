"""What the tests of the outbox share: jobs, and a look at what it holds."""

from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from tests.support.common import link
from tests.support.store import MemoryStore


def job(given: int | str, at: float = 1.0) -> Job:
    """Return the job of the magnet link number so-and-so, or of a link."""
    return Job(magnet=Magnet.parse(link(given) if isinstance(given, int) else given), queued_at=at)


async def reloaded(store: MemoryStore) -> Outbox:
    """Return the outbox that is in the store, as after a restart."""
    queue = Outbox(store)
    await queue.load()
    return queue


def contents(queue: Outbox) -> list[Job]:
    """Return all jobs, by info-hash."""
    jobs = [job for stage in Stage for job in queue.at(stage)]
    return sorted(jobs, key=lambda job: job.info_hash)
