"""What a server's log says of failed saves, whatever the clocks of the two hosts say."""

from email.utils import formatdate

import pytest

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.health.instance import (
    ENDLESS_SECONDS,
    InstanceMonitor,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.answer import Answer
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import EndlessAnswerError
from custom_components.qbittorrent_resilient.core.qbittorrent.log import LogPart, read_log
from tests.support.core import Http, Time, TimedServer

DAY = 86_400.0
APART = pytest.mark.parametrize("apart", [-10_000 * DAY, -2 * DAY, 0.0, 2 * DAY, 10_000 * DAY])
"""By how much the clock of Home Assistant's host is ahead of the server's."""


def watch(server: TimedServer, http: Http, apart: float = 0.0) -> InstanceMonitor:
    time = http.time
    clock = Clock(now=lambda: time.seconds + apart, monotonic=time.now, sleep=time.sleep)
    return InstanceMonitor(http.settings(server), http.client(server), clock=clock)


@APART
@pytest.mark.parametrize(("age", "status"), [(100, "not_saving"), (90_000, "ok")])
async def test_its_age_is_told_by_the_server(
    server: TimedServer, http: Http, time: Time, apart: float, age: float, status: str
) -> None:
    server.say_not_saving()
    time.seconds += age
    assert await watch(server, http, apart).check() == status


@APART
async def test_at_first_sight_it_speaks_against_what_was_delivered_before(
    newest: TimedServer, http: Http, time: Time, apart: float
) -> None:
    """However old it looks: the server's clock may have been set since."""
    newest.say_not_saving()
    time.seconds += 90_000
    monitor = watch(newest, http, apart)
    assert await monitor.check() == "ok"
    first_look = time.seconds + apart
    assert monitor.save_failed_wall == first_look
    time.seconds += 100
    newest.expire_sessions()
    assert await monitor.check() == "ok"
    assert monitor.save_failed_wall == first_look


async def test_it_counts_while_the_list_has_no_end(
    newest: TimedServer, http: Http, time: Time
) -> None:
    """The log is read meanwhile, and tells each failure once."""
    monitor = watch(newest, http)
    assert await monitor.check() == "ok"
    monitor.report_failure(EndlessAnswerError("no end"))
    newest.say_not_saving()
    assert await monitor.check() == "error"
    assert monitor.save_failed_wall == time.seconds
    assert monitor.has_failed_to_save
    time.seconds += ENDLESS_SECONDS[0]
    assert await monitor.check() == "ok"


@pytest.mark.parametrize(
    ("date", "told_at"),
    [(formatdate(5000, usegmt=True), 5000.0), ("", 4000.0), ("yesterday", 4000.0)],
)
def test_when_the_log_was_told(date: str, told_at: float) -> None:
    """By the answer's own `Date`; something in front may drop that."""
    body = b'[{"id": 1, "timestamp": 4000, "type": 2, "message": "Peer ID"}]'
    answer = Answer(200, "application/json", body, date=date)
    assert read_log(answer, LogPart()).told_at == told_at
