"""The wall clock is set while we run: nothing expires, and nothing goes on to a second server."""

from copy import replace

import pytest

from custom_components.qbittorrent_resilient.core.entry import Entry, Stage
from custom_components.qbittorrent_resilient.core.health import InstanceMonitor
from custom_components.qbittorrent_resilient.core.jumps import Jump, JumpWatch
from custom_components.qbittorrent_resilient.core.models import Clock
from tests.common import info_hash, work_once
from tests.core.common import Http, Time, TimedServer, magnets
from tests.core.test_courier import KEY, Office

YEAR = 365 * 86_400.0
SETS = [3600.0, -3600.0, 20 * YEAR, -20 * YEAR]


class TwoClocks(Time):
    """Time whose wall clock can be set; the steady clock only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.set_by = 0.0

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds + self.set_by, monotonic=self.now, sleep=self.sleep)


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
async def office(newest: TimedServer, http: Http) -> Office:
    """Return the office of a server that has been ok, and cannot be reached now."""
    office = Office(newest, http)
    await office.monitor.check()
    return office


@pytest.mark.parametrize("by", SETS)
def test_told_once(clocks: TwoClocks, by: float) -> None:
    began = clocks.seconds
    watch = JumpWatch(clocks.clock)
    clocks.seconds += 100
    assert watch.jump() is None
    clocks.seconds += 50
    clocks.set_by += by
    jump = watch.jump()
    assert jump == Jump(by, began, began + 150)
    assert watch.jump() is None
    clocks.seconds += 10
    clocks.set_by -= by
    assert watch.jump() == Jump(-by, began + by, began + 160 + by)


def test_steering_is_no_jump(clocks: TwoClocks) -> None:
    watch = JumpWatch(clocks.clock)
    for _ in range(1000):
        clocks.seconds += 10
        clocks.set_by += 0.1
        assert watch.jump() is None


@pytest.mark.parametrize("by", SETS)
async def test_nothing_expires(office: Office, clocks: TwoClocks, by: float) -> None:
    await office.server.refuse()
    await office.courier.add(office.entries(1))
    clocks.set_by += by
    await work_once(office.courier)
    assert office.queued == [info_hash(1)]
    (entry,) = office.courier.queue.at(Stage.QUEUED)
    assert abs(entry.queued_at - clocks.clock.now()) < 60
    clocks.seconds += 20 * 86_400
    await work_once(office.courier)
    assert office.queued == [info_hash(1)]
    clocks.seconds += 2 * 86_400
    await work_once(office.courier)
    assert [one.reason for one in office.courier.queue.at(Stage.FAILED)] == ["expired"]


@pytest.mark.parametrize("by", SETS)
async def test_what_is_uncertain_waits_its_time(
    office: Office, http: Http, clocks: TwoClocks, by: float
) -> None:
    """15 minutes by the steady clock, neither less nor years more."""
    async with TimedServer(office.server.dialect, clocks) as second:
        settings = replace(http.settings(second), key="second", priority=2)
        other = InstanceMonitor(settings, http.client(second), clock=clocks.clock)
        courier = office.open(office.monitor, other)
        await other.check()
        await office.server.refuse()
        await office.monitor.check()
        (entry,) = office.entries(1)
        await courier.queue.accept([entry.sent(KEY, clocks.clock.now())])
        clocks.set_by += by
        for _ in range(14):
            clocks.seconds += 60
            await work_once(courier)
        assert not second.adds
        clocks.seconds += 70
        await work_once(courier)
        assert second.hashes == {info_hash(1)}


@pytest.mark.parametrize("by", SETS)
async def test_a_delivery_keeps_its_minute(office: Office, clocks: TwoClocks, by: float) -> None:
    await office.courier.add(office.entries(1))
    clocks.seconds += 20
    clocks.set_by += by
    await work_once(office.courier)
    assert office.books.records
    clocks.seconds += 30
    await work_once(office.courier)
    assert office.books.records
    clocks.seconds += 15
    await work_once(office.courier)
    assert not office.books.records


async def test_started_with_a_clock_that_is_behind(office: Office, clocks: TwoClocks) -> None:
    """The times of an earlier life are right, and are left alone when the clock is, too."""
    await office.server.refuse()
    await office.monitor.check()
    right = clocks.clock.now() - 5 * 60
    earlier, later = office.entries(1, 2)
    office.write(replace(earlier, queued_at=right))
    clocks.set_by = -30 * YEAR
    courier = office.open()
    await courier.start()
    await courier.queue.accept([replace(later, queued_at=clocks.clock.now())])
    clocks.set_by = 0.0
    await work_once(courier)
    queued = {one.info_hash: one.queued_at for one in courier.queue.at(Stage.QUEUED)}
    assert queued[info_hash(1)] == right
    assert abs(queued[info_hash(2)] - clocks.clock.now()) < 60


async def test_sent_in_a_time_to_come(office: Office, clocks: TwoClocks) -> None:
    """An earlier life's clock was years ahead: the wait begins anew, and ends."""
    await office.server.refuse()
    await office.monitor.check()
    (entry,) = office.entries(1)
    office.write(entry.sent(KEY, clocks.clock.now() + 10 * YEAR))
    courier = office.open()
    await courier.start()
    (entry,) = courier.queue.at(Stage.QUEUED)
    assert entry.sent_at == clocks.clock.now()


async def test_backoff_follows(office: Office, clocks: TwoClocks) -> None:
    office.server.faults.answer(500, "no", endpoint="torrents/add", times=1)
    await office.courier.add(office.entries(1, max_retries=0))
    await work_once(office.courier)
    clocks.set_by -= YEAR
    for _ in range(4):
        clocks.seconds += 10
        await work_once(office.courier)
    assert office.server.hashes == {info_hash(1)}


def test_only_what_the_wrong_clock_told_is_moved() -> None:
    entry = Entry(magnet=magnets(1)[0], queued_at=100.0, sent_at=250.0, last_attempt=400.0)
    moved = entry.shifted(1000.0, 200.0, 300.0)
    assert (moved.queued_at, moved.sent_at, moved.last_attempt) == (100.0, 1250.0, 400.0)
    assert entry.shifted(1000.0, 500.0, 600.0) is entry


async def test_a_failed_save_stays_later_than_what_it_lost(
    office: Office, clocks: TwoClocks
) -> None:
    """Else a server that cannot save would look as if it had saved what it was given before."""
    await office.courier.add(office.entries(1))
    clocks.seconds += 1
    office.monitor.save_failed_at = clocks.clock.now()
    clocks.set_by += YEAR
    await work_once(office.courier)
    (entry,) = office.courier.queue.at(Stage.SETTLING)
    assert 0 < office.monitor.save_failed_at - entry.sent_at < 60
    clocks.seconds += 100
    await work_once(office.courier)
    assert office.books.records
