"""A courier that is stopped while it writes down what it is given: nothing begins after that."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from custom_components.qbittorrent_resilient.core.entry import Record
from tests.common import info_hash
from tests.core.common import Http, TimedServer
from tests.core.test_courier import Books, Office


class SlowBooks(Books):
    """A store that writes when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.may_end = asyncio.Event(), asyncio.Event()

    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        self.writing.set()
        await self.may_end.wait()
        await super().commit(put, drop)


async def test_nothing_is_asked_of_a_server_once_it_has_stopped(
    newest: TimedServer, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(newest, http)
    office.books = books = SlowBooks()
    courier = office.open()
    await office.monitor.check()
    given = asyncio.create_task(courier.add(office.entries(1)))
    await books.writing.wait()
    stopping = asyncio.create_task(courier.stop())
    await asyncio.sleep(0)
    books.may_end.set()
    await stopping
    asked = len(newest.record.requests)
    await http.session.close()  # as the entry's own is when the entry is unloaded
    await asyncio.wait([given], timeout=5)
    assert info_hash(1) in books.records  # it is on disk, and the next courier delivers it
    assert len(newest.record.requests) == asked
    assert not [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
