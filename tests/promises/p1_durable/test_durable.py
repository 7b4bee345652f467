"""Accepted is on disk before anything is sent; what cannot be written is not accepted."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
import stat
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from tests.support.actions import STORE, add, call, hashes, on_request, stored, work
from tests.support.common import FakeClock, Start, info_hash, instance, link
from tests.support.disk_faults import disk_full
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent
from tools.soak.disk import read_books


def numbers(*given: int) -> list[str]:
    return [info_hash(one) for one in given]


async def test_on_disk_before_anything_is_sent(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    storage_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "ADD_MAGNETS", (10, 10))
    await start(instance("first", primary), instance("second", secondary, priority=2))
    given = numbers(*range(1, 26))
    looks: list[str] = []

    def look(received: Received) -> None:
        for file in storage_folder.glob(f"{STORE}*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        if received.endpoint == "torrents/add":
            records = read_books(storage_folder)
            assert sorted(records) == given
            notes = {key for key, one in records.items() if one.get("sent_to") == "first"}
            assert {one.split("btih:")[1][:40] for one in received.magnets} <= notes
        looks.append(received.endpoint)

    on_request(primary, look)
    on_request(secondary, look)
    await add(hass, *(link(one) for one in range(1, 26)))
    assert looks.count("torrents/add") == 3
    assert looks.index("torrents/info") < looks.index("torrents/add")


@pytest.mark.parametrize("queue", [True, False])
async def test_what_cannot_be_written_is_not_accepted(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    hass_storage: dict[str, Any],
    *,
    queue: bool,
) -> None:
    entry = await start(instance("first", primary))
    with (
        disk_full(),
        pytest.raises(HomeAssistantError, match="could not be stored"),
    ):
        await add(hass, link(1), queue=queue)
    assert not primary.adds
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    await work(entry)
    assert not stored(hass_storage)
    assert not primary.adds
    assert hashes((await add(hass, link(1)))["added"]) == numbers(1)


async def test_write_error_leaves_what_was_queued_before(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1), category="old")
    with (
        disk_full(),
        pytest.raises(HomeAssistantError),
    ):
        await add(hass, link(1), link(2), category="new")
    assert hashes((await call(hass, "get_queue"))["queued"]) == numbers(1)
    await primary.listen()
    await call(hass, "retry_queue")
    (torrent,) = primary.torrents
    assert torrent.category == "old"


async def test_no_note_no_add(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """The disk fills up after the magnets were accepted."""
    await start(instance("first", primary))
    await primary.refuse()
    await call(hass, "check_health")
    await primary.listen()
    accept = Outbox.accept
    with ExitStack() as broken:

        async def accept_and_fill_up(outbox: Outbox, jobs: Iterable[Job]) -> list[Job]:
            accepted = await accept(outbox, jobs)
            broken.enter_context(disk_full())
            return accepted

        broken.enter_context(patch.object(Outbox, "accept", accept_and_fill_up))
        response = await add(hass, link(1))
        assert primary.requests_to("torrents/info")
    assert hashes(response["queued"]) == numbers(1)
    assert not primary.requests_to("torrents/add")
    assert hashes((await call(hass, "retry_queue"))["added"]) == numbers(1)
