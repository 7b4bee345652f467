"""What outlives Home Assistant: two servers without sockets, and a disk.

Nothing in it is random or slow. Every exchange and every write of the store can be interrupted
before it has its effect, after it, and in the middle of what is read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self, cast, override
from urllib.parse import SplitResult, urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.fetching.fetcher import Fetch, NotNow
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.outbox.record import Record
from custom_components.qbittorrent_resilient.core.outbox.torrent_files import TorrentFiles
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import ServerError
from custom_components.qbittorrent_resilient.core.qbittorrent.form import AddPayload
from tests.promises.crashing.stepping import Life, VirtualLoop
from tests.support.common import info_hash
from tests.support.core import magnets
from tests.support.fake import Dialect, FakeQBittorrent
from tests.support.fake.answer import Answer
from tests.support.fake.faults import Kind
from tests.support.fake.record import Received
from tests.support.fake.torrents import AddOptions
from tests.support.sites import NOT_FOUND, number_of, to_file, to_magnet, web_link
from tests.support.store import MemoryFolder, MemoryStore, run_at_once
from tests.support.torrents import torrent

EPOCH = 1_800_000_000.0
LATENCY = 0.01
FILES = {torrent(number).info_hash: torrent(number) for number in range(1, 6)}
"""Torrents that are given as files."""
LEADS_TO = {web_link(number).key: info_hash(number) for number in range(1, 6)}
LEADS_TO |= {web_link(number + 10).key: torrent(number).info_hash for number in range(1, 6)}
"""What web links lead to, by their keys: 1 to 5 to these magnets, 11 to 15 to files 1 to 5."""


def links_to(info_hash: str) -> set[str]:
    """Return the keys of the web links that lead to this torrent."""
    return {key for key, target in LEADS_TO.items() if target == info_hash}


SAVED_SECONDS = 10.0
"""A server that loses its power has on disk what it took longer ago than this."""


class Machine(FakeQBittorrent):
    """A server without sockets, in the time of the loop."""

    def __init__(self, dialect: Dialect, loop: VirtualLoop, port: int) -> None:
        self._loop = loop
        self.up = True
        self.after: Callable[[Received], object] = lambda received: None
        super().__init__(dialect, port=port, own_port=port)
        if dialect.api_key:
            self.new_api_key()

    @override
    def now(self) -> float:
        return EPOCH + self._loop.time()

    def has(self, number: int) -> None:
        """List a torrent that it has had for long."""
        self.torrents.add([magnets(number)[0].link], AddOptions())
        torrent = self.torrents.find(info_hash(number))
        assert torrent is not None
        torrent.added_on -= 10_000

    def power_cut(self) -> None:
        """Start again with what was on disk."""
        limit = self.now() - SAVED_SECONDS
        self.torrents.keep_only([one.torrent_id for one in self.torrents if one.added_on <= limit])
        self._begin_process()

    def restart_and_come(self) -> None:
        """Be back as a new process, which has what this one had."""
        self._begin_process()
        self.come()

    def receive(self, received: Received) -> None:
        """Note a request that has arrived, before it is carried out."""
        self.record.requests.append(received)

    def go(self) -> None:
        """Vanish from the network."""
        self.up = False

    def come(self) -> None:
        """Be back."""
        self.up = True

    def heal(self) -> None:
        """Work as it should."""
        self.come()
        self.faults.clear()
        self.connection_status = "connected"
        self.after = lambda received: None


class Web:
    """The sites of web links, which outlive Home Assistant; some give what they have once."""

    def __init__(self) -> None:
        self.answers: dict[int, Fetch] = {number: to_magnet(number) for number in range(1, 6)}
        self.answers |= {number + 10: to_file(number) for number in range(1, 6)}
        self.seconds: dict[int, float] = {}
        """How long a site takes to answer, if not LATENCY."""
        self.once = False
        self.given: list[int] = []

    def heal(self) -> None:
        """Have all sites answer soon that did not; what is not there stays away."""
        self.seconds.clear()
        for number, answer in self.answers.items():
            if isinstance(answer, NotNow):
                self.answers[number] = to_magnet(number) if number < 10 else to_file(number - 10)

    def answer(self, number: int) -> Fetch:
        """Return what a link leads to now."""
        if self.once and number in self.given:
            return NOT_FOUND
        self.given.append(number)
        return self.answers[number]


class Folder(MemoryFolder):
    """The torrent files on the disk; `written` is called each time that there is one more."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Callable[[], object] = lambda: None

    @override
    def write(self, name: str, data: bytes) -> None:
        super().write(name, data)
        self.written()


@dataclass
class World:
    """Two servers, the web and a disk, which outlive Home Assistant."""

    loop: VirtualLoop
    dialect: Dialect
    records: dict[str, Record] = field(default_factory=dict)
    folder: Folder = field(default_factory=Folder)
    links: dict[str, Record] = field(default_factory=dict)
    """The web links on the disk."""
    web: Web = field(default_factory=Web)
    remember_seconds: float = 0.0
    written: set[str] = field(default_factory=set)
    """Every info-hash, and key of a link, that has ever been on the disk, but for what the user
    removed."""
    told: dict[str, str] = field(default_factory=dict)
    unkept: set[str] = field(default_factory=set)
    """What was given with `queue: false`: failing, it is told to the caller and forgotten."""
    removing: set[str] = field(default_factory=set)
    there_before: dict[str, set[str]] = field(default_factory=dict)
    behind_vpn: Machine | None = None
    vpn_is_late: bool = False
    """The VPN has no verdict until somebody waits for it, or the next poll."""
    only_behind_vpn: set[str] = field(default_factory=set)
    only_at: dict[str, Machine] = field(default_factory=dict)
    """Where a magnet may be whose call named one instance, by its info-hash."""
    writes: int = 0
    full: bool = False
    queue_is_full: bool = False
    """What waits cannot be written, but web links can."""
    primary_was_away: bool = False
    was_silent_for_long: bool = False
    """The primary could not be asked for longer than a magnet waits."""
    said: set[str] = field(default_factory=set)
    """The names of the magnets that were said to be on two servers."""

    def __post_init__(self) -> None:
        self.primary = Machine(self.dialect, self.loop, 8081)
        self.secondary = Machine(self.dialect, self.loop, 8082)
        self.servers = (self.primary, self.secondary)
        self.by_port = {server.port: server for server in self.servers}

    def write(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Change what is on the disk."""
        if self.queue_is_full:
            raise StorageError("disk full")
        self._write(self.records, put, drop)

    def write_links(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Change the web links on the disk."""
        self._write(self.links, put, drop)

    def _write(
        self, records: dict[str, Record], put: Mapping[str, Record], drop: Collection[str]
    ) -> None:
        if self.full:
            raise StorageError("disk full")
        self.writes += 1
        records |= put
        self.written |= put.keys()
        for key in drop:
            records.pop(key, None)
            if key in self.removing:
                self.written -= {key} | links_to(key)

    def state(self) -> int:
        """Return a fingerprint of all that outlives Home Assistant, but for the time."""
        servers = [
            (
                sorted((one.torrent_id, one.added_on) for one in server.torrents),
                server.launch_time,
                sorted(server.access.sessions),
                server.up,
                [(fault.hits, fault.times) for fault in server.faults],
                sorted(server.torrents.never_listed),
            )
            for server in self.servers
        ]
        told, removing = sorted(self.told.items()), sorted(self.removing | self.said)
        files = sorted(self.folder.files)
        unkept = sorted(self.unkept)
        disk = self.records, self.links, files, self.full, self.queue_is_full
        return hash(repr((disk, servers, sorted(self.web.given), told, removing, unkept)))

    def promised(self) -> set[str]:
        """Return the magnets and links that must be somewhere, as disk and callers know now."""
        accepted = self.written | {
            key for key, fate in self.told.items() if fate != "failed" and key not in self.removing
        }
        return {
            key
            for key in accepted
            if key not in self.unkept
            or self.told.get(key, "failed") != "failed"
            or self._is_under_way(key)
        }

    def _is_under_way(self, key: str) -> bool:
        record = self.records.get(key) or self.links.get(key)
        under_way = (Stage.QUEUED.value, Stage.SETTLING.value)
        return record is not None and record["stage"] in under_way

    def check(self, promised: Collection[str], written: Collection[str]) -> None:
        """Check that each magnet is where it may be, and once."""
        for number, key in enumerate([*map(info_hash, range(1, 20)), *FILES], 1):
            places = [f"server {one.port}" for one in self.servers if key in one.hashes]
            if self.behind_vpn is not None and key in self.only_behind_vpn and places:
                assert key in self.behind_vpn.hashes, f"{number} went round the VPN: {places}"
            if key in self.only_at and places:
                assert key in self.only_at[key].hashes, f"{number} is at {places}"
            before = any(key in self._before(server) for server in self.servers)
            if before and self.primary_was_away and key not in self.told:
                continue  # nobody has ever known that the one who is away has it
            if len(places) == 2 and self.was_silent_for_long:
                assert f"Torrent {number}" in self.said, f"{number} is twice, and nobody says so"
                continue
            assert len(places) <= 1, f"{number} is twice on servers"
            record = self.records.get(key, {"delivered": True})
            if not (places and record.get("kept")) and not record.get("delivered"):
                places.append(record["stage"])
            links = links_to(key)
            places += [f"link, {self.links[link]['stage']}" for link in links & self.links.keys()]
            if key in promised or links & {*promised}:
                assert len(places) == 1, f"{number} was accepted and is at {places}"
            elif not ({key} | links) & {*written} and not before:
                assert not places, f"{number} was not accepted and is at {places}"
            assert len(places) <= 1, f"{number} is at {places}"
        owed = {record["file"] for record in self.records.values() if "file" in record}
        assert self.folder.files.keys() == owed, "torrent files are left, or missing"

    def _before(self, server: Machine) -> set[str]:
        return self.there_before.get(server.url, set())


class LifeStore(MemoryStore):
    """The disk of the world, for as long as a life lasts."""

    def __init__(self, world: World, life: Life, *, of_links: bool = False) -> None:
        super().__init__()
        self._of_links = of_links
        self.records = world.links if of_links else world.records
        self.folder = world.folder
        self.torrent_files = TorrentFiles(world.folder, run_at_once)
        self._world = world
        self._life = life

    @override
    async def load(self) -> Mapping[str, Record]:
        await asyncio.sleep(0)
        self._life.reach_out()
        if self._of_links:  # which have no files
            return dict(self.records)
        return await super().load()

    @override
    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        await super().commit(put, drop)
        await asyncio.sleep(0)

    @override
    def write(self, put: Mapping[str, Record], drop: Collection[str] = ()) -> None:
        self._life.reach_out()
        (self._world.write_links if self._of_links else self._world.write)(put, drop)


class LifeFetcher:
    """Fetches links of the web of the world, for as long as a life lasts."""

    def __init__(self, world: World, life: Life) -> None:
        self._world = world
        self._life = life

    async def fetch(self, link: WebLink) -> Fetch:
        number = number_of(link)
        await asyncio.sleep(self._world.web.seconds.get(number, LATENCY))
        self._life.reach_out()
        answer = self._world.web.answer(number)
        await asyncio.sleep(LATENCY)
        return answer


_split, _parsed = lru_cache(urlsplit), lru_cache(URL)


class Network:
    """Stands for the HTTP session of a life."""

    def __init__(self, world: World, life: Life) -> None:
        self.world = world
        self.life = life

    def request(self, method: str, url: str, **options: Any) -> _Exchange:
        return _Exchange(self, method, url, options)

    async def connect(self, url: SplitResult) -> Machine:
        """Return the server that an address leads to; raises what aiohttp does."""
        return self.world.by_port[url.port or 0]


class _Exchange:
    """One request, carried out by a server between two pauses."""

    def __init__(self, network: Network, method: str, url: str, options: dict[str, Any]) -> None:
        self._network = network
        self._world = network.world
        self._life = network.life
        self._method = method
        self._url = _split(url)
        self._options = options
        self._body = b""
        self.status = 0
        self.content_type = ""
        self.headers = CIMultiDict[str]()
        self.url = _parsed(url)

    async def __aenter__(self) -> Self:
        server = await self._network.connect(self._url)
        await asyncio.sleep(LATENCY)
        self._life.reach_out()
        if not server.up:
            raise aiohttp.ClientConnectorError(cast("Any", None), OSError("refused"))
        await self._ask_permission()
        received = self._received()
        server.receive(received)
        fault = server.faults.take(received.endpoint)
        if fault and fault.kind is Kind.DELAY:
            await self._delay(fault.seconds)
            fault = None
        if fault and not fault.after:
            answer = await self._fail(fault)
        else:
            answer = server.api.handle(received)
            server.after(received)
            if fault:
                answer = await self._fail(fault)
        await asyncio.sleep(LATENCY)
        if not server.up:
            raise aiohttp.ServerDisconnectedError
        self.status, self._body = answer.status, answer.body
        self.content_type = answer.content_type.partition(";")[0]
        self.headers = CIMultiDict(answer.headers)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Leave nothing behind."""

    @property
    def content(self) -> Self:
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        middle = len(self._body) // 2
        yield self._body[:middle]
        await asyncio.sleep(LATENCY)
        yield self._body[middle:]

    async def _ask_permission(self) -> None:
        """Ask before the first byte whether it may be sent, as aiohttp has a payload do."""
        if isinstance(data := self._options.get("data"), AddPayload):
            try:
                await data.permitted(cast("Any", None))
            except ServerError as err:
                raise aiohttp.ClientConnectionError from err
            self._life.reach_out()

    def _received(self) -> Received:
        data = self._options.get("data")
        headers = {"Host": self._url.netloc, **self._options["headers"]}
        if data is not None:
            headers["Content-Type"] = data.content_type
        received = Received(
            time=self._world.loop.time(),
            method=self._method,
            path=self._url.path,
            query=dict(self._options.get("params") or {}),
            headers=headers,
            remote="127.0.0.1",
            remote_port=1,
        )
        received.read(b"" if data is None else data.decode("latin-1").encode("latin-1"))
        return received

    async def _delay(self, seconds: float) -> None:
        """Be late with a request, or so late that nobody waits for it any more."""
        limit = self._options["timeout"].total
        await asyncio.sleep(min(seconds, limit))
        if seconds >= limit:
            raise TimeoutError

    async def _fail(self, fault: Any) -> Answer:
        match fault.kind:
            case Kind.ANSWER:
                return Answer(fault.status, fault.body, fault.content_type)
            case Kind.HANG:
                await asyncio.sleep(self._options["timeout"].total)
                raise TimeoutError
            case Kind.CUT:
                await asyncio.sleep(LATENCY)
                raise aiohttp.ServerDisconnectedError
        raise AssertionError(f"no answer to a fault of kind {fault.kind}")
