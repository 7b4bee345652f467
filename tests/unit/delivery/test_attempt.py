"""Handing over: only what the server lists is added, and nothing is given up that may be there."""

import asyncio
from collections.abc import Callable, Collection
import contextlib
from contextlib import AbstractAsyncContextManager
from copy import replace
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.delivery.attempt import (
    SOON_SECONDS,
    Attempt,
    Target,
    Verdict,
    attempt_delivery,
    retry_request,
)
from custom_components.qbittorrent_resilient.core.health.error_status import status_of
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    CannotConnectError,
    GateClosedError,
    ServerError,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import info_hash, link
from tests.support.core import Http, Time, TimedServer, magnets
from tests.support.fake import DIALECTS

WORDS = {
    Verdict.ADDED: "added",
    Verdict.ALREADY_PRESENT: "present",
    Verdict.REJECTED: "rejected",
    Verdict.ABSENT: "absent",
    Verdict.SUSPECTED: "absent",
    Verdict.UNCERTAIN: "uncertain",
    Verdict.CRASHED: "absent",
}


class Desk:
    """Hands magnets to one server."""

    def __init__(self, server: TimedServer, http: Http, **fields: Any) -> None:
        self.server = server
        settings = http.settings(
            server, **{key: value for key, value in fields.items() if key != "gate"}
        )
        self.clock = http.time.clock
        self.client = http.client(server, **fields)
        self.monitor = InstanceMonitor(settings, self.client, clock=self.clock)
        self.seen = Incarnation()

    async def process(self) -> Incarnation:
        """Return which process was last seen; none where the server could not be asked."""
        with contextlib.suppress(ServerError):
            self.seen = await self.monitor.current_incarnation()
        return self.seen

    async def give(
        self,
        *numbers: int,
        max_retries: int = 0,
        clock: Clock | None = None,
        taken_back: Collection[str] = (),
        turn: AbstractAsyncContextManager[None] | None = None,
    ) -> Attempt:
        return await attempt_delivery(
            Target(
                self.monitor,
                AddOptions(category="films"),
                turn or contextlib.nullcontext(),
                clock or self.clock,
            ),
            magnets(*numbers),
            incarnation=await self.process(),
            max_retries=max_retries,
            is_wanted=lambda magnet: magnet.info_hash not in taken_back,
        )


def fates(result: Attempt) -> dict[str, set[int]]:
    """Return the numbers of the magnets by fate; empty ones are left out."""
    by_fate: dict[str, set[int]] = {}
    for key, verdict in result.verdicts.items():
        by_fate.setdefault(WORDS[verdict], set()).add(int(key, 16))
    return by_fate


@pytest.fixture
def desk(newest: TimedServer, http: Http) -> Desk:
    """Return the desk of a server where the version does not matter."""
    return Desk(newest, http)


@pytest.fixture
def each(server: TimedServer, http: Http) -> Desk:
    """Return the desk of a server of each version."""
    return Desk(server, http)


async def test_new(each: Desk) -> None:
    result = await each.give(1, 2, 3)
    assert fates(result) == {"added": {1, 2, 3}}
    assert result.error is None
    assert each.server.adds == [[magnet.link for magnet in magnets(1, 2, 3)]]
    assert {torrent.category for torrent in each.server.torrents} == {"films"}


async def test_present(each: Desk) -> None:
    each.server.add(link(1), link(2))
    assert fates(await each.give(1, 2)) == {"present": {1, 2}}


async def test_present_as_hybrid(each: Desk, time: Time) -> None:
    """The server refuses it, and lists it under another id."""
    each.server.add(link(1))
    each.server.become_hybrid(info_hash(1), "ab" * 32)
    started = time.seconds
    assert fates(await each.give(1)) == {"present": {1}}
    assert time.seconds - started < 2


async def test_mixed(each: Desk) -> None:
    """The answer does not say which is new; none is lost, none refused."""
    each.server.add(link(1))
    assert fates(await each.give(1, 2)) == {"added": {1, 2}}


async def test_never_listed(each: Desk, time: Time) -> None:
    """It says yes to both, and lists one."""
    each.server.torrents.never_listed = {info_hash(2)}
    started = time.seconds
    result = await each.give(1, 2, max_retries=3)
    assert fates(result) == {"added": {1}, "rejected": {2}}
    assert time.seconds - started >= 5
    assert len(each.server.adds) == 1
    assert result.error is None


async def test_refused_and_not_listed(each: Desk, time: Time) -> None:
    no = (409, "Conflict") if each.server.dialect.counts_adds else (200, "Fails.")
    each.server.faults.answer(*no, endpoint="torrents/add")
    started = time.seconds
    assert fates(await each.give(1, max_retries=3)) == {"rejected": {1}}
    assert 1 <= time.seconds - started < 5


@pytest.mark.parametrize(
    ("delay", "fate"), [(0.01, "added"), (0.3, "added"), (4.9, "added"), (5.5, "rejected")]
)
async def test_listed_late(each: Desk, time: Time, delay: float, fate: str) -> None:
    each.server.torrents.list_delay = delay
    assert fates(await each.give(1, 2)) == {fate: {1, 2}}


@pytest.mark.parametrize(
    ("dialect", "access"),
    [
        (one, access)
        for one in DIALECTS
        for access in ("password", "bypass", "api key")
        if one.api_key or access != "api key"
    ],
    ids=lambda one: one if isinstance(one, str) else one.label,
)
@pytest.mark.parametrize("max_retries", [0, 1])
async def test_restart_before_it_is_listed(
    server: TimedServer, http: Http, time: Time, access: str, max_retries: int
) -> None:
    """What the server lost is not `rejected`: it is given again."""
    fields = {"api_key": server.new_api_key()} if access == "api key" else {}
    server.settings.local_host_auth = access != "bypass"
    server.torrents.list_delay = 0.5
    restarts = 0
    time.seconds += 60

    async def sleep(seconds: float) -> None:
        nonlocal restarts
        if not restarts:
            restarts += 1
            await server.restart(keep="none", down=0)
        await time.sleep(seconds)

    desk = Desk(server, http, **fields)
    result = await desk.give(1, max_retries=max_retries, clock=replace(time.clock, sleep=sleep))
    assert restarts == 1
    assert fates(result) == {"added" if max_retries else "absent": {1}}
    assert len(server.adds) == 1 + max_retries


async def test_session_lost_before_it_is_listed(desk: Desk) -> None:
    """What the server has listed by then is added; a log-in alone does not make a second add."""
    desk.server.torrents.list_delay = 0.5
    desk.server.faults.answer(403, "Forbidden", endpoint="torrents/info", times=1)
    assert fates(await desk.give(1)) == {"added": {1}}
    assert len(desk.server.adds) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("kind", ["cut", "hang", "502", "page", "huge"])
async def test_lost_answer(desk: Desk, kind: str, executed: bool) -> None:
    """The server is asked before it is told again."""
    faults = desk.server.faults
    match kind:
        case "cut":
            faults.cut("torrents/add", times=1, after=executed)
        case "hang":
            faults.hang("torrents/add", times=1, after=executed)
        case "502":
            faults.answer(502, "<p>", "text/html", "torrents/add", times=1, after=executed)
        case "page":
            faults.answer(200, "<p>", "text/html", "torrents/add", times=1, after=executed)
        case "huge":
            body = "x" * 9_999_999
            faults.answer(200, body, endpoint="torrents/add", times=1, after=executed)
    result = await desk.give(1, 2, max_retries=1)
    assert fates(result) == {"added": {1, 2}}
    assert len(desk.server.adds) == (1 if executed else 2)
    assert executed or result.error is None
    faults.clear()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "silence",
    [
        lambda server: server.faults.cut("torrents/info"),
        lambda server: server.faults.hang("torrents/info"),
        lambda server: server.faults.login_page("torrents/info"),
        lambda server: server.faults.answer(200, "{}", "application/json", "torrents/info"),
        lambda server: server.faults.answer(
            200, '[{"name":"Torrent 1"}]', "application/json", "torrents/info"
        ),
    ],
    ids=["cut", "hang", "page", "json", "no hashes"],
)
@pytest.mark.parametrize("answered", [True, False])
async def test_cannot_be_asked(
    desk: Desk, silence: Callable[[TimedServer], object], answered: bool
) -> None:
    """Whatever it said, it may have them; nobody else gets them now, and it no second time."""
    if not answered:
        desk.server.faults.cut("torrents/add", times=1, after=True)
    silence(desk.server)
    result = await desk.give(1, 2, max_retries=3)
    assert fates(result) == {"uncertain": {1, 2}}
    assert result.error is not None
    assert len(desk.server.adds) == 1
    desk.server.faults.clear()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["cut", "hang"])
async def test_lost_before_the_add(newest: TimedServer, http: Http, kind: str) -> None:
    """Nothing was handed over, so nothing is uncertain."""
    desk = Desk(newest, http, api_key=newest.new_api_key())
    await desk.process()
    desk.server.faults.answer(404, endpoint="torrents/add", times=1)
    getattr(desk.server.faults, kind)("app/processInfo")
    assert fates(await desk.give(1, max_retries=1)) == {"absent": {1}}
    assert not desk.server.hashes
    desk.server.faults.clear()
    assert fates(await desk.give(1)) == {"added": {1}}


@pytest.mark.usefixtures("impatient")
async def test_frozen(desk: Desk) -> None:
    """What was sent to a frozen server is executed when it wakes up."""
    await desk.client.open()
    await desk.client.launch_time()
    hang = desk.server.faults.hang("torrents/add", after=True)
    desk.server.faults.hang("torrents/info")
    result = await desk.give(1, max_retries=3)
    assert fates(result) == {"uncertain": {1}}
    assert result.error is not None
    assert status_of(result.error) is InstanceStatus.TIMEOUT
    assert hang.hits == 1
    assert await desk.monitor.check() is not InstanceStatus.TIMEOUT
    desk.server.faults.clear()
    assert await desk.client.find(magnets(1)) == {info_hash(1)}


@pytest.mark.parametrize("max_retries", [0, 3, 10])
async def test_unreachable(desk: Desk, time: Time, max_retries: int) -> None:
    """It is tried as often as wanted, with growing pauses, and then known not to have it."""
    await desk.server.refuse()
    result = await desk.give(1, max_retries=max_retries)
    assert fates(result) == {"absent": {1}}
    assert result.error is not None
    assert status_of(result.error) is desk.monitor.status is InstanceStatus.UNREACHABLE
    expected = [min(0.5 * 2**number, 5) for number in range(max_retries)]
    assert len(time.slept) == max_retries
    for pause, nominal in zip(time.slept, expected, strict=True):
        assert 0.8 * nominal <= pause <= 1.2 * nominal


async def test_back_in_time(desk: Desk, time: Time) -> None:
    await desk.server.refuse()

    async def sleep(seconds: float) -> None:
        await desk.server.listen()
        await time.sleep(seconds)

    result = await desk.give(1, max_retries=3, clock=replace(time.clock, sleep=sleep))
    assert fates(result) == {"added": {1}}
    assert result.error is None
    assert desk.monitor.status is None


@pytest.mark.parametrize(
    ("status", "text", "tries", "fate"),
    [
        (400, "Bad Request", 3, "absent"),
        (404, "Not Found", 3, "absent"),
        (500, "", 3, "absent"),
        (504, "", 3, "absent"),
        (401, "Unauthorized", 1, "absent"),
    ],
)
async def test_odd_answer_to_every_add(
    desk: Desk, status: int, text: str, tries: int, fate: str
) -> None:
    """An odd answer is no verdict on the instance; a clear one is."""
    desk.server.faults.answer(status, text, endpoint="torrents/add")
    result = await desk.give(1, max_retries=2)
    assert fates(result) == {fate: {1}}
    assert len(desk.server.adds) == tries
    assert result.error is not None
    expected = InstanceStatus.HOST_REJECTED if status == 401 else None
    assert desk.monitor.status is expected


async def test_password_changed(desk: Desk, time: Time) -> None:
    """That does not pass: no second try."""
    await desk.client.open()
    desk.server.settings.password = "changed"
    desk.server.expire_sessions()
    assert fates(await desk.give(1, max_retries=3)) == {"absent": {1}}
    assert desk.monitor.status is InstanceStatus.AUTH_FAILED
    assert time.slept == []
    assert len(desk.server.logins) == 2


@pytest.mark.parametrize(
    ("closes_at", "fate"), [("torrents/add", "absent"), ("torrents/info", "uncertain")]
)
async def test_vpn_goes_down(newest: TimedServer, http: Http, closes_at: str, fate: str) -> None:
    """Nothing is sent any more; what was sent before may be there."""
    asked = 0  # for magnets: before connecting, and before the first byte

    async def gate(content: Content) -> None:
        nonlocal asked
        is_add = content is Content.MAGNETS
        asked += is_add
        if (asked and closes_at == "torrents/add") or (asked == 2 and not is_add):
            raise GateClosedError("closed")

    desk = Desk(newest, http, gate=gate)
    assert fates(await desk.give(1, max_retries=3)) == {fate: {1}}
    assert desk.monitor.status is InstanceStatus.VPN_DOWN
    assert len(newest.adds) == (fate == "uncertain")
    assert newest.requests_to("torrents/info") == []


@pytest.mark.parametrize("waits_at", ["before connecting", "when connected", "its turn"])
@pytest.mark.parametrize("taken_back", [{1}, {1, 2, 3}])
async def test_taken_back_while_it_waits(
    newest: TimedServer, http: Http, waits_at: str, taken_back: set[int]
) -> None:
    """What the user removes while the gate, or another request, holds it up is not sent."""
    unwanted: set[str] = set()
    asked = 0

    async def gate(content: Content) -> None:
        nonlocal asked
        asked += content is Content.MAGNETS
        if content is Content.MAGNETS and asked == 1 + (waits_at == "when connected"):
            unwanted.update(map(info_hash, taken_back))

    desk = Desk(newest, http, gate=gate if waits_at != "its turn" else None)

    class Turn(contextlib.nullcontext[None]):
        async def __aenter__(self) -> None:
            if waits_at == "its turn":
                unwanted.update(map(info_hash, taken_back))

    result = await desk.give(1, 2, 3, taken_back=unwanted, turn=Turn())
    left = {1, 2, 3} - taken_back
    assert fates(result) == ({"added": left} if left else {})
    assert newest.hashes == {info_hash(number) for number in left}
    assert result.error is None


async def test_busy_server_answers_others(desk: Desk) -> None:
    """Two requests of different magnets do not disturb each other."""
    results = await asyncio.gather(desk.give(1, 2), desk.give(3))
    assert [fates(one) for one in results] == [{"added": {1, 2}}, {"added": {3}}]


async def test_look_that_fails_for_good_is_given_up_soon(each: Desk, time: Time) -> None:
    """As behind a proxy that accepts connections for a server that is down."""
    tries = 0

    async def ask() -> None:
        nonlocal tries
        tries += 1
        raise CannotConnectError("cut", maybe_done=True)

    started = time.seconds
    with pytest.raises(ServerError):
        await retry_request(ask, 3, each.clock, SOON_SECONDS)
    assert tries == 4
    assert time.seconds - started <= 0.1
