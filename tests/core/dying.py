"""A world in which Home Assistant can be killed between any two steps of its tasks.

Nothing in it is random or slow: time is that of the event loop, which jumps to the next timer, and
the servers are the fake ones without their sockets. Every exchange and every write of the store
can be interrupted before it has its effect, after it, and in the middle of what is read.

All tasks of a life are driven step by step. A step ends where a task gives way, so the kill lies
right before or right after something that was awaited; what is dead makes no further step, not
even of its `finally` clauses.
"""

import ast
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
import contextlib
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from inspect import getsourcefile
from pathlib import Path
import selectors
from types import ModuleType
from typing import Any, Self, cast, override
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

import aiohttp

from custom_components.qbittorrent_resilient.core.courier import Courier
from custom_components.qbittorrent_resilient.core.entry import Entry, Record, Stage
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.health import InstanceMonitor
from custom_components.qbittorrent_resilient.core.models import Clock, InstanceSettings, VpnState
from custom_components.qbittorrent_resilient.core.outcome import Outcome
from custom_components.qbittorrent_resilient.core.qbittorrent import Client, Connection, client
from custom_components.qbittorrent_resilient.core.queue import MagnetQueue
from custom_components.qbittorrent_resilient.core.vpn import VpnMonitor
from tests.common import info_hash
from tests.core.common import magnets
from tests.fake import Dialect, FakeQBittorrent
from tests.fake.answer import Answer
from tests.fake.faults import Kind
from tests.fake.record import URLENCODED, Received

EPOCH = 1_800_000_000.0
LATENCY = 0.01
POLL_SECONDS = 30.0
SAVED_SECONDS = 10.0
"""A server that loses its power has on disk what it took longer ago than this."""
ALL_DONE_SECONDS = 3600.0


class KilledError(BaseException):
    """What the dead are told who still try to reach the outside."""


class DeadlockError(Exception):
    """Everybody waits, and nothing will ever happen."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        super().__init__(_Jump(self))

    @override
    def time(self) -> float:
        return self.seconds


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    @override
    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise DeadlockError
        self._loop.seconds += max(timeout, 0)
        return []


class Machine(FakeQBittorrent):
    """A server without sockets, in the time of the loop."""

    def __init__(self, dialect: Dialect, loop: VirtualLoop, port: int) -> None:
        self._loop = loop
        self.up = True
        self.after: Callable[[Received], object] = lambda received: None
        super().__init__(dialect, port=port, own_port=port)

    @override
    def now(self) -> float:
        return EPOCH + self._loop.time()

    def has(self, number: int) -> None:
        """List a torrent that it has had for long."""
        self.torrents.add([magnets(number)[0].link], _plain())
        torrent = self.torrents.find(info_hash(number))
        assert torrent is not None
        torrent.added_on -= 10_000

    def power_cut(self) -> None:
        """Start again with what was on disk."""
        limit = self.now() - SAVED_SECONDS
        self.torrents.keep_only([one.torrent_id for one in self.torrents if one.added_on <= limit])
        self._begin_process()

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
        self.after = lambda received: None


def _plain() -> Any:
    from tests.fake.torrents import AddOptions

    return AddOptions()


class Life:
    """One process of Home Assistant; it ends before step number `last`, if that is given."""

    def __init__(self, world: World, last: int | None = None, *, watched: bool = False) -> None:
        self.world = world
        self.watched = watched
        self.last = last
        self.steps = 0
        self.dead = False
        self.killed: asyncio.Future[None] = world.loop.create_future()
        self.tasks: list[asyncio.Task[Any]] = []
        self.coros: list[_Steps] = []
        self.states: list[int] = []
        self.paused_at: set[tuple[str, int]] = set()

    def make_task(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        """Make a task of this life, as the loop's task factory."""
        self.coros.append(steps := _Steps(coro, self))
        task = asyncio.Task(steps, loop=loop, **options)
        self.tasks.append(task)
        return task

    def step(self) -> bool:
        """Count a step; tell whether there is one."""
        if not self.dead:
            self.steps += 1
            if self.watched:
                self.states.append(self.world.state())
            if self.steps == self.last:
                self.die()
        return not self.dead

    def die(self) -> None:
        """Stop dead."""
        self.dead = True
        if not self.killed.done():
            self.killed.set_result(None)

    def reach_out(self) -> None:
        """Go on only while alive."""
        if self.dead:
            raise KilledError

    async def bury(self) -> None:
        """Do away with the tasks of the dead; none of their code runs."""
        self.die()
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        for steps in self.coros:
            steps.close()


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine that goes on only while its life lasts."""

    def __init__(self, coro: Coroutine[Any, Any, Any], life: Life) -> None:
        self._coro = coro
        self._life = life

    @override
    def send(self, value: Any) -> Any:
        if not self._life.step():
            raise StopIteration
        return self._paused(self._coro.send(value))

    @override
    def throw(self, *error: Any) -> Any:
        if not self._life.step():
            raise StopIteration
        return self._paused(self._coro.throw(*error))

    @override
    def close(self) -> None:
        self._life.die()
        with contextlib.suppress(BaseException):
            self._coro.close()

    @override
    def __await__(self) -> Any:
        raise NotImplementedError

    def _paused(self, given: Any) -> Any:
        """Note every await that this step ended in."""
        if self._life.watched:
            coro: Any = self._coro
            while (frame := getattr(coro, "cr_frame", None)) is not None:
                self._life.paused_at.add((frame.f_code.co_filename, frame.f_lineno))
                coro = coro.cr_await
        return given


class Books:
    """The store: `world.records` is the disk."""

    def __init__(self, life: Life) -> None:
        self._life = life

    async def load(self) -> Mapping[str, Record]:
        await asyncio.sleep(0)
        self._life.reach_out()
        return dict(self._life.world.records)

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        await asyncio.sleep(0)
        self._life.reach_out()
        self._life.world.write(put, drop)
        await asyncio.sleep(0)


class Network:
    """Stands for the HTTP session of a life."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def request(self, method: str, url: str, **options: Any) -> _Exchange:
        return _Exchange(self._life, method, url, options)


class _Exchange:
    """One request, carried out by a server between two pauses."""

    def __init__(self, life: Life, method: str, url: str, options: dict[str, Any]) -> None:
        self._life = life
        self._method = method
        self._url = urlsplit(url)
        self._options = options
        self._body = b""
        self.status = 0
        self.content_type = ""
        self.cookies = SimpleCookie()

    async def __aenter__(self) -> Self:
        server = self._life.world.by_port[self._url.port or 0]
        await asyncio.sleep(LATENCY)
        self._life.reach_out()
        if not server.up:
            raise aiohttp.ClientConnectorError(cast("Any", None), OSError("refused"))
        received = self._received()
        server.record.requests.append(received)
        fault = server.faults.take(received.endpoint)
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
        self.cookies.load(answer.headers.get("Set-Cookie", ""))
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

    def _received(self) -> Received:
        data = self._options.get("data")
        headers = {"Host": self._url.netloc, **self._options["headers"]}
        if data is not None:
            headers["Content-Type"] = URLENCODED
        received = Received(
            time=self._life.world.loop.time(),
            method=self._method,
            path=self._url.path,
            query=dict(self._options.get("params") or {}),
            headers=headers,
            remote="127.0.0.1",
            remote_port=1,
        )
        received.read(urlencode(data or {}).encode())
        return received

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


class _Vpn:
    """A VPN that is up, and takes a moment to say so."""

    state = VpnState.ON

    async def wait_until_up(self, seconds: float) -> bool:
        await asyncio.sleep(0.5)
        return True


class Home:
    """What a life has: monitors, a courier, its worker, and a poll."""

    def __init__(self, life: Life) -> None:
        self.world = world = life.world
        loop = world.loop
        clock = Clock(now=lambda: EPOCH + loop.time(), monotonic=loop.time, sleep=asyncio.sleep)
        self.clock = clock
        http = cast("aiohttp.ClientSession", Network(life))
        self.monitors = []
        for priority, server in enumerate(world.servers, 1):
            settings = InstanceSettings(
                key=f"key{priority}",
                name=f"Server {priority}",
                url=server.url,
                username=server.settings.username,
                password=server.settings.password,
                priority=priority,
                requires_vpn=server is world.behind_vpn,
            )
            client = Client(Connection(http, settings, clock))
            self.monitors.append(InstanceMonitor(settings, client, clock=clock))
        self.courier = Courier(
            self.monitors,
            cast("VpnMonitor", _Vpn()),
            MagnetQueue(Books(life)),
            expiry_seconds=21 * 86_400,
            clock=clock,
        )

    async def open(self) -> None:
        """Start as the integration does."""
        await self.courier.start()
        await self._check()
        self._worker = asyncio.create_task(self.courier.run())
        self._poller = asyncio.create_task(self._poll())

    async def _check(self) -> None:
        before = [monitor.is_ok for monitor in self.monitors]
        await asyncio.gather(*(monitor.check() for monitor in self.monitors))
        if [one.is_ok for one in self.monitors] != before:
            self.courier.instance_ready()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self._check()

    async def add(self, *numbers: int, **fields: Any) -> list[Outcome]:
        """Add magnets and note which the caller was told about."""
        now = self.clock.now()
        entries = [Entry(magnet=one, queued_at=now, **fields) for one in magnets(*numbers)]
        self.world.unkept |= {one.info_hash for one in entries if not one.keep}
        outcomes = await self.courier.add(entries)
        self.world.told |= {one.magnet.info_hash: one.fate.value for one in outcomes}
        return outcomes

    async def remove(self, stage: Stage, *numbers: int) -> None:
        """Do what the action remove_magnets does."""
        chosen = {one.info_hash: one for one in self._chosen(stage, *numbers)}
        self.world.removing |= chosen.keys()
        for key in chosen:
            self.courier.queue.drop(key)
        await self.courier.queue.commit_or_undo(chosen)

    async def retry_failed(self, *numbers: int) -> None:
        """Do what the action retry_failed does."""
        chosen = {one.info_hash: one for one in self._chosen(Stage.FAILED, *numbers)}
        for entry in chosen.values():
            self.courier.queue.put(entry.again(self.courier.now()))
        await self.courier.queue.commit_or_undo(chosen)
        self.courier.wake()

    def _chosen(self, stage: Stage, *numbers: int) -> list[Entry]:
        wanted = {info_hash(number) for number in numbers}
        return [one for one in self.courier.queue.at(stage) if one.info_hash in wanted]

    async def until_all_is_done(self) -> None:
        """Live until nothing is queued, and nothing is watched any more."""
        end = self.world.loop.time() + ALL_DONE_SECONDS
        under_way = (Stage.QUEUED, Stage.SETTLING, Stage.DISCLAIMED)
        while any(self.courier.queue.count(stage) for stage in under_way):
            assert self.world.loop.time() < end, f"never done: {self.world.records}"
            await asyncio.sleep(5)
        await self.courier.stop()


@dataclass
class World:
    """Two servers and a disk, which outlive Home Assistant."""

    loop: VirtualLoop
    dialect: Dialect
    records: dict[str, Record] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    """Every info-hash that has ever been on the disk, but for what the user removed."""
    told: dict[str, str] = field(default_factory=dict)
    unkept: set[str] = field(default_factory=set)
    """What was given with `queue: false`: failing, it is told to the caller and forgotten."""
    removing: set[str] = field(default_factory=set)
    there_before: dict[str, set[str]] = field(default_factory=dict)
    behind_vpn: Machine | None = None
    only_behind_vpn: set[str] = field(default_factory=set)
    writes: int = 0
    full: bool = False
    primary_was_away: bool = False

    def __post_init__(self) -> None:
        self.primary = Machine(self.dialect, self.loop, 8081)
        self.secondary = Machine(self.dialect, self.loop, 8082)
        self.servers = (self.primary, self.secondary)
        self.by_port = {server.port: server for server in self.servers}

    def write(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Change what is on the disk."""
        if self.full:
            raise StorageError("disk full")
        self.writes += 1
        self.records |= put
        self.written |= put.keys()
        for key in drop:
            self.records.pop(key, None)
            if key in self.removing:
                self.written.discard(key)

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
        told, removing = sorted(self.told.items()), sorted(self.removing)
        return hash(repr((self.records, servers, told, removing, sorted(self.unkept), self.full)))

    def promised(self) -> set[str]:
        """Return the magnets that must be somewhere, as the disk and the callers know now."""
        accepted = self.written | {
            key for key, fate in self.told.items() if fate != "failed" and key not in self.removing
        }
        under_way = {Stage.QUEUED.value, Stage.SETTLING.value}
        return {
            key
            for key in accepted
            if key not in self.unkept
            or self.told.get(key, "failed") != "failed"
            or (key in self.records and self.records[key]["stage"] in under_way)
        }

    def check(self, promised: Collection[str], written: Collection[str]) -> None:
        """Check that each magnet is where it may be, and once."""
        for number in range(1, 20):
            key = info_hash(number)
            places = [f"server {one.port}" for one in self.servers if key in one.hashes]
            if self.behind_vpn is not None and key in self.only_behind_vpn and places:
                assert key in self.behind_vpn.hashes, f"{number} went round the VPN: {places}"
            before = any(key in self._before(server) for server in self.servers)
            if before and self.primary_was_away and key not in self.told:
                continue  # nobody has ever known that the one who is away has it
            assert len(places) <= 1, f"{number} is twice on servers"
            if key in self.records:
                places.append(self.records[key]["stage"])
            if key in promised:
                assert len(places) == 1, f"{number} was accepted and is at {places}"
            elif key not in written and not before:
                assert not places, f"{number} was not accepted and is at {places}"
            assert len(places) <= 1, f"{number} is at {places}"

    def _before(self, server: Machine) -> set[str]:
        return self.there_before.get(server.url, set())


@dataclass(frozen=True)
class Scenario:
    """What happens in the first life, and what is so before it."""

    live: Callable[[Home], Awaitable[object]]
    prepare: Callable[[World], object] = lambda world: None
    a_request: int = 2
    """Magnets in one request, at most."""


type Aftermath = Callable[[World], object]


@dataclass
class Run:
    """What a run had: the state before each of its steps, and the awaits that these ended in."""

    states: list[int]
    writes: int
    requests: int
    paused_at: set[tuple[str, int]]

    def ends(self) -> list[int]:
        """Return the steps, counted from 1, before which something outside has changed, or will.

        A kill at any other differs from these two in nothing that outlives it.
        """
        last = len(self.states) - 1
        return [
            step + 1
            for step, state in enumerate(self.states)
            if step in (0, last) or state != self.states[step - 1] or state != self.states[step + 1]
        ]


def run(scenario: Scenario, dialect: Dialect, aftermath: Aftermath, last: int | None = None) -> Run:
    """Live through a scenario until step `last`, then through a second life, and check."""
    loop = VirtualLoop()
    try:
        with patch.object(client, "ADD_MAGNETS", scenario.a_request):
            return loop.run_until_complete(_run(loop, scenario, dialect, aftermath, last))
    finally:
        loop.set_task_factory(None)
        loop.close()


async def _run(
    loop: VirtualLoop,
    scenario: Scenario,
    dialect: Dialect,
    aftermath: Aftermath,
    last: int | None,
) -> Run:
    world = World(loop, dialect)
    scenario.prepare(world)
    world.there_before = {server.url: set(server.hashes) for server in world.servers}
    life = Life(world, last, watched=last is None)
    await _live(life, scenario.live)
    lived = Run(
        life.states,
        world.writes,
        sum(len(server.requests) for server in world.servers),
        life.paused_at,
    )
    promised, written = world.promised(), set(world.written)
    for server in world.servers:
        server.heal()
    world.full = False
    aftermath(world)
    life = Life(world)
    await _live(life, Home.until_all_is_done)
    world.check(promised, written)
    return lived


async def _live(life: Life, story: Callable[[Home], Awaitable[object]]) -> None:
    """Live through a story, to its end or to that of the life."""

    async def whole() -> None:
        home = Home(life)
        await home.open()
        await story(home)

    loop = life.world.loop
    loop.set_task_factory(cast("Any", life.make_task))
    task = loop.create_task(whole())
    await asyncio.wait([task, life.killed], return_when=asyncio.FIRST_COMPLETED)
    loop.set_task_factory(None)
    if not life.dead:
        task.result()
    await life.bury()


def awaits(module: ModuleType) -> dict[tuple[int, int], str]:
    """Return each place in a module that can wait: its lines and its text."""
    file = getsourcefile(module)
    assert file is not None
    text = Path(file).read_text("utf-8")
    found: dict[tuple[int, int], str] = {}
    for node in ast.walk(ast.parse(text)):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Await):
            parts = [node]
        elif isinstance(node, ast.AsyncWith):
            parts = [item.context_expr for item in node.items]
        elif isinstance(node, ast.AsyncFor):
            parts = [node.iter]
        for part in parts:
            assert part.end_lineno is not None
            found[part.lineno, part.end_lineno] = ast.get_source_segment(text, part) or ""
    return found
