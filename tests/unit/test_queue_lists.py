"""The queue and the failed list: magnets and web links in one, though they are stored apart."""

import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from tests.support.common import info_hash
from tests.support.core import Time
from tests.support.home import Home

LINK = WebLink.parse("https://x.example/a.torrent?passkey=1")


@pytest.fixture
async def home(time: Time) -> Home:
    """Return a home without servers; a magnet and a younger link have failed."""
    home = Home([], time.clock)
    (magnet,) = home.jobs(1)
    home.write(magnet.failed_with("rejected", time.now()))
    link = Job(LINK.as_magnet(), time.now() + 1).failed_with("not_a_torrent", time.now() + 1)
    home.links.write({link.info_hash: to_record(link)})
    await home.dispatcher.start()
    return home


def shown(home: Home, stage: Stage) -> list[tuple[str | None, str | None, str]]:
    dispatcher = home.dispatcher
    items = dispatcher.items(stage)
    return [(one.info_hash, one.magnet.name, dispatcher.reason(one)) for one in items]


def test_both_are_shown(home: Home) -> None:
    assert shown(home, Stage.FAILED) == [
        (info_hash(1), "Torrent 1", "rejected"),
        (None, "a.torrent", "not_a_torrent"),
    ]


async def test_both_are_put_back(home: Home) -> None:
    assert len(await home.dispatcher.requeue()) == 2
    assert shown(home, Stage.FAILED) == []
    assert shown(home, Stage.QUEUED) == [
        (info_hash(1), "Torrent 1", "no_instance"),
        (None, "a.torrent", "web_link"),
    ]


@pytest.mark.parametrize("key", [info_hash(1), LINK.key])
async def test_one_by_its_key(home: Home, key: str) -> None:
    (removed,) = await home.dispatcher.remove(Stage.FAILED, [key])
    assert removed.key == key
    (left,) = home.dispatcher.items(Stage.FAILED)
    assert left.key in {info_hash(1), LINK.key} - {key}
    (again,) = await home.dispatcher.requeue([left.key])
    assert again.job.stage is Stage.QUEUED
    assert [one.key for one in home.dispatcher.items(Stage.QUEUED)] == [left.key]


@pytest.mark.parametrize("full", ["store", "links"])
async def test_what_was_done_is_told(home: Home, full: str) -> None:
    """Where only one of the files can be written, the rest is as it was."""
    getattr(home, full).fill_up()
    removed = await home.dispatcher.remove(Stage.FAILED)
    left = home.dispatcher.items(Stage.FAILED)
    assert [one.is_link for one in removed] == [full == "store"]
    assert [one.is_link for one in left] == [full == "links"]
    with pytest.raises(StorageError):
        await home.dispatcher.requeue()
    assert home.dispatcher.items(Stage.FAILED) == left


async def test_nothing_is_claimed_where_nothing_can_be_written(home: Home) -> None:
    home.store.fill_up()
    home.links.fill_up()
    before = shown(home, Stage.FAILED)
    for change in (home.dispatcher.remove(Stage.FAILED), home.dispatcher.requeue()):
        with pytest.raises(StorageError):
            await change
    assert shown(home, Stage.FAILED) == before
