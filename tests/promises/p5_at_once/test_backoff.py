"""Magnets that a healthy server does not take for a reason of their own: patience, and an end."""

from collections.abc import AsyncGenerator
from itertools import pairwise
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.core.backoff import BACKOFF_SECONDS
from custom_components.qbittorrent_resilient.core.clock import Clock
from tests.support.actions import add, call, hashes, on_request, work
from tests.support.common import (
    FakeClock,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    poll,
    settled,
)
from tests.support.fake.answer import Answer
from tests.support.fake.dialect import Dialect
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

pytestmark = [pytest.mark.usefixtures("socket_enabled", "vpn"), pytest.mark.few_dialects]

BAD = info_hash(1)
QUEUED = "sensor.qbittorrent_resilient_queued_magnets"
DAY = 86_400


@pytest.fixture
async def picky(dialect: Dialect, socket_enabled: None) -> AsyncGenerator[FakeQBittorrent]:
    """Return a healthy server, of each version, that answers 500 to whatever names magnet 1."""
    async with FakeQBittorrent(dialect) as server:

        def look(received: Received) -> Answer | None:
            bad = received.endpoint == "torrents/add" and BAD in received.form["urls"]
            return Answer(500) if bad else None

        on_request(server, look)
        yield server


def tries(server: FakeQBittorrent) -> int:
    """Return how often the bad magnet was sent."""
    return sum(BAD in one.form["urls"] for one in server.requests_to("torrents/add"))


async def _waits(entry: MockConfigEntry, count: int) -> list[tuple[float, float]]:
    """Let the worker try so often; return between what each wait is drawn, and draw none."""
    drawn: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return 0.0

    with patch("custom_components.qbittorrent_resilient.core.backoff.random.uniform", draw):
        for _ in range(count):
            await work(entry)
    return drawn


async def test_waits_are_drawn_between_nothing_and_twice_as_much_each_time(
    hass: HomeAssistant, start: Start, clock: FakeClock, picky: FakeQBittorrent
) -> None:
    """Full jitter, from BACKOFF_SECONDS."""
    entry = await start(instance("first", picky))
    await add(hass, link(1), max_retries=0)
    drawn = await _waits(entry, 10)
    longest = BACKOFF_SECONDS[1]
    assert {low for low, _ in drawn} == {0}
    highs = [high for _, high in drawn]
    for high, following in pairwise(highs):
        assert following == min(2 * high, longest)
    assert highs[-1] == longest


async def test_first_wait_is_the_one_that_is_documented(
    hass: HomeAssistant, start: Start, clock: FakeClock, picky: FakeQBittorrent
) -> None:
    await start(instance("first", picky))
    await picky.refuse()
    await add(hass, link(1), max_retries=0)
    await picky.listen()
    with patch("random.uniform", side_effect=lambda low, high: high) as drawn:
        await call(hass, "check_health")
        await eventually(lambda: drawn.called)
    assert drawn.call_args_list[0].args == (0, BACKOFF_SECONDS[0])
    await settled(hass)


async def test_it_is_tried_no_earlier(
    hass: HomeAssistant, start: Start, clock: FakeClock, picky: FakeQBittorrent
) -> None:
    entry = await start(instance("first", picky))
    await add(hass, link(1), max_retries=0)
    with patch("random.uniform", lambda low, high: high):
        for _ in range(8):  # as long as they get
            clock.tick(BACKOFF_SECONDS[1] + 1)
            await work(entry)
        count = tries(picky)
        clock.tick(BACKOFF_SECONDS[1] - 30)
        for _ in range(5):
            await poll(hass)
            await work(entry)
        assert tries(picky) == count
        clock.tick(60)
        await work(entry)
        assert tries(picky) == count + 1


async def test_it_holds_up_no_other(
    hass: HomeAssistant, start: Start, clock: FakeClock, picky: FakeQBittorrent
) -> None:
    """Neither those that were queued with it nor those that come later."""
    entry = await start(instance("first", picky))
    await picky.refuse()
    await add(hass, *(link(one) for one in range(1, 11)), max_retries=0)
    await picky.listen()
    await call(hass, "check_health")
    for _ in range(5):
        await work(entry)
    await settled(hass)
    assert picky.hashes == {info_hash(one) for one in range(2, 11)}
    for number in range(11, 16):
        assert hashes((await add(hass, link(number)))["added"]) == [info_hash(number)]
    assert hashes((await call(hass, "get_queue"))["queued"]) == [BAD]
    assert hass.states.is_state("sensor.first_status", "ok")


async def test_it_goes_to_the_failed_list_in_the_end(
    hass: HomeAssistant, start: Start, clock: FakeClock, picky: FakeQBittorrent
) -> None:
    entry = await start(instance("first", picky), options={"queue_expiry": 1})
    await add(hass, link(1), max_retries=0)
    for _ in range(10):
        clock.tick(DAY / 10 - 60)
        await poll(hass)
        await work(entry)
        assert hashes((await call(hass, "get_queue"))["queued"]) == [BAD]
    clock.tick(601)
    await work(entry)
    found = await call(hass, "get_queue")
    assert found["queued"] == []
    assert [(one["info_hash"], one["reason"]) for one in found["failed"]] == [(BAD, "expired")]
    count = tries(picky)
    await call(hass, "retry_queue")
    assert tries(picky) == count


async def test_it_is_tried_at_once_when_the_instance_turns_ok(
    hass: HomeAssistant, start: Start, clock: FakeClock, picky: FakeQBittorrent
) -> None:
    entry = await start(instance("first", picky))
    await add(hass, link(1), max_retries=0)
    with patch("random.uniform", lambda low, high: high):
        for _ in range(8):
            clock.tick(BACKOFF_SECONDS[1] + 1)
            await work(entry)
        count = tries(picky)
        await work(entry)
        assert tries(picky) == count  # it waits
        await picky.refuse()
        await call(hass, "check_health")
        del picky._wire._execute  # it is mended
        await picky.listen()
        await call(hass, "check_health")
        await eventually(lambda: picky.hashes == {BAD})


async def test_it_is_tried_at_once_when_the_user_asks(
    hass: HomeAssistant, start: Start, clock: FakeClock, picky: FakeQBittorrent
) -> None:
    entry = await start(instance("first", picky))
    await add(hass, link(1), max_retries=0)
    await work(entry)
    count = tries(picky)
    for extra in range(1, 4):
        response = await call(hass, "retry_queue")
        assert hashes(response["queued"]) == [BAD]
        assert tries(picky) >= count + extra


class _JumpingClock(FakeClock):
    """A clock whose time of day jumps, as it does when a host without a battery finds the time."""

    jump = 0.0

    def make(self) -> Clock:
        steady = super().make()
        return Clock(
            now=lambda: steady.now() + self.jump, monotonic=steady.monotonic, sleep=steady.sleep
        )


async def test_clock_put_back_does_not_prolong_the_wait(
    hass: HomeAssistant, start: Start, picky: FakeQBittorrent
) -> None:
    clock = _JumpingClock()
    with patch("custom_components.qbittorrent_resilient.runtime.Clock", clock.make):
        entry = await start(instance("first", picky))
    await add(hass, link(1), max_retries=0)
    await work(entry)
    count = tries(picky)
    clock.jump = -DAY
    clock.tick(2 * BACKOFF_SECONDS[1])
    await work(entry)
    assert tries(picky) == count + 1
