"""What we ask of a server: is it fit, take these magnets, do you list them."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..errors import TooLongError
from ..magnet import Magnet
from ..models import AddOptions
from . import dialect
from .connection import Connection
from .dialect import AddAnswer, LogPart

ADD_SECONDS = 30.0
"""For one add; a server under load was seen to take 25 s an answer."""
LIST_MAGNETS = 400
"""Magnets a question; the answer has about 1.4 kB for each that is listed, and is read in 5 ms."""
LIST_CHARACTERS = 4 * 1024 * 1024
LIST_ANSWER = 32 * 1024 * 1024
"""Bytes; each torrent listed repeats its magnet link, of up to 64 KiB, in the answer."""
HYBRID_PAGE = 200
LOG_ANSWER = 8 * 1024 * 1024
LONG_LOG = 256 * 1024
"""Bytes; a full log of 20,000 messages takes 0.1 s to read, and others need their turn."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a server says of itself: its connection, and since the last question, failed saves.

    `from_the_beginning` tells that the failures are all those of the process, not only new ones.
    """

    connection_status: str
    save_failures: tuple[float, ...]
    from_the_beginning: bool


class Client:
    """The part of the Web API that this project uses; every method raises InstanceError."""

    def __init__(self, connection: Connection) -> None:
        """Talk through `connection`."""
        self._connection = connection
        self._log = LogPart()
        self._log_of = 0
        self._silent_version: str | None = None
        self._launched: tuple[int, float] | None = None  # and in which session that was said

    @property
    def version(self) -> str | None:
        """Return qBittorrent's version, known once a session is open."""
        return self._connection.version

    @property
    def refused(self) -> bool:
        """Tell whether the credentials were refused; they are not tried again."""
        return self._connection.refused

    @property
    def renewals(self) -> int:
        """Return how often a working session was gone: each time perhaps a restart."""
        return self._connection.renewals

    async def open(self) -> None:
        """Open a session: the address, the credentials and the answers are right."""
        await self._connection.open()

    async def vitals(self) -> Vitals:
        """Ask, in two small requests, how the server is connected and whether it can save."""
        transfer = await self._connection.request("GET", dialect.TRANSFER)
        if self._log_of != self.renewals:
            self._log_of, self._log = self.renewals, LogPart()
        # From the last message known: if that is gone, a new process counts from 0 again.
        only_critical = {"normal": "false", "info": "false", "warning": "false"}
        answer = await self._connection.request(
            "GET",
            dialect.LOG,
            query=only_critical | {"last_known_id": str(max(self._log.last_id - 1, -1))},
            limit=LOG_ANSWER,
        )
        before = self._log
        self._log = (
            await asyncio.to_thread(dialect.read_log, answer, before)
            if len(answer.body) > LONG_LOG
            else dialect.read_log(answer, before)
        )
        status = dialect.read_connection_status(transfer)
        return Vitals(status, self._log.save_failures, from_the_beginning=before.last_id < 0)

    async def launch_time(self) -> float | None:
        """Ask when the server's process was started, in epoch seconds; None before 5.3.

        Once is enough while there is a session that ends with the process: a restart in between
        shows with the next request, in `renewals`.
        """
        if self._silent_version == self.version is not None:
            return None
        if self._launched and self._connection.ends_with_the_process:
            renewals, known = self._launched
            if renewals == self.renewals:
                return known
        asked_in = self.renewals
        answer = await self._connection.request("GET", dialect.PROCESS)
        launched = dialect.read_launch_time(answer)
        passing = answer.status >= 500  # of a proxy: says nothing about the version
        self._silent_version = self.version if launched is None and not passing else None
        sure = asked_in == self.renewals  # in which session that was said
        self._launched = (asked_in, launched) if launched is not None and sure else None
        return launched

    async def started_at(self) -> float | None:
        """Ask when the process was started, in epoch seconds: before 5.3 its log tells."""
        if (launched := await self.launch_time()) is not None:
            return launched
        only_info = {"normal": "false", "warning": "false", "critical": "false"}
        answer = await self._connection.request(
            "GET", dialect.LOG, query=only_info | {"last_known_id": "-1"}, limit=LOG_ANSWER
        )
        return dialect.read_first_logged(answer)

    async def add(self, links: list[str], options: AddOptions) -> AddAnswer:
        """Hand over some links; only `find` tells what became of each."""
        answer = await self._connection.request(
            "POST", dialect.ADD, form=dialect.add_fields(links, options), seconds=ADD_SECONDS
        )
        return dialect.read_add(answer)

    async def find(self, magnets: Collection[Magnet], *, hybrids: bool = True) -> set[str]:
        """Return the info-hashes of those magnets that the server lists.

        A hybrid torrent that was added by its v1 hash goes by its v2 hash once its metadata has
        come, and is then no longer found by asking for the v1 hash. So for v1 magnets that are
        not found the torrents with a v2 hash are looked through, too, unless `hybrids` is false.
        """
        listed: set[str] = set()
        left = list(magnets)
        while left:
            asked = left[: fitting(left[:LIST_MAGNETS], LIST_CHARACTERS)]
            del left[: len(asked)]
            hashes = sorted({one for magnet in asked for one in magnet.ids})
            for names in await self._list({"hashes": "|".join(hashes)}):
                listed |= names
        if hybrids and any(not (magnet.v2 or magnet.ids & listed) for magnet in magnets):
            listed |= await self._hybrids()
        return {magnet.info_hash for magnet in magnets if magnet.ids & listed}

    async def _hybrids(self) -> set[str]:
        """Return the hashes of all torrents that have a v2 hash: few, and sorted to the front."""
        found: set[str] = set()
        offset, size = 0, HYBRID_PAGE
        while True:
            form = {"sort": "infohash_v2", "reverse": "true"}
            form |= {"limit": str(size), "offset": str(offset)}
            try:
                page = await self._list(form)
            except TooLongError:
                if size == 1:
                    raise
                size //= 2
                continue
            with_v2 = [names for names in page if any(len(name) == 64 for name in names)]
            known = len(found)
            found.update(*with_v2)
            offset += size
            if len(with_v2) < size or len(found) == known:  # up to 5.1 the end wraps round
                return found

    async def _list(self, form: dict[str, str]) -> list[frozenset[str]]:
        return dialect.read_listed(
            await self._connection.request("POST", dialect.LIST, form=form, limit=LIST_ANSWER)
        )


def fitting(magnets: Iterable[Magnet], characters: int) -> int:
    """Return how many of these have links of so many characters together; one always fits."""
    total = count = 0
    for magnet in magnets:
        total += len(magnet.link)
        if count and total > characters:
            break
        count += 1
    return count
