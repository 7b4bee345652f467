"""Magnets cut into requests: small at first, and larger as long as the server is quick."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from ..outbox.job import Job
from ..qbittorrent import fitting
from ..qbittorrent.models import AddOptions

ADD_MAGNETS = (100, 400)
"""First and largest number of magnets in a request, doubled each time.

It bounds what a lost answer leaves open. 1,000 magnets took 256 ms in requests of 50 and 150 ms in
requests of 500 (5.1.0); a server at work for other clients was seen to take 25 s for a request.
"""
ADD_FILES = 20
"""Torrent files in a request; they never share one with links, as a server looks at the links
first, and at no more once it has met a file that is none for it."""
ADD_FILE_BYTES = 4 * 1024 * 1024
ADD_CHARACTERS = 256 * 1024
"""Characters of links a request; encoded that stays under the 1 MiB many a proxy allows."""
QUICK_SECONDS = 1.0
"""A request that is sent and read back within this time leaves room for one twice as large."""


class Batches:
    """Entries in requests: each of one set of wishes, and no larger than it should be."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        """Begin with small ones. What may crash a server comes last, and alone."""
        self._alike: dict[tuple[AddOptions, int, bool], list[Job]] = {}
        self._alone: list[tuple[int, Job]] = []
        for job in jobs:
            if job.crash is None:
                kind = (job.options, job.max_retries, job.file is not None)
                self._alike.setdefault(kind, []).append(job)
            else:
                self._alone.append((job.crash.crashes, job))
        self._most = ADD_MAGNETS[0]

    def __iter__(self) -> Iterator[Sequence[Job]]:
        """Yield one after the other; how many there are depends on how each one goes."""
        for (_, _, are_files), jobs in self._alike.items():
            at = 0
            while at < len(jobs):
                ahead = jobs[at : at + min(self._most, ADD_FILES if are_files else self._most)]
                batch = ahead[: fitting((one.magnet for one in ahead), ADD_CHARACTERS)]
                at += len(batch)
                yield batch
        for _, job in sorted(self._alone, key=itemgetter(0)):
            yield [job]

    def took(self, seconds: float, *, worked: bool) -> None:
        """Take note of how the last one went."""
        quick = worked and seconds < QUICK_SECONDS
        self._most = min(2 * self._most, ADD_MAGNETS[1]) if quick else ADD_MAGNETS[0]
