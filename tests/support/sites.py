"""What web links lead to, without a network; whoever fetches can be kept waiting."""

import asyncio
from collections.abc import Mapping
from typing import Any

from custom_components.qbittorrent_resilient.core.fetching.fetcher import Fetch, Fetched, NotEver
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Reason
from custom_components.qbittorrent_resilient.core.torrent_file import read_torrent
from tests.support.common import link
from tests.support.torrents import torrent

NOT_FOUND = NotEver(Reason.NOT_A_TORRENT, "HTTP 404")


def web_link(number: int, host: str = "web.example") -> WebLink:
    """Return web link number so-and-so."""
    return WebLink.parse(f"http://{host}/{number}.torrent?passkey={number}")


def number_of(link: WebLink) -> int:
    """Return which web link this is."""
    return int(link.name.partition(".")[0])


def job_of(number: int, at: float = 1.0, *, host: str = "web.example", **fields: Any) -> Job:
    """Return the job that keeps a web link."""
    return Job(web_link(number, host).as_magnet(), at, **fields)


def to_magnet(number: int) -> Fetched:
    """Return a redirect to a magnet."""
    return Fetched(Magnet.parse(link(number)))


def to_file(number: int) -> Fetched:
    """Return a torrent file."""
    return Fetched(read_torrent(torrent(number).data))


class Sites:
    """Fetches nothing: what a link leads to is in `answers`, by its number."""

    def __init__(self, answers: Mapping[int, Fetch] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[int] = []
        self.most_at_once = 0
        self._at_once = 0
        self._open = asyncio.Event()
        self._open.set()

    def halt(self) -> None:
        """Have fetches wait from now on."""
        self._open.clear()

    def go_on(self) -> None:
        """Let the fetches that wait go on."""
        self._open.set()

    async def fetch(self, link: WebLink) -> Fetch:
        number = number_of(link)
        self.asked.append(number)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(0)
            await self._open.wait()
        finally:
            self._at_once -= 1
        return self.answers.get(number, NOT_FOUND)
