"""The wall clock is set while we run: nothing expires, and nothing goes on to a second server."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from copy import replace

import pytest

from custom_components.qbittorrent_resilient.core.clock import ClockStep, ClockWatch
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.outbox.crash import Crash
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from tests.support.common import info_hash, work_once
from tests.support.core import Http, Time, TimedServer, TwoClocks, magnets
from tests.support.fake.record import Received
from tests.support.home import Home, ServerHome

KEY = "key"
YEAR = 365 * 86_400.0
SETS = [3600.0, -3600.0, 20 * YEAR, -20 * YEAR]


@pytest.fixture
def time() -> Time:
    """Return time with a wall clock that can be set."""
    return TwoClocks()


@pytest.fixture
def clocks(time: Time) -> TwoClocks:
    """Return the same, by its kind."""
    assert isinstance(time, TwoClocks)
    return time


@pytest.fixture
async def home(newest: TimedServer, http: Http) -> ServerHome:
    """Return the home of a server that has been ok, and cannot be reached now."""
    home = ServerHome(newest, http)
    await home.monitor.check()
    return home


@pytest.mark.parametrize("by", SETS)
def test_told_once(clocks: TwoClocks, by: float) -> None:
    began = clocks.seconds
    watch = ClockWatch(clocks.clock)
    clocks.seconds += 100
    assert watch.step() is None
    clocks.seconds += 50
    clocks.set_by += by
    jump = watch.step()
    assert jump == ClockStep(by, began, began + 150)
    assert watch.step() is None
    clocks.seconds += 10
    clocks.set_by -= by
    assert watch.step() == ClockStep(-by, began + by, began + 160 + by)


def test_steering_is_no_jump(clocks: TwoClocks) -> None:
    watch = ClockWatch(clocks.clock)
    for _ in range(1000):
        clocks.seconds += 10
        clocks.set_by += 0.1
        assert watch.step() is None


@pytest.mark.parametrize("by", SETS)
async def test_nothing_expires(home: ServerHome, clocks: TwoClocks, by: float) -> None:
    await home.server.refuse()
    await home.dispatcher.add(home.jobs(1))
    clocks.set_by += by
    await work_once(home.dispatcher)
    assert home.queued == [info_hash(1)]
    (job,) = home.dispatcher.jobs(Stage.QUEUED)
    assert abs(job.queued_at - clocks.clock.now()) < 60
    clocks.seconds += 20 * 86_400
    await work_once(home.dispatcher)
    assert home.queued == [info_hash(1)]
    clocks.seconds += 2 * 86_400
    await work_once(home.dispatcher)
    assert [one.reason for one in home.dispatcher.jobs(Stage.FAILED)] == ["expired"]


async def test_given_right_after_it_was_set_back(home: ServerHome, clocks: TwoClocks) -> None:
    """That is right already, though it lies where wrong times were taken before."""
    await home.server.refuse()
    clocks.seconds += 7200
    clocks.set_by -= 3600
    (given,) = home.jobs(1)
    await home.dispatcher.add([replace(given, queued_at=home.dispatcher.now())])
    await work_once(home.dispatcher)
    (job,) = home.dispatcher.jobs(Stage.QUEUED)
    assert abs(job.queued_at - clocks.clock.now()) < 60


@pytest.mark.parametrize("by", SETS)
async def test_what_is_uncertain_waits_its_time(
    home: ServerHome, http: Http, clocks: TwoClocks, by: float
) -> None:
    """15 minutes by the steady clock, neither less nor years more."""
    async with TimedServer(home.server.dialect, clocks) as second:
        settings = replace(http.settings(second), key="second", priority=2)
        other = InstanceMonitor(settings, http.client(second), clock=clocks.clock)
        home.monitors.append(other)
        dispatcher = home.new_dispatcher()
        await other.check()
        await home.server.refuse()
        await home.monitor.check()
        (job,) = home.jobs(1)
        await dispatcher._outbox.accept([job.with_intent(KEY, clocks.clock.now())])
        clocks.set_by += by
        for _ in range(14):
            clocks.seconds += 60
            await work_once(dispatcher)
        assert not second.adds
        clocks.seconds += 70
        await work_once(dispatcher)
        assert second.hashes == {info_hash(1)}


class SlowVpn:
    """A VPN that is waited for; `meanwhile` happens during that."""

    state = VpnState.OFF

    def __init__(self) -> None:
        self.meanwhile: Callable[[], Awaitable[object]] = asyncio.Event().wait

    async def wait_until_up(self, seconds: float) -> bool:
        await asyncio.sleep(0.1)  # what is written meanwhile is on disk long before
        await self.meanwhile()
        return True


@pytest.fixture
async def waiting(
    newest: TimedServer, http: Http, clocks: TwoClocks
) -> AsyncGenerator[tuple[Home, SlowVpn, TimedServer]]:
    """Return the home of two servers: the first is down, and may have got magnet 1."""
    async with TimedServer(newest.dialect, clocks) as second:
        monitors = []
        for priority, server in enumerate((newest, second), 1):
            settings = replace(
                http.settings(server),
                key=f"key{priority}",
                priority=priority,
                requires_vpn=server is newest,
            )
            monitor = InstanceMonitor(settings, http.client(server), clock=clocks.clock)
            await monitor.check()
            monitors.append(monitor)
        await newest.refuse()
        await monitors[0].check()
        home = Home(monitors, clocks.clock, vpn=(vpn := SlowVpn()))
        (job,) = home.jobs(1)
        await home.dispatcher._outbox.accept([job.with_intent("key1", clocks.clock.now())])
        yield home, vpn, second
        await home.dispatcher.stop()


async def test_clock_is_set_back_while_a_call_waits_for_the_vpn(
    waiting: tuple[Home, SlowVpn, TimedServer], clocks: TwoClocks
) -> None:
    """Whether the 15 minutes are over is seen by one clock, the one that is right by then."""
    home, vpn, second = waiting
    clocks.seconds += 60

    async def meanwhile() -> None:
        clocks.set_by -= 3600
        await home.dispatcher._worker.drain()

    vpn.meanwhile = meanwhile
    (outcome,) = await home.dispatcher.add(home.jobs(1), wait_for_vpn=600)
    assert outcome.reason == "uncertain"
    assert not second.adds


async def test_fifteen_minutes_are_over_when_the_vpn_was_waited_for(
    waiting: tuple[Home, SlowVpn, TimedServer], clocks: TwoClocks
) -> None:
    home, vpn, second = waiting
    clocks.seconds += 500

    async def meanwhile() -> None:
        clocks.seconds += 590

    vpn.meanwhile = meanwhile
    (outcome,) = await home.dispatcher.add(home.jobs(1), wait_for_vpn=600)
    assert outcome.fate == "added"
    assert second.hashes == {info_hash(1)}


@pytest.mark.parametrize("by", SETS)
async def test_a_delivery_keeps_its_minute(home: ServerHome, clocks: TwoClocks, by: float) -> None:
    await home.dispatcher.add(home.jobs(1))
    clocks.seconds += 20
    clocks.set_by += by
    await work_once(home.dispatcher)
    assert home.store.records
    clocks.seconds += 30
    await work_once(home.dispatcher)
    assert home.store.records
    clocks.seconds += 15
    await work_once(home.dispatcher)
    assert not home.store.records


async def test_started_with_a_clock_that_is_behind(home: ServerHome, clocks: TwoClocks) -> None:
    """The times of an earlier life are right, and are left alone when the clock is, too."""
    await home.server.refuse()
    await home.monitor.check()
    right = clocks.clock.now() - 5 * 60
    earlier, later = home.jobs(1, 2)
    home.write(replace(earlier, queued_at=right))
    clocks.set_by = -30 * YEAR
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    await dispatcher._outbox.accept([replace(later, queued_at=clocks.clock.now())])
    clocks.set_by = 0.0
    await work_once(dispatcher)
    queued = {one.info_hash: one.queued_at for one in dispatcher.jobs(Stage.QUEUED)}
    assert queued[info_hash(1)] == right
    assert abs(queued[info_hash(2)] - clocks.clock.now()) < 60


async def test_given_in_a_time_to_come(home: ServerHome, clocks: TwoClocks) -> None:
    """An earlier life's clock was ahead: what it queued does not wait behind all others for long.

    In the first hour, it may be our own clock that is behind.
    """
    await home.server.refuse()
    await home.monitor.check()
    (ahead,) = home.jobs(1)
    to_come = clocks.clock.now() + YEAR
    home.write(replace(ahead, queued_at=to_come, last_attempt=to_come))
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    clocks.seconds += 3500
    await work_once(dispatcher)
    assert home.store.records[info_hash(1)]["queued_at"] == to_come
    clocks.seconds += 200
    await work_once(dispatcher)
    assert home.store.records[info_hash(1)]["queued_at"] == clocks.clock.now()
    assert home.store.records[info_hash(1)]["last_attempt"] == clocks.clock.now()
    clocks.seconds += 22 * 86_400
    await work_once(dispatcher)
    assert home.queued == []


async def test_given_by_an_earlier_life_before_the_clock_is_set_back(
    home: ServerHome, clocks: TwoClocks
) -> None:
    await home.server.refuse()
    await home.monitor.check()
    waits, failed = home.jobs(1, 2)
    home.write(waits, failed.failed_with("rejected", clocks.clock.now()))
    clocks.seconds += 10
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    clocks.set_by -= YEAR
    await work_once(dispatcher)
    (waits,), (failed,) = dispatcher.jobs(Stage.QUEUED), dispatcher.jobs(Stage.FAILED)
    assert (waits.queued_at, failed.failed_at) == (clocks.clock.now(), clocks.clock.now())


async def test_sent_in_a_time_to_come(home: ServerHome, clocks: TwoClocks) -> None:
    """An earlier life's clock was years ahead: the wait begins anew, and ends."""
    await home.server.refuse()
    await home.monitor.check()
    (job,) = home.jobs(1)
    home.write(job.with_intent(KEY, clocks.clock.now() + 10 * YEAR))
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    (job,) = dispatcher.jobs(Stage.QUEUED)
    assert job.sent_at == clocks.clock.now()


async def test_sent_by_an_earlier_life_before_the_clock_is_set_back(
    home: ServerHome, clocks: TwoClocks
) -> None:
    """What it may have got, and what it went down after, waits no longer than usual."""
    await home.server.refuse()
    await home.monitor.check()
    sent, crashing = home.jobs(1, 2)
    before = clocks.clock.now() - 60
    home.write(sent.with_intent(KEY, before))
    home.write(replace(crashing, crash=Crash(KEY, before, alone=True, crashes=1)))
    dispatcher = home.new_dispatcher()
    await dispatcher.start()
    clocks.seconds += 10
    clocks.set_by -= YEAR
    await work_once(dispatcher)
    sent, crashing = dispatcher.jobs(Stage.QUEUED)
    assert sent.sent_at == clocks.clock.now()
    assert crashing.crash is not None
    assert crashing.crash.at == clocks.clock.now()


async def test_backoff_follows(home: ServerHome, clocks: TwoClocks) -> None:
    home.server.faults.answer(500, "no", endpoint="torrents/add", times=1)
    await home.dispatcher.add(home.jobs(1, max_retries=0))
    await work_once(home.dispatcher)
    clocks.set_by -= YEAR
    for _ in range(4):
        clocks.seconds += 10
        await work_once(home.dispatcher)
    assert home.server.hashes == {info_hash(1)}


@pytest.mark.parametrize("by", [YEAR, -YEAR])
async def test_backoff_after_a_try_during_which_the_clock_is_set(
    home: ServerHome, clocks: TwoClocks, by: float
) -> None:
    """Its wait is counted from the new time, and is not moved as well."""
    home.server.faults.answer(500, "no", endpoint="torrents/add", times=2)
    await home.dispatcher.add(home.jobs(1, max_retries=0))

    def set_clock(received: Received) -> None:
        clocks.set_by, home.server.on_request = by, lambda received: None

    home.server.on_request = set_clock
    for _ in range(4):
        await work_once(home.dispatcher)
        clocks.seconds += 25
    assert home.server.hashes == {info_hash(1)}


def test_only_what_the_wrong_clock_told_is_moved() -> None:
    job = Job(magnet=magnets(1)[0], queued_at=100.0, sent_at=250.0, last_attempt=400.0)
    moved = job.with_times_shifted(1000.0, 200.0, 300.0)
    assert (moved.queued_at, moved.sent_at, moved.last_attempt) == (100.0, 1250.0, 400.0)
    assert job.with_times_shifted(1000.0, 500.0, 600.0) is job


async def test_a_failed_save_stays_later_than_what_it_lost(
    home: ServerHome, clocks: TwoClocks
) -> None:
    """Else a server that cannot save would look as if it had saved what it was given before."""
    await home.dispatcher.add(home.jobs(1))
    clocks.seconds += 1
    home.monitor.save_failed_wall = clocks.clock.now()
    clocks.set_by += YEAR
    await work_once(home.dispatcher)
    (job,) = home.dispatcher.jobs(Stage.SETTLING)
    assert 0 < home.monitor.save_failed_wall - job.sent_at < 60
    clocks.seconds += 100
    await work_once(home.dispatcher)
    assert home.store.records


async def test_set_back_while_something_is_delivered(home: ServerHome, clocks: TwoClocks) -> None:
    """The time of the delivery is the new one already: moved once more, it would seem saved."""
    await work_once(home.dispatcher)
    clocks.seconds += 7200

    def set_clock(received: Received) -> None:
        if received.endpoint == "torrents/add":
            clocks.set_by = -3600.0

    home.server.on_request = set_clock
    await home.dispatcher.add(home.jobs(1))
    clocks.seconds += 5
    await work_once(home.dispatcher)
    (job,) = home.dispatcher.jobs(Stage.SETTLING)
    assert 5 <= clocks.clock.now() - job.sent_at < 10


async def test_failed_save_that_is_seen_right_after_the_clock_was_set_back(
    home: ServerHome, clocks: TwoClocks
) -> None:
    await work_once(home.dispatcher)
    clocks.seconds += 7200
    await home.dispatcher.add(home.jobs(1))
    clocks.seconds += 5
    home.server.say_not_saving()
    clocks.set_by = -3600.0
    await home.monitor.check()
    await work_once(home.dispatcher)
    (job,) = home.dispatcher.jobs(Stage.SETTLING)
    assert job.sent_at <= home.monitor.save_failed_wall <= clocks.clock.now()
