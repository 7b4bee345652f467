"""The web of a world: links that lead to magnets, a site that is down at times, and their disk."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.fetching.fetcher import Fetch, Fetched, NotNow
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.outbox.record import Record
from tests.support.common import info_hash, link
from tests.support.store import MemoryFolder

from .known import PASSKEY

if TYPE_CHECKING:
    from .world import World

_FETCH_SECONDS = (0.1, 2.0, 25.0, 60.0)
"""A call waits 40 s for its fetches."""


@dataclass
class Web:
    """A site, and what is kept of the links to it; a process fetches them, and stores them here."""

    world: World
    is_down: bool = False
    records: dict[str, Record] = field(default_factory=dict)
    folder: MemoryFolder = field(default_factory=MemoryFolder)
    leads_to: dict[str, str] = field(default_factory=dict)
    """The info-hash that a link leads to, by the link's key."""

    def link(self, number: int) -> WebLink:
        """Return the link that leads to a magnet."""
        made = WebLink.parse(f"https://site.invalid/{number}?passkey={PASSKEY}")
        self.leads_to[made.key] = info_hash(number)
        return made

    async def fetch(self, given: WebLink) -> Fetch:
        """Answer as the site does, if it is up by then."""
        await asyncio.sleep(self.world.rng.choice(_FETCH_SECONDS))
        if self.is_down:
            return NotNow("the site is down")
        tracker = f"&tr=http%3A%2F%2Ftracker.invalid%2F{PASSKEY}"
        return Fetched(Magnet.parse(link(int(given.name), extra=tracker)))

    def write(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Change what is on the disk; a link that is there is as accepted as a magnet."""
        if self.world.disk_fails:
            raise StorageError("disk full")
        self.records |= put
        for key, record in put.items():
            if record["stage"] == Stage.QUEUED.value:
                self.world.known[self.leads_to[key]].on_disk = True
        for key in drop:
            self.records.pop(key, None)

    @property
    def waiting(self) -> set[str]:
        """Return the info-hashes that links on the disk lead to."""
        return {self.leads_to[key] for key in self.records}

    @property
    def queued(self) -> set[str]:
        """Return those that are to be fetched; what was not to be queued fails with its call."""
        queued = Stage.QUEUED.value
        return {self.leads_to[key] for key, one in self.records.items() if one["stage"] == queued}
