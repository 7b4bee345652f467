"""Time that tests elsewhere put forward with freezegun, as those of Home Assistant do."""

from datetime import timedelta

from freezegun import freeze_time
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.support.actions import add, call, status_of
from tests.support.common import Start, eventually, instance, link, settled
from tests.support.fake.server import FakeQBittorrent


async def test_queued_magnet_expires(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    with freeze_time(dt_util.utcnow(), tick=True, real_asyncio=True) as frozen:
        await start(instance("first", primary))
        await primary.refuse()
        await add(hass, link(1))
        frozen.tick(timedelta(days=22))
        async_fire_time_changed(hass)

        async def failed() -> list[str]:
            return [one["reason"] for one in (await call(hass, "get_queue"))["failed"]]

        await eventually(lambda: hass.states.is_state(FAILED, "1"))
        assert await failed() == ["expired"]
        await settled(hass)  # a pause that begins in frozen time never ends in real time


async def test_pause_after_a_ban_ends(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    with freeze_time(dt_util.utcnow(), tick=True, real_asyncio=True) as frozen:
        primary.ban()
        await start(instance("first", primary))
        assert status_of(hass, "first") == "banned"
        primary.clear_bans()
        frozen.tick(timedelta(seconds=301))
        async_fire_time_changed(hass)
        await settled(hass)
        assert status_of(hass, "first") == "ok"


async def test_time_that_begins_to_stand_still_moves_no_magnet(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The steady clock leaps then, as it does nowhere else."""
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    ((waits,)) = (await call(hass, "get_queue"))["queued"]
    with freeze_time(dt_util.utcnow() + timedelta(minutes=1), tick=True, real_asyncio=True):
        entry.runtime_data.dispatcher._worker.wake()
        await settled(hass)
        ((still,)) = (await call(hass, "get_queue"))["queued"]
    assert still["queued_at"] == waits["queued_at"]


FAILED = "sensor.qbittorrent_resilient_failed_magnets"
