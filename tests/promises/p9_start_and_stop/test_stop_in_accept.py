"""A dispatcher that is stopped while it writes down what it is given: nothing begins after that."""

import asyncio

import pytest

from tests.support.common import eventually, info_hash
from tests.support.core import Http, TimedServer
from tests.support.home import ServerHome


async def test_nothing_is_asked_of_a_server_once_it_has_stopped(
    newest: TimedServer, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    home = ServerHome(newest, http)
    dispatcher = home.dispatcher
    home.store.halt()
    await home.monitor.check()
    given = asyncio.create_task(dispatcher.add(home.jobs(1)))
    await eventually(lambda: home.store.commits)
    stopping = asyncio.create_task(dispatcher.stop())
    await asyncio.sleep(0)
    home.store.go_on()
    await stopping
    asked = len(newest.record.requests)
    await http.session.close()  # as the entry's own is when the entry is unloaded
    await asyncio.wait([given], timeout=5)
    assert info_hash(1) in home.store.records  # it is on disk, and the next dispatcher delivers it
    assert len(newest.record.requests) == asked
    assert not [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
