"""How many magnets were delivered, and when: each once, over restarts and kills."""

from datetime import datetime, timedelta
import json
from pathlib import Path
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from tests.support.actions import add, again, call, work
from tests.support.common import (
    FakeClock,
    Start,
    eventually,
    first_and_second,
    info_hash,
    instance,
    link,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent

HUB = "qbittorrent_resilient"


def delivered(hass: HomeAssistant) -> int:
    """Return the state of the counter."""
    state = hass.states.get(f"sensor.{HUB}_delivered_magnets")
    assert state
    return int(state.state)


def last_delivery(hass: HomeAssistant) -> datetime | None:
    """Return the time that is shown."""
    state = hass.states.get(f"sensor.{HUB}_last_delivery")
    assert state
    return dt_util.parse_datetime(state.state)


def written(folder: Path) -> dict[str, Any]:
    """Return what is in the file."""
    data: dict[str, Any] = json.loads((folder / f"{HUB}.hub.deliveries").read_text())["data"]
    return data


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


async def test_what_counts(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """What was added and what left the queue; not what was there, waits, or has failed."""
    await start(*first_and_second(primary, secondary))
    assert delivered(hass) == 0
    assert last_delivery(hass) is None
    before = dt_util.utcnow().replace(microsecond=0)
    await add(hass, link(1), link(2), "bogus")
    await settled(hass)
    assert delivered(hass) == 2
    last = last_delivery(hass)
    assert last is not None
    assert before <= last <= dt_util.utcnow()
    await add(hass, link(1), link(2))
    await settled(hass)
    assert delivered(hass) == 2
    await primary.refuse()
    await secondary.refuse()
    await add(hass, link(3), link(4), max_retries=0)
    await settled(hass)
    assert delivered(hass) == 2
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: len(primary.hashes) == 4)
    await settled(hass)
    assert delivered(hass) == 4


async def test_what_the_server_had_before(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """It is no delivery, however often it is given."""
    primary.add(link(1))
    await start(instance("first", primary))
    for _ in range(2):
        await add(hass, link(1))
        await settled(hass)
    assert delivered(hass) == 0


async def test_deleted_and_given_again_while_no_server_is_there(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """It waits in the queue, and is delivered a second time."""
    await start(instance("first", primary))
    await add(hass, link(1))
    await settled(hass)
    primary.torrents.delete([info_hash(1)])
    await primary.refuse()
    await add(hass, link(1), max_retries=0)
    await settled(hass)
    assert delivered(hass) == 1
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: primary.hashes == {info_hash(1)})
    await settled(hass)
    assert delivered(hass) == 2


async def test_over_a_restart(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, storage_folder: Path
) -> None:
    entry = await start(instance("first", primary))
    await add(hass, link(1), link(2))
    await settled(hass)
    last = last_delivery(hass)
    await again(hass, entry)
    assert (delivered(hass), last_delivery(hass)) == (2, last)
    assert written(storage_folder)["delivered"] == 2
    await add(hass, link(3))
    await settled(hass)
    assert delivered(hass) == 3


async def test_over_a_kill(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    storage_folder: Path,
) -> None:
    """What was not written yet is known from the outbox; what was is not counted twice."""
    entry = await start(instance("first", primary))
    await add(hass, link(1), link(2))
    await again(hass, entry)
    await add(hass, link(3))
    await settled(hass)
    last = last_delivery(hass)
    path = storage_folder / f"{HUB}.hub.deliveries"
    before = path.read_bytes()
    assert written(storage_folder)["delivered"] == 2
    assert await hass.config_entries.async_unload(entry.entry_id)
    path.write_bytes(before)  # a kill writes nothing
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass)
    assert (delivered(hass), last_delivery(hass)) == (3, last)


async def test_what_a_restart_of_the_server_lost(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """It is delivered again, and counts once."""
    entry = await start(instance("first", primary))
    await add(hass, link(1))
    await settled(hass)
    await primary.restart(keep="none")
    await poll(hass)
    clock.tick(90)
    await work(entry)
    await eventually(lambda: primary.hashes == {info_hash(1)})
    await settled(hass)
    assert delivered(hass) == 1


async def test_given_again_after_it_was_deleted(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """The user wants it once more, and is told that it was added: that is another delivery."""
    await start(instance("first", primary))
    await add(hass, link(1))
    primary.torrents.delete([info_hash(1)])
    answer = await add(hass, link(1))
    assert answer["added"][0]["status"] == "added"
    await settled(hass)
    assert delivered(hass) == 2


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"version": 1, "minor_version": 1, "key": "x", "data": []}',
        '{"version": 1, "minor_version": 1, "key": "x", "data": {"delivered": -1, "last_delivery": "x"}}',  # noqa: E501
        '{"data": {}}',
        '{"version": 1}',
        '{"version": 9, "minor_version": 1, "key": "x", "data": {"delivered": 5}}',
    ],
    ids=["no JSON", "a list", "out of range", "no version", "no data", "newer"],
)
async def test_damaged_file(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    storage_folder: Path,
    content: str,
) -> None:
    """Then it counts from 0, and everything works."""
    _write(storage_folder / f"{HUB}.hub.deliveries", content)
    await start(instance("first", primary))
    assert (delivered(hass), last_delivery(hass)) == (0, None)
    await add(hass, link(1))
    await settled(hass)
    assert delivered(hass) == 1


async def test_after_it_was_removed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, storage_folder: Path
) -> None:
    """It counts since it was set up."""
    entry = await start(instance("first", primary))
    await add(hass, link(1))
    await settled(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not (storage_folder / f"{HUB}.hub.deliveries").exists()
    await start(instance("first", primary))
    assert delivered(hass) == 0


async def test_the_clock_was_set(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """A time that was taken from a wrong clock is put right, and is shown so at once."""
    entry = await start(instance("first", primary))
    await add(hass, link(1))
    await settled(hass)
    last = last_delivery(hass)
    assert last is not None
    dispatcher = entry.runtime_data.dispatcher
    for info_hash_ in [job.info_hash for job in dispatcher._outbox.everything()]:
        dispatcher._outbox.drop(info_hash_)  # as some minutes later, when nothing is looked after
    await work(entry)
    watch = dispatcher._clock_watch
    watch._wall += 86_400
    watch._since += 86_400
    dispatcher._outbox.deliveries.last_at += 86_400
    dispatcher._publish_snapshot()
    assert last_delivery(hass) == last + timedelta(days=1)
    await work(entry)
    shown = last_delivery(hass)
    assert shown is not None
    assert abs((shown - last).total_seconds()) < 2


async def test_the_clock_was_ahead_before_a_restart(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, storage_folder: Path
) -> None:
    """A delivery in the future was none: nothing is shown until the next one."""
    entry = await start(instance("first", primary))
    await add(hass, link(1))
    await settled(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    path = storage_folder / f"{HUB}.hub.deliveries"
    stored = json.loads(path.read_text())
    ahead = stored["data"]["last_delivery"] = time.time() + 86_400
    path.write_text(json.dumps(stored))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass)
    assert (delivered(hass), last_delivery(hass)) == (1, None)
    await again(hass, entry)
    assert written(storage_folder) == {"delivered": 1, "last_delivery": ahead}
    before = dt_util.utcnow().replace(microsecond=0)
    await add(hass, link(2))
    await settled(hass)
    last = last_delivery(hass)
    assert last is not None
    assert before <= last <= dt_util.utcnow()
