"""The requests to a server: check how it is, add magnets, find out which it lists."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from . import dialect, log, network, resume_data
from .answer import Answer
from .connection import Connection
from .dialect import AddAnswer
from .errors import AnswerTooLongError, EndlessAnswerError, ProtocolError, TimedOutError
from .exchange import Request
from .form import TorrentPart
from .gate import Content
from .incarnation import Incarnation
from .log import LogPart
from .models import AddOptions, Torrent
from .network import Binding
from .vitals import Vitals

ADD_SECONDS = 30.0
"""Time limit of an add; a server under load was seen to take 25 s for an answer."""
LIST_MAGNETS = 400
"""Magnets in a request; the answer has about 1.4 kB for each listed, and is read in 5 ms."""
LIST_CHARACTERS = 4 * 1024 * 1024
"""In the links of all magnets in a request, as the answer repeats them."""
LIST_ANSWER = 8 * 1024 * 1024
"""Bytes; the answer has the magnet link, of up to 64 KiB, of each torrent listed. For a longer one
less is asked for at a time. A parser holds up the event loop for 0.03 s with so many."""
HYBRID_PAGE = 200
HYBRID_REQUESTS = 250
"""Bound of the pages: 50,000 torrents with a v2 hash, far more than any server has."""
HYBRID_BYTES = 96 * 1024 * 1024
"""Bound of all pages together; each torrent has some 1.4 kB."""
HYBRID_SECONDS = 30.0
LONG_ANSWER = 256 * 1024
"""Bytes; a longer answer is read in a thread: 8 MiB take up to 0.3 s."""
LISTING_SECONDS = 5.0
"""How long a magnet may take from "Ok." to the list; 5000 at once were seen to take 0.2 s."""
SECOND_LOOK_SECONDS = 1.0
"""Pause before a server that did not answer an add is asked again which magnets it lists: a server
that was frozen carries out what it was sent right after it answers again."""
LOG_ANSWER = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Launch:
    """When the process was started (epoch seconds), and the session in which it said so."""

    at: float
    session: int


class Client:
    """The part of the Web API that this project uses.

    Every coroutine raises a ServerError (errors.py) if the server did not do what it was asked.
    """

    def __init__(self, connection: Connection) -> None:
        """Send requests through `connection`."""
        self._connection = connection
        self._log = LogPart()
        self._log_session = 0
        """In which session, by `renewals`, that part of the log was read."""
        self._launch: _Launch | None = None
        self._silent_version: str | None = None
        """A version that does not tell its launch time."""

    @property
    def version(self) -> str | None:
        """Return qBittorrent's version, or None before a session was opened."""
        return self._connection.version

    @property
    def refused(self) -> bool:
        """Tell whether the credentials were refused; they are not tried again."""
        return self._connection.refused

    @property
    def renewals(self) -> int:
        """Return how often a working session was lost, each time perhaps by a restart."""
        return self._connection.renewals

    @property
    def process(self) -> Incarnation:
        """Return which process answered last, as far as it has told; asks nothing."""
        launch = self._launch
        told = launch is not None and launch.session == self.renewals
        return Incarnation(self.renewals, launch.at if told and launch is not None else None)

    async def open(self) -> None:
        """Open a session, which proves that address, credentials and answers are right."""
        await self._connection.open()

    async def vitals(self) -> Vitals:
        """Ask, in two small requests, how the server is connected and whether it can save."""
        transfer = await self._connection.request(Request("GET", dialect.TRANSFER))
        status = dialect.read_connection_status(transfer)
        v4, v6 = dialect.read_addresses(transfer)
        if self._log_session != self.renewals:
            self._log_session, self._log = self.renewals, LogPart()
        part, from_the_beginning = await self._read_on()
        if part.last_id < 0 and not from_the_beginning:  # another process has begun a new log
            part, from_the_beginning = await self._read_on()
        return Vitals(
            status,
            part.save_failures,
            from_the_beginning,
            addresses=part.addresses,
            complaints=part.complaints,
            log_began=part.began,
            listening=part.listening,
            log_told_at=part.told_at,
            last_v4=v4,
            last_v6=v6,
        )

    async def _read_on(self) -> tuple[LogPart, bool]:
        """Read the log on, and tell whether that was from its beginning."""
        # Ask from the last known message on: if it is missing, a new process counts from 0 again.
        answer = await self._connection.request(
            _log_request(("info", "critical"), max(self._log.last_id - 1, -1))
        )
        before = self._log
        self._log = await _understood(partial(log.read_log, before=before), answer)
        return self._log, before.last_id < 0

    async def binding(self) -> Binding:
        """Ask, in two requests, how the server is bound to the network."""
        preferences = await self._connection.request(Request("GET", network.PREFERENCES))
        interfaces = await self._connection.request(Request("GET", network.INTERFACES))
        return network.read_binding(preferences, interfaces)

    async def may_fail_unsaid(self) -> bool:
        """Ask whether saves may fail without a word in the log."""
        preferences = await self._connection.request(Request("GET", network.PREFERENCES))
        return resume_data.may_fail_unsaid(preferences, self.version)

    async def launch_time(self) -> float | None:
        """Return when the server's process was started, in epoch seconds; None before 5.2.

        The server is not asked again while the session lasts, if that ends with the process. A
        version that does not tell its launch time is asked once.
        """
        if self.version is not None and self.version == self._silent_version:
            return None
        if self._launch is not None and self._still_holds(self._launch):
            return self._launch.at
        session = self.renewals
        answer = await self._connection.request(Request("GET", dialect.PROCESS))
        launched_at = dialect.read_launch_time(answer)
        self._launch = self._silent_version = None
        if launched_at is None:
            if answer.status < 500:  # a proxy's 5xx says nothing about the version
                self._silent_version = self.version
        elif session == self.renewals:  # else it may be the time of the process before
            self._launch = _Launch(launched_at, session)
        return launched_at

    def _still_holds(self, launch: _Launch) -> bool:
        """Tell whether no restart can have gone unnoticed since the server told this."""
        return self._connection.ends_with_the_process and launch.session == self.renewals

    async def started_at(self) -> float | None:
        """Return when the process was started, in epoch seconds; before 5.2 its log tells.

        None if neither the process nor the log tells.
        """
        if (launched_at := await self.launch_time()) is not None:
            return launched_at
        answer = await self._connection.request(_log_request(("info",), -1))
        return await _understood(log.read_first_logged, answer)

    async def add(
        self,
        links: list[str],
        options: AddOptions,
        files: Sequence[TorrentPart] = (),
        *,
        confirm: Callable[[], None] | None = None,
    ) -> AddAnswer:
        """Offer links, or torrent files, in one request.

        `confirm` is called right before its first byte, and raises a ServerError if it must not be
        sent. Only `find` tells which of the torrents the server has.
        """
        request = Request(
            "POST",
            dialect.ADD,
            dialect.add_fields(links, options),
            seconds=ADD_SECONDS,
            content=Content.MAGNETS,
            files=files,
            confirm=confirm,
        )
        return dialect.read_add(await self._connection.request(request))

    async def find(self, torrents: Collection[Torrent], *, hybrids: bool = True) -> set[str]:
        """Return the `info_hash` of each of these torrents that the server lists.

        A server lists a hybrid torrent that was added by its v1 hash under its v2 hash once it has
        the metadata, and then finds nothing by the v1 hash. So if a torrent of which only the v1
        hash is known is not found, all torrents with a v2 hash are searched, too, unless `hybrids`
        is false.
        """
        listed: set[str] = set()
        remaining, most = list(torrents), LIST_MAGNETS
        while remaining:
            asked = remaining[: fitting(remaining[:most], LIST_CHARACTERS)]
            hashes = sorted(frozenset().union(*(torrent.ids for torrent in asked)))
            try:
                rows, _ = await self._list({"hashes": "|".join(hashes)}, len(hashes))
            except AnswerTooLongError:
                most = _half(len(asked))
                continue
            del remaining[: len(asked)]
            if any(map(frozenset(hashes).isdisjoint, rows)):
                raise ProtocolError("the list has torrents that were not asked for")
            listed = listed.union(*rows)
        if hybrids and any(not (torrent.v2 or torrent.ids & listed) for torrent in torrents):
            listed |= await self._hybrids()
        return {torrent.info_hash for torrent in torrents if not listed.isdisjoint(torrent.ids)}

    async def _hybrids(self) -> set[str]:
        """Return all hashes of the torrents with a v2 hash: few, and sorted to the front.

        A list without end is an EndlessAnswerError, no page of it in time a TimedOutError.
        """
        hybrids: set[str] = set()
        try:
            async with asyncio.timeout(HYBRID_SECONDS):
                return await self._hybrid_pages(hybrids)
        except TimeoutError:
            error = EndlessAnswerError if hybrids else TimedOutError
            raise error(f"the list takes more than {HYBRID_SECONDS:.0f} s") from None

    async def _hybrid_pages(self, hybrids: set[str]) -> set[str]:
        """Read page after page into `hybrids`, and return it."""
        offset, size, total = 0, HYBRID_PAGE, 0
        for _ in range(HYBRID_REQUESTS):
            form = {"sort": "infohash_v2", "reverse": "true"}
            form |= {"limit": str(size), "offset": str(offset)}
            try:
                page, length = await self._list(form, size)
            except AnswerTooLongError:
                total += LIST_ANSWER
                size = _half(size)
                continue
            total += length
            with_v2 = [ids for ids in page if any(len(info_hash) == 64 for info_hash in ids)]
            known = len(hybrids)
            hybrids.update(*with_v2)
            offset += size
            if len(with_v2) < size or len(hybrids) == known:  # up to 5.1 the end wraps round
                return hybrids
            if total > HYBRID_BYTES:
                break
        raise EndlessAnswerError("the list goes on without end")

    async def _list(self, form: dict[str, str], most: int) -> tuple[list[set[str]], int]:
        """Return the hashes of each torrent of a list, at most `most`, and its length in bytes."""
        request = Request("POST", dialect.LIST, form, limit=LIST_ANSWER, content=Content.SECRET)
        answer = await self._connection.request(request)
        rows = await _understood(dialect.read_listed, answer)
        if len(rows) > most:
            raise EndlessAnswerError("the list has more torrents than were asked for")
        return rows, len(answer.body)


def _half(number: int) -> int:
    """Return half of what was asked for; raises AnswerTooLongError if that was one torrent."""
    if number <= 1:
        raise AnswerTooLongError("the answer about one torrent is too long")
    return number // 2


async def _understood[T](read: Callable[[Answer], T], answer: Answer) -> T:
    """Return what an answer means; a long one is read in a thread."""
    return await asyncio.to_thread(read, answer) if len(answer.body) > LONG_ANSWER else read(answer)


def fitting(torrents: Iterable[Torrent], characters: int) -> int:
    """Return how many torrents to take, so that all links fit in `characters`; the first does."""
    total = count = 0
    for torrent in torrents:
        total += len(torrent.link)
        if count and total > characters:
            break
        count += 1
    return count


def _log_request(kinds: Collection[str], last_known_id: int) -> Request:
    """Return the request for log messages of these kinds that came after `last_known_id`."""
    switched_off = {name: "false" for name in log.LOG_KINDS if name not in kinds}
    query = switched_off | {"last_known_id": str(last_known_id)}
    return Request("GET", dialect.LOG, query=query, limit=LOG_ANSWER)
