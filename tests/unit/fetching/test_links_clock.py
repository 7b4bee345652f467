"""The wall clock is set while web links wait."""

from copy import replace

import pytest

from custom_components.qbittorrent_resilient.core.fetching.fetcher import NotNow
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from tests.support.core import Time, TwoClocks
from tests.support.sites import job_of
from tests.unit.fetching.conftest import LinkHome

DAY = 86_400.0
YEAR = 365 * DAY


@pytest.fixture
def time() -> Time:
    """Return time with a wall clock that can be set."""
    return TwoClocks()


@pytest.fixture
def clocks(time: Time) -> TwoClocks:
    """Return the same, by its kind."""
    assert isinstance(time, TwoClocks)
    return time


async def given(home: LinkHome) -> None:
    """Give a link that cannot be fetched now."""
    home.sites.answers = {1: NotNow("HTTP 500")}
    await home.dispatcher.links.accept([job_of(1, home.dispatcher.now())])


async def look(home: LinkHome) -> list[Job]:
    """Have the links looked at as each ten seconds; return what is queued."""
    await home.dispatcher.links._look()
    return home.dispatcher.links.at(Stage.QUEUED)


@pytest.mark.parametrize("by", [20 * YEAR, -20 * YEAR])
async def test_nothing_expires(home: LinkHome, clocks: TwoClocks, by: float) -> None:
    await given(home)
    clocks.set_by += by
    (link,) = await look(home)
    assert abs(link.queued_at - clocks.clock.now()) < 60


async def test_given_right_after_it_was_set_back(home: LinkHome, clocks: TwoClocks) -> None:
    """That is right already, though it lies where wrong times were taken before."""
    clocks.seconds += 7200
    clocks.set_by -= 3600
    await given(home)
    (link,) = await look(home)
    assert abs(link.queued_at - clocks.clock.now()) < 60


async def test_given_in_a_time_to_come(home: LinkHome, clocks: TwoClocks) -> None:
    """An earlier life's clock was ahead; in the first hour, it may be our own that is behind."""
    home.sites.answers = {1: NotNow("HTTP 500")}
    link = replace(job_of(1), queued_at=clocks.clock.now() + YEAR)
    home.links.write({link.info_hash: to_record(link)})
    home.restart()
    await home.dispatcher.start()
    assert (await look(home))[0].queued_at == link.queued_at
    clocks.seconds += 3601
    assert (await look(home))[0].queued_at == clocks.clock.now()


async def test_given_by_an_earlier_life_before_it_is_set_back(
    home: LinkHome, clocks: TwoClocks
) -> None:
    home.sites.answers = {1: NotNow("HTTP 500")}
    link = replace(job_of(1), queued_at=clocks.clock.now() - 60)
    home.links.write({link.info_hash: to_record(link)})
    home.restart()
    await home.dispatcher.start()
    clocks.set_by -= YEAR
    assert (await look(home))[0].queued_at == clocks.clock.now()
