"""The number of deliveries: never less after a restart than was shown, and each counted once."""

import asyncio
from collections.abc import Callable

import pytest

from custom_components.qbittorrent_resilient.core.dispatcher import Dispatcher
from custom_components.qbittorrent_resilient.core.outbox.deliveries import Deliveries
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from tests.support.common import eventually, info_hash, work_once
from tests.support.core import Http, TimedServer
from tests.support.fake.record import Received
from tests.support.home import ServerHome


@pytest.fixture
async def home(newest: TimedServer, http: Http) -> ServerHome:
    """Return the home of a server that is ok."""
    home = ServerHome(newest, http)
    await home.monitor.check()
    return home


def at_an_add(server: TimedServer, happens: Callable[[], object]) -> None:
    """Have something happen right before the next add is carried out."""

    def noticed(received: Received) -> None:
        if received.endpoint == "torrents/add":
            server.on_request = lambda received: None
            happens()

    server.on_request = noticed


async def killed(home: ServerHome, stored: int) -> Dispatcher:
    """Start again after a kill, with what the file of the count has."""
    home.dispatcher._outbox.close()
    home.store.mend()
    dispatcher = home.new_dispatcher()
    dispatcher._outbox.deliveries = Deliveries(stored)
    await dispatcher.start()
    return dispatcher


async def test_delivered_while_the_disk_is_full_and_killed(home: ServerHome) -> None:
    """What nobody could write counts once it can be, and once."""
    at_an_add(home.server, home.store.fill_up)
    await home.dispatcher.add(home.jobs(1))
    assert home.server.hashes == {info_hash(1)}
    await eventually(lambda: home.store.refused)
    shown = home.dispatcher.snapshot().delivered
    dispatcher = await killed(home, shown)
    assert dispatcher.snapshot().delivered >= shown
    await dispatcher.retry()
    await dispatcher.stop()  # which writes all
    assert dispatcher.snapshot().delivered == 1


async def test_delivered_while_the_disk_is_full(home: ServerHome) -> None:
    """Without a kill it is shown as soon as it is on disk."""
    at_an_add(home.server, home.store.fill_up)
    await home.dispatcher.add(home.jobs(1))
    await eventually(lambda: home.store.refused)
    home.store.mend()
    await work_once(home.dispatcher)
    assert home.dispatcher.snapshot().delivered == 1
    dispatcher = await killed(home, 0)
    assert dispatcher.snapshot().delivered == 1


async def test_another_one_while_it_is_written(home: ServerHome) -> None:
    """A write brings to the disk what was counted before it began."""
    outbox = home.dispatcher._outbox
    first, second = await outbox.accept(home.jobs(1, 2))
    home.store.halt()
    _delivered(outbox, first)
    writing = asyncio.create_task(outbox.commit())
    await eventually(lambda: home.store.commits == 2)
    assert home.dispatcher.snapshot().delivered == 0
    _delivered(outbox, second)
    home.store.go_on()
    await writing
    assert home.dispatcher.snapshot().delivered == 1
    await outbox.commit()
    assert home.dispatcher.snapshot().delivered == 2


def _delivered(outbox: Outbox, job: Job) -> None:
    ordinal = outbox.deliveries.add(1.0)
    outbox.put(job.delivered_to("key", 1.0, Incarnation(), ordinal=ordinal))
