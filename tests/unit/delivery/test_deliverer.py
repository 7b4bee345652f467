"""New jobs: they are written while the instances are asked, and nothing is sent before both."""

import asyncio
import gc

import pytest

from custom_components.qbittorrent_resilient.core.delivery.batches import ADD_MAGNETS
from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate
from custom_components.qbittorrent_resilient.core.delivery.pass_state import PassState
from custom_components.qbittorrent_resilient.core.dispatcher import Event
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.turns import YIELD_EVERY
from tests.support.common import eventually, info_hash, link, looked
from tests.support.core import Http, Time, TimedServer
from tests.support.home import ServerHome


@pytest.fixture
async def home(newest: TimedServer, http: Http) -> ServerHome:
    """Return the home of a server that is ok."""
    home = ServerHome(newest, http)
    await home.monitor.check()
    return home


def asked(home: ServerHome) -> bool:
    """Tell whether the server was asked what it lists."""
    return bool(home.server.requests_to("torrents/info"))


async def test_asked_while_it_is_written_and_sent_afterwards(home: ServerHome) -> None:
    home.store.halt()
    call = asyncio.create_task(home.dispatcher.add(home.jobs(1, 2)))
    await eventually(lambda: asked(home))
    await asyncio.sleep(0.05)
    assert not home.store.records
    assert not home.server.adds
    home.store.go_on()
    assert [outcome.fate for outcome in await call] == [Fate.ADDED, Fate.ADDED]
    assert len(home.server.adds) == 1


async def test_a_write_that_fails_sends_nothing_and_claims_nothing(home: ServerHome) -> None:
    """Not even that a magnet is there, which the server has said meanwhile."""
    (job, _) = home.jobs(1, 2)
    home.server.add(job.magnet.link)
    home.store.halt()
    call = asyncio.create_task(home.dispatcher.add(home.jobs(1, 2)))
    await eventually(lambda: asked(home))
    await asyncio.sleep(0.05)
    home.store.fill_up()
    home.store.go_on()
    with pytest.raises(StorageError):
        await call
    home.store.mend()
    await home.dispatcher.retry()
    assert not home.server.adds
    assert not home.store.records
    assert not [job for stage in Stage for job in home.dispatcher.jobs(stage)]
    assert not home.dispatcher.snapshot().delivering


async def test_a_slow_answer_does_not_hold_up_the_write(home: ServerHome) -> None:
    """Killed while the server is still asked, the magnet is on disk."""
    hang = home.server.faults.hang("torrents/info", times=1)
    call = asyncio.create_task(home.dispatcher.add(home.jobs(1)))
    await eventually(lambda: hang.hits and home.store.records)
    assert home.store.records[info_hash(1)]["stage"] == "queued"
    assert not home.server.adds
    call.cancel()
    await home.dispatcher.stop()


@pytest.mark.parametrize("keep", [True, False])
async def test_an_instance_that_turns_ok_meanwhile_gets_it(home: ServerHome, *, keep: bool) -> None:
    """It was down when the others were asked, and is back before the magnet is on disk."""
    await home.server.refuse()
    await home.monitor.check()
    home.store.halt()
    call = asyncio.create_task(home.dispatcher.add(home.jobs(1, keep=keep)))
    await asyncio.sleep(0.1)
    await home.server.listen()
    await home.monitor.check()
    home.store.go_on()
    assert [outcome.fate for outcome in await call] == [Fate.ADDED]


@pytest.mark.parametrize("given_up", [True, False])
async def test_a_call_that_comes_to_nothing_cuts_no_login_off(
    home: ServerHome, time: Time, *, given_up: bool
) -> None:
    """The server may count that as a failure, and after two none would be tried for minutes."""
    home.server.expire_sessions()
    home.server.faults.delay(0.1, "auth/login")
    for number in (1, 2):
        home.store.halt()
        call = asyncio.create_task(home.dispatcher.add(home.jobs(number)))
        await asyncio.sleep(0.05)
        if given_up:
            call.cancel()
        else:
            home.store.fill_up()
            home.store.go_on()
        await asyncio.wait([call])
    home.server.faults.clear()
    home.store.mend()
    home.store.go_on()
    time.seconds += 60
    assert await home.monitor.check() == "ok"
    assert [outcome.fate for outcome in await home.dispatcher.add(home.jobs(3))] == [Fate.ADDED]
    assert len(home.server.logins) == 2


async def test_a_mistake_after_a_call_has_failed_is_nobodys(
    home: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call that asked has ended: its caller knows that nothing was accepted."""
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))

    async def find(magnets: object, *, hybrids: bool = True) -> set[str]:
        await asyncio.sleep(0.1)
        raise RuntimeError("a mistake")

    monkeypatch.setattr(home.monitor.client, "find", find)
    home.store.fill_up()
    with pytest.raises(StorageError):
        await home.dispatcher.add(home.jobs(1))
    await looked()
    gc.collect()
    assert not complaints


async def test_whoever_waits_is_answered_whatever_breaks(
    home: ServerHome, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(self: PassState) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(PassState, "finish_pending", broken)
    outcomes = await asyncio.wait_for(home.dispatcher.add(home.jobs(1)), 30)
    assert [outcome.fate for outcome in outcomes] == [Fate.ADDED]
    assert "A delivery broke off" in caplog.text
    assert not home.dispatcher.snapshot().delivering


async def test_stopped_at_the_end_of_a_long_pass(
    home: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was settled by then is what the caller is told."""
    finish_pending = PassState.finish_pending
    stopping: list[asyncio.Task[None]] = []

    async def stop_and_finish(self: PassState) -> None:
        stopping.append(asyncio.create_task(home.dispatcher.stop()))
        await finish_pending(self)

    monkeypatch.setattr(PassState, "finish_pending", stop_and_finish)
    told: list[Event] = []
    home.dispatcher.subscribe(told.append)
    numbers = range(1, 2 * YIELD_EVERY + 2)
    outcomes = await asyncio.wait_for(home.dispatcher.add(home.jobs(*numbers)), 60)
    await asyncio.gather(*stopping)
    assert {outcome.fate for outcome in outcomes} == {Fate.ADDED}
    (event,) = (one for one in told if isinstance(one, DeliveryEvent))
    assert (event.event_type, event.count) == (EventType.ADDED, len(numbers))


async def test_what_is_present_keeps_its_order(home: ServerHome) -> None:
    """So that, lost by a restart, it is delivered again in the order in which it was given."""
    numbers = [5, 3, 9, 1, 7, 2, 8, 4, 6]
    for number in numbers:
        home.server.add(link(number))
    await home.dispatcher.add(home.jobs(*numbers))
    settling = [job.info_hash for job in home.dispatcher.jobs(Stage.SETTLING)]
    assert settling == [info_hash(number) for number in numbers]


async def test_nothing_is_written_between_the_requests_of_a_call(home: ServerHome) -> None:
    """Where each magnet goes was written with it; a kill has the server asked for the rest."""
    numbers = range(1, 2 * ADD_MAGNETS[0] + 2)
    await home.dispatcher.add(home.jobs(*numbers))
    assert len(home.server.adds) > 1
    await eventually(lambda: home.store.commits == 2)
