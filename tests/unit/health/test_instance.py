"""The health of an instance: one word for what its answers, its own words and its log add up to."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from custom_components.qbittorrent_resilient.core.health.condition import VpnCondition
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from custom_components.qbittorrent_resilient.core.qbittorrent import Client
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    CannotConnectError,
    GateClosedError,
    LoginError,
    ProtocolError,
    ServerError,
    TimedOutError,
)
from tests.support.core import Http, Time, TimedServer
from tests.support.fake import DIALECTS, V5_3, FakeQBittorrent

type Act = Callable[[FakeQBittorrent], object]


def watch(server: TimedServer, http: Http, **fields: str) -> InstanceMonitor:
    client = http.client(server, **fields)
    return InstanceMonitor(http.settings(server, **fields), client, clock=http.time.clock)


@pytest.fixture
async def monitor(newest: TimedServer, http: Http) -> AsyncGenerator[InstanceMonitor]:
    """Return the monitor of a server where the version does not matter."""
    yield (monitor := watch(newest, http))
    monitor.close()


@pytest.mark.parametrize("status", ["connected", "firewalled"])
async def test_ok(server: TimedServer, http: Http, status: str) -> None:
    monitor = watch(server, http)
    heard: list[InstanceStatus | None] = []
    monitor.subscribe(heard.append)
    server.connection_status = status
    assert (monitor.status, monitor.is_ok) == (None, False)
    assert await monitor.check() == "ok"
    assert (monitor.status, monitor.is_ok, monitor.in_doubt) == ("ok", True, False)
    assert heard == ["ok"]


@pytest.mark.parametrize(
    ("act", "undo", "status"),
    [
        (lambda one: one.faults.cut(), lambda one: one.faults.clear(), "unreachable"),
        (lambda one: one.faults.login_page(), lambda one: one.faults.clear(), "error"),
        (lambda one: one.faults.answer(500), lambda one: one.faults.clear(), "error"),
        (
            lambda one: setattr(one.settings, "own_port", 1),
            lambda one: setattr(one.settings, "own_port", one.port),
            "ok",
        ),
        (
            lambda one: setattr(one, "connection_status", "disconnected"),
            lambda one: setattr(one, "connection_status", "connected"),
            "disconnected",
        ),
    ],
    ids=["cut", "page", "500", "port", "disconnected"],
)
async def test_definite_answer_counts_at_once(
    monitor: InstanceMonitor, newest: TimedServer, time: Time, act: Act, undo: Act, status: str
) -> None:
    """And recovery at the first good one."""
    time.seconds += 60
    assert await monitor.check() == "ok"
    act(newest)
    newest.expire_sessions()
    time.seconds += 60
    await monitor.check()
    time.seconds += 60
    assert await monitor.check() == status
    undo(newest)
    assert await monitor.check() == "ok"


async def test_refused_connection(monitor: InstanceMonitor, newest: TimedServer) -> None:
    await newest.refuse()
    assert await monitor.check() == "unreachable"
    await newest.listen()
    assert await monitor.check() == "ok"


async def test_auth_failed(newest: TimedServer, http: Http) -> None:
    monitor = watch(newest, http, password="wrong")
    for _ in range(3):
        assert await monitor.check() == "auth_failed"
    assert len(newest.logins) == 1


async def test_banned(monitor: InstanceMonitor, newest: TimedServer, time: Time) -> None:
    newest.ban()
    assert await monitor.check() == "banned"
    newest.clear_bans()
    assert await monitor.check() == "banned"
    time.seconds += 300
    assert await monitor.check() == "ok"


@pytest.mark.usefixtures("impatient")
async def test_one_timeout_is_no_verdict(monitor: InstanceMonitor, newest: TimedServer) -> None:
    assert await monitor.check() == "ok"
    for verdicts in (["ok", "timeout", "timeout"], ["ok", "timeout"]):
        newest.faults.hang("transfer/info")
        for number, verdict in enumerate(verdicts):
            assert await monitor.check() == verdict
            assert monitor.in_doubt is (number == 0)
        newest.faults.clear()
        assert await monitor.check() == "ok"
        assert not monitor.in_doubt


@pytest.mark.usefixtures("impatient")
async def test_good_answer_between_timeouts(monitor: InstanceMonitor, newest: TimedServer) -> None:
    await monitor.check()
    for _ in range(3):
        newest.faults.hang("transfer/info", times=1)
        assert await monitor.check() == "ok"
        assert await monitor.check() == "ok"
    newest.faults.clear()


@pytest.mark.usefixtures("impatient")
async def test_first_check_times_out(monitor: InstanceMonitor, newest: TimedServer) -> None:
    newest.faults.hang("transfer/info")
    assert await monitor.check() is None
    assert monitor.in_doubt
    assert await monitor.check() == "timeout"
    newest.faults.clear()


@pytest.mark.parametrize(
    ("met", "verdicts"),
    [
        (TimedOutError, ["ok", "timeout", "timeout"]),
        (CannotConnectError, ["unreachable"]),
        (LoginError, ["auth_failed"]),
        (GateClosedError, ["vpn_down"]),
        (ProtocolError, ["ok", "ok"]),
    ],
)
async def test_met_by_a_delivery(
    monitor: InstanceMonitor, met: type[ServerError], verdicts: list[str]
) -> None:
    """An odd answer to one request is no verdict; what a check finds is."""
    await monitor.check()
    for verdict in verdicts:
        monitor.report_failure(met())
        assert monitor.status == verdict
    assert await monitor.check() == "ok"


async def test_checks_are_shared(monitor: InstanceMonitor, newest: TimedServer) -> None:
    given_up, *waiting = [asyncio.create_task(monitor.check()) for _ in range(5)]
    await asyncio.sleep(0)
    given_up.cancel()
    assert set(await asyncio.gather(*waiting)) == {InstanceStatus.OK}
    assert len(newest.requests_to("transfer/info")) == 1


async def test_closed(monitor: InstanceMonitor, newest: TimedServer) -> None:
    newest.faults.hang()
    monitor.close()
    waiting = asyncio.create_task(monitor.check())
    while not newest.requests:
        await asyncio.sleep(0)
    monitor.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert monitor.status is None
    newest.faults.clear()


@pytest.mark.parametrize(
    ("dialect", "by_key"),
    [(one, by_key) for one in DIALECTS for by_key in (False, True) if one.api_key or not by_key],
)
async def test_disconnected_after_a_start(
    server: TimedServer, http: Http, time: Time, by_key: bool
) -> None:
    """A process says so in its first seconds; 30 s after its start it counts."""
    monitor = watch(server, http, api_key=server.new_api_key() if by_key else "")
    time.seconds += 3600
    assert await monitor.check() == "ok"
    await server.restart()
    server.connection_status = "disconnected"
    for after, verdict in ((1, "ok"), (28, "ok"), (2, "disconnected"), (600, "disconnected")):
        time.seconds += after
        assert await monitor.check() == verdict
    await server.restart()
    time.seconds += 1
    await monitor.check()
    server.connection_status = "connected"
    assert await monitor.check() == "ok"
    time.seconds += 60
    server.connection_status = "disconnected"
    assert await monitor.check() == "disconnected"


async def test_disconnected_at_first_sight(server: TimedServer, http: Http, time: Time) -> None:
    """Its age is told by 5.3, and by the log of the older ones."""
    await server.restart()
    server.connection_status = "disconnected"
    time.seconds += 5
    assert await watch(server, http).check() == "ok"
    time.seconds += 30
    assert await watch(server, http).check() == "disconnected"


@pytest.mark.parametrize("age", [-3600, None])
async def test_disconnected_of_unknown_age(
    server: TimedServer, http: Http, time: Time, age: int | None
) -> None:
    """A clock that is wrong, or a log whose first messages are gone, tells no age."""
    server.connection_status = "disconnected"
    if age is None:
        server.faults.answer(404, endpoint="app/processInfo")
        for number in range(20_000):
            server.log(f"Message {number}", 1)
    else:
        time.seconds += age
    assert await watch(server, http).check() == "disconnected"


async def test_disconnected_is_not_asked_about_again(
    monitor: InstanceMonitor, newest: TimedServer, time: Time
) -> None:
    """Two requests a check."""
    newest.connection_status = "disconnected"
    time.seconds += 60
    await monitor.check()
    newest.record.clear()
    for _ in range(3):
        assert await monitor.check() == "disconnected"
    assert len(newest.requests) == 6


async def test_not_saving(server: TimedServer, http: Http, time: Time) -> None:
    """It counts for ten minutes after the last failed save."""
    monitor = watch(server, http)
    assert await monitor.check() == "ok"
    server.say_not_saving()
    assert await monitor.check() == "not_saving"
    time.seconds += 599
    assert await monitor.check() == "not_saving"
    server.say_not_saving()
    time.seconds += 1
    assert await monitor.check() == "not_saving"
    assert monitor.save_failed_wall == time.seconds
    time.seconds += 599
    assert await monitor.check() == "not_saving"
    time.seconds += 1
    assert await monitor.check() == "ok"


@pytest.mark.parametrize(("age", "status"), [(3600, "not_saving"), (90_000, "ok")])
async def test_not_saving_at_first_sight(
    server: TimedServer, http: Http, time: Time, age: float, status: str
) -> None:
    """What was logged long ago says nothing about now."""
    server.say_not_saving()
    time.seconds += age
    assert await watch(server, http).check() == status


async def test_old_log_is_read_again(
    monitor: InstanceMonitor, newest: TimedServer, time: Time
) -> None:
    """A new session begins with the whole log: what is old in it stays old."""
    newest.say_not_saving()
    time.seconds += 200_000
    assert await monitor.check() == "ok"
    newest.expire_sessions()
    assert await monitor.check() == "ok"
    assert monitor.client.renewals == 1


async def test_not_saving_ends_with_the_process(
    server: TimedServer, http: Http, time: Time
) -> None:
    monitor = watch(server, http)
    server.say_not_saving()
    assert await monitor.check() == "not_saving"
    time.seconds += 60
    await server.restart()
    assert await monitor.check() == "ok"
    server.say_not_saving()
    assert await monitor.check() == "not_saving"


@pytest.mark.parametrize("kind", [1, 2, 4, 8])
async def test_other_log_messages(monitor: InstanceMonitor, newest: TimedServer, kind: int) -> None:
    newest.log("Something else", kind)
    assert await monitor.check() == "ok"


async def test_vpn_condition(newest: TimedServer, http: Http, time: Time) -> None:
    """Down while the VPN is not up, whatever it answered, and not contacted."""
    up = True

    async def ping(target: str) -> Echoes:
        return Echoes(3, (1.0,) if up else ())

    vpn = VpnMonitor(["far"], ping, failures_before_down=1, successes_before_up=1, clock=time.clock)
    condition = VpnCondition([vpn], clock=time.clock)
    client = Client(http.connection(newest, gate=condition.gate))
    monitor = InstanceMonitor(http.settings(newest), client, vpn=condition, clock=time.clock)
    assert monitor.status == "vpn_down"
    assert await monitor.check() == "vpn_down"
    assert newest.requests == []
    await vpn.round()
    assert await monitor.check() == "ok"
    up = False
    await vpn.round()
    assert (monitor.status, monitor.is_ok) == ("vpn_down", False)
    up = True
    await vpn.round()
    assert monitor.status == "vpn_down"  # what was known before says nothing any more
    assert await monitor.check() == "ok"


async def test_restart_is_one_check(http: Http, time: Time) -> None:
    """Killed and back between two checks: nothing shows, nobody is bothered."""
    async with TimedServer(V5_3, time) as server:
        monitor = watch(server, http)
        assert await monitor.check() == "ok"
        await server.restart()
        assert await monitor.check() == "ok"
        assert len(server.logins) == 2
